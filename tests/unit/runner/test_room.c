/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "runner/room.h"

struct fixture {
    struct fc_room room;
    struct fc_diag *diag;
    FILE *said;
    char *text;
    size_t size;
    fc_code code; /* what the step ends with while `left` is not 0 */
    int left;
    int calls;
    bool give_up_inside;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    fixture->said = open_memstream(&fixture->text, &fixture->size);
    fixture->diag = fc_diag_new(fixture->said, FC_DIAG_INFO);
    fc_room_init(&fixture->room, fixture->diag);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    fc_room_release(&fixture->room);
    fc_diag_free(fixture->diag);
    (void)fclose(fixture->said);
    free(fixture->text);
    free(fixture);
    return 0;
}

static fc_code step(void *ctx, struct fc_error *err)
{
    struct fixture *fixture = ctx;
    fixture->calls++;
    if (fixture->left > 0) {
        fixture->left--;
        if (fixture->give_up_inside) {
            fc_room_give_up(&fixture->room);
        }
        return fc_fail(err, fixture->code, "try %d", fixture->calls);
    }
    assert_true(fixture->calls == 1 || *fc_room_why(&fixture->room) != '\0');
    return FC_OK;
}

static void expect_said(struct fixture *fixture, const char *text)
{
    (void)fflush(fixture->said);
    if (strstr(fixture->text, text) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", fixture->text, text);
    }
}

static void a_silent_log_is_waited_for_and_told_once(void **state)
{
    struct fixture *fixture = *state;
    struct fc_error err = { 0 };
    fixture->code = FC_ERR_TIMEOUT;
    fixture->left = 2;
    assert_int_equal(fc_room_do(&fixture->room, step, fixture, &err), FC_OK);
    assert_int_equal(fixture->calls, 3);
    assert_string_equal(fc_room_why(&fixture->room), "");
    expect_said(fixture, "the log does not answer; capture waits until it does: try 1");
    expect_said(fixture, "the log answers again; capture goes on");
    assert_null(strstr(fixture->text, "try 2"));
}

static void a_full_disk_is_waited_for(void **state)
{
    struct fixture *fixture = *state;
    struct fc_error err = { 0 };
    fixture->code = FC_ERR_FULL;
    fixture->left = 1;
    assert_int_equal(fc_room_do(&fixture->room, step, fixture, &err), FC_OK);
    expect_said(fixture, "the log's disk is full; capture waits until there is room: try 1");
    expect_said(fixture, "there is room on the log's disk again; capture goes on");
}

static void who_waits_gives_up_when_told(void **state)
{
    struct fixture *fixture = *state;
    struct fc_error err = { 0 };
    fixture->code = FC_ERR_TIMEOUT;
    fixture->left = 100;
    fixture->give_up_inside = true;
    assert_int_equal(fc_room_do(&fixture->room, step, fixture, &err), FC_ERR_TIMEOUT);
    assert_int_equal(fixture->calls, 1);
    assert_string_equal(fc_room_why(&fixture->room), "the log does not answer");
}

static void other_errors_are_not_waited_for(void **state)
{
    struct fixture *fixture = *state;
    struct fc_error err = { 0 };
    fixture->code = FC_ERR_CONFIG;
    fixture->left = 1;
    assert_int_equal(fc_room_do(&fixture->room, step, fixture, &err), FC_ERR_CONFIG);
    assert_int_equal(fixture->calls, 1);
    assert_string_equal(fc_room_why(&fixture->room), "");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_silent_log_is_waited_for_and_told_once),
        T(a_full_disk_is_waited_for),
        T(who_waits_gives_up_when_told),
        T(other_errors_are_not_waited_for),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
