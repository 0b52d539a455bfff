/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "runner/control.h"
#include "tests/support/temp_dir.h"

struct fixture {
    char *dir;
    struct fc_control *control;
    struct fc_buf reply;
    struct fc_error error;
    char mark[64];
    atomic_bool stopped;
    size_t status_bytes; /* how long the status is made */
};

static void on_status(void *ctx, struct fc_buf *out)
{
    const struct fixture *fixture = ctx;
    fc_buf_append_text(out, "{\"name\":\"shop");
    for (size_t index = 0; index < fixture->status_bytes; index++) {
        fc_buf_append_u8(out, 'x');
    }
    fc_buf_append_text(out, "\"}");
}

static fc_code on_mark(void *ctx, struct fc_slice json, struct fc_error *err)
{
    struct fixture *fixture = ctx;
    if (fc_slice_equal_text(json, "{\"bad\":\"\\\"\"}")) {
        return fc_fail(err, FC_ERR_TIMEOUT, "no \"time\"");
    }
    (void)snprintf(fixture->mark, sizeof(fixture->mark), "%.*s", (int)json.len,
                   (const char *)json.data);
    return FC_OK;
}

static void on_stop(void *ctx)
{
    struct fixture *fixture = ctx;
    atomic_store(&fixture->stopped, true);
}

static void start(struct fixture *fixture)
{
    struct fc_control_config config = { .dir = fixture->dir,
                                        .on_status = on_status,
                                        .on_mark = on_mark,
                                        .on_stop = on_stop,
                                        .ctx = fixture };
    if (fc_control_start(&config, &fixture->control, &fixture->error) != FC_OK) {
        fail_msg("%s", fixture->error.message);
    }
}

static int set_up(void **state)
{
    struct fixture *fixture = fc_new(struct fixture);
    fixture->dir = temp_dir_new();
    fc_buf_init(&fixture->reply, FC_CONTROL_LINE_MAX);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    fc_control_stop(fixture->control);
    fc_buf_release(&fixture->reply);
    temp_dir_free(fixture->dir);
    free(fixture);
    return 0;
}

static fc_code call(struct fixture *fixture, const char *request)
{
    fc_buf_clear(&fixture->reply);
    return fc_control_call(fixture->dir, fc_slice_text(request), &fixture->reply,
                           &fixture->error);
}

static void status_answers_what_the_callback_wrote(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    for (int round = 0; round < 50; round++) {
        assert_int_equal(call(fixture, "status"), FC_OK);
        assert_true(fc_slice_equal_text(fc_buf_slice(&fixture->reply), "{\"name\":\"shop\"}"));
    }
}

static void a_mark_arrives_and_its_failure_comes_back(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    assert_int_equal(call(fixture, "mark {\"restore\":\"begin\"}"), FC_OK);
    assert_string_equal(fixture->mark, "{\"restore\":\"begin\"}");
    assert_int_equal(call(fixture, "mark {\"bad\":\"\\\"\"}"), FC_ERR_REJECTED);
    assert_non_null(strstr(fixture->error.message, ": no \"time\""));
}

static void stop_calls_back(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    assert_false(atomic_load(&fixture->stopped));
    assert_int_equal(call(fixture, "stop"), FC_OK);
    assert_true(atomic_load(&fixture->stopped));
}

static void an_unknown_request_is_answered_with_an_error(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    assert_int_equal(call(fixture, "statuss"), FC_ERR_REJECTED);
    assert_int_equal(call(fixture, "mark "), FC_ERR_REJECTED);
    assert_int_equal(call(fixture, ""), FC_ERR_REJECTED);
}

static void an_answer_over_the_limit_becomes_an_error(void **state)
{
    struct fixture *fixture = *state;
    fixture->status_bytes = FC_CONTROL_LINE_MAX;
    start(fixture);
    assert_int_equal(call(fixture, "status"), FC_ERR_REJECTED);
    assert_non_null(strstr(fixture->error.message, "the answer is too long"));
}

static void a_request_over_the_limit_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char *request = fc_alloc_zeroed(FC_CONTROL_LINE_MAX + 10, 1);
    fc_code code;
    start(fixture);
    memset(request, 'm', FC_CONTROL_LINE_MAX + 9);
    code = call(fixture, request);
    /* Its answer may be lost when the server closes with bytes unread. */
    assert_true(code == FC_ERR_REJECTED || code == FC_ERR_IO || code == FC_ERR_CLOSED);
    free(request);
    assert_int_equal(call(fixture, "status"), FC_OK);
}

static void the_socket_is_closed_to_others_and_goes_with_the_server(void **state)
{
    struct fixture *fixture = *state;
    struct stat info = { 0 };
    char *path = fc_asprintf("%s/%s", fixture->dir, FC_CONTROL_NAME);
    start(fixture);
    assert_int_equal(stat(path, &info), 0);
    assert_true(S_ISSOCK(info.st_mode));
    assert_int_equal(info.st_mode & 0777, 0600);
    fc_control_stop(fixture->control);
    fixture->control = NULL;
    assert_int_not_equal(stat(path, &info), 0);
    free(path);
}

static void without_a_runner_the_call_says_so(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(call(fixture, "status"), FC_ERR_NOT_FOUND);
    assert_non_null(strstr(fixture->error.message, "no runner has "));
    assert_int_equal(fc_control_call("/nonexistent", fc_slice_text("status"), &fixture->reply,
                                     &fixture->error),
                     FC_ERR_NOT_FOUND);
}

/* As a killed runner leaves it: a socket file that nobody listens on. */
static void a_left_over_socket_is_no_runner_and_is_replaced(void **state)
{
    struct fixture *fixture = *state;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", fixture->dir,
                   FC_CONTROL_NAME);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    (void)close(fd);
    assert_int_equal(call(fixture, "status"), FC_ERR_NOT_FOUND);
    start(fixture);
    assert_int_equal(call(fixture, "status"), FC_OK);
}

static void a_directory_with_a_long_path_works(void **state)
{
    struct fixture *fixture = *state;
    char *outer = fixture->dir;
    char *deep = fc_asprintf("%s/%0200d", outer, 7);
    assert_int_equal(mkdir(deep, 0700), 0);
    fixture->dir = deep;
    start(fixture);
    assert_int_equal(call(fixture, "status"), FC_OK);
    fc_control_stop(fixture->control);
    fixture->control = NULL;
    fixture->dir = outer;
    free(deep);
}

static void a_client_that_says_nothing_does_not_hold_up_the_end(void **state)
{
    struct fixture *fixture = *state;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    start(fixture);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", fixture->dir,
                   FC_CONTROL_NAME);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    fc_control_stop(fixture->control); /* returns before the client's time is up */
    fixture->control = NULL;
    (void)close(fd);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(status_answers_what_the_callback_wrote),
        T(a_mark_arrives_and_its_failure_comes_back),
        T(stop_calls_back),
        T(an_unknown_request_is_answered_with_an_error),
        T(an_answer_over_the_limit_becomes_an_error),
        T(a_request_over_the_limit_is_refused),
        T(the_socket_is_closed_to_others_and_goes_with_the_server),
        T(without_a_runner_the_call_says_so),
        T(a_left_over_socket_is_no_runner_and_is_replaced),
        T(a_directory_with_a_long_path_works),
        T(a_client_that_says_nothing_does_not_hold_up_the_end),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
