/* SPDX-License-Identifier: Apache-2.0 */
/* Plain connections: the order of replies, files, closing. The handler echoes; the request's
 * key says how. */
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/server/server.h"
#include "tests/support/echo_server.h"
#include "tests/support/net_client.h"

enum { BIG = 3 * 1024 * 1024 };

static void a_request_is_echoed_with_its_id(void **state)
{
    struct echo_server *echo = echo_server_new(NULL);
    int fd = net_connect(echo_server_port(echo, 0));
    uint8_t back[64];
    int32_t id = 0;
    (void)state;
    net_send_request(fd, ECHO_NOW, 77, "hello", 5);
    assert_int_equal(net_receive_reply(fd, &id, back, sizeof(back)), 5);
    assert_int_equal(id, 77);
    assert_memory_equal(back, "hello", 5);
    (void)close(fd);
    echo_server_free(echo);
}

static void replies_leave_in_order_though_others_answer_in_reverse(void **state)
{
    struct echo_server *echo = echo_server_new(NULL);
    int fd = net_connect(echo_server_port(echo, 0));
    uint8_t back[64];
    (void)state;
    for (int32_t round = 0; round < 50; round++) {
        for (int32_t index = 0; index < 8; index++) { /* parked */
            net_send_request(fd, ECHO_PARK, index, &index, sizeof(index));
        }
        net_send_request(fd, ECHO_NOW, 8, "now", 3);
        echo_server_wait_parked(echo, 8);
        echo_server_answer_parked_in_reverse(echo);
        for (int32_t index = 0; index < 9; index++) {
            int32_t id = -1;
            (void)net_receive_reply(fd, &id, back, sizeof(back));
            assert_int_equal(id, index);
        }
    }
    (void)close(fd);
    echo_server_free(echo);
}

static void a_frame_may_come_byte_by_byte(void **state)
{
    struct echo_server *echo = echo_server_new(NULL);
    int fd = net_connect(echo_server_port(echo, 0));
    uint8_t frame[64];
    uint8_t back[64];
    int32_t id = 0;
    size_t size = net_frame(frame, ECHO_NOW, 0, 5, "bytes", 5);
    (void)state;
    for (size_t index = 0; index < size; index++) {
        net_send(fd, frame + index, 1);
    }
    assert_int_equal(net_receive_reply(fd, &id, back, sizeof(back)), 5);
    assert_int_equal(id, 5);
    (void)close(fd);
    echo_server_free(echo);
}

static void a_large_request_comes_back_whole(void **state)
{
    struct echo_server *echo = echo_server_new(NULL);
    int fd = net_connect(echo_server_port(echo, 0));
    uint8_t *bytes = malloc(BIG);
    uint8_t *back = malloc(BIG);
    int32_t id = 0;
    (void)state;
    for (size_t index = 0; index < BIG; index++) {
        bytes[index] = (uint8_t)(index * 2654435761u >> 13);
    }
    for (int round = 0; round < 3; round++) {
        net_send_request(fd, ECHO_NOW, round, bytes, BIG);
        assert_int_equal(net_receive_reply(fd, &id, back, BIG), BIG);
        assert_memory_equal(bytes, back, BIG);
    }
    free(bytes);
    free(back);
    (void)close(fd);
    echo_server_free(echo);
}

/* The file's bytes stand between and after the reply's own, as the handler has put them. */
static void file_parts_equal_the_file(void **state)
{
    struct echo_server *echo = echo_server_new(NULL);
    int fd = net_connect(echo_server_port(echo, 0));
    size_t size = ECHO_FILE_SIZE + 64;
    uint8_t *back = malloc(size);
    int32_t id = 0;
    (void)state;
    for (int32_t round = 0; round < 5; round++) {
        net_send_request(fd, ECHO_FILE, round, "ab", 2);
        assert_int_equal(net_receive_reply(fd, &id, back, size), 2 + ECHO_FILE_SIZE + 3 + 6);
        assert_int_equal(id, round);
        assert_true(echo_server_is_file_reply(echo, back));
    }
    free(back);
    (void)close(fd);
    echo_server_stop(echo);
    assert_int_equal(echo_server_released(echo), 15); /* two file parts, one of memory */
    echo_server_free(echo);
}

static void closing_tells_who_has_parked_a_request(void **state)
{
    struct echo_server *echo = echo_server_new(NULL);
    (void)state;
    for (unsigned round = 1; round <= 20; round++) {
        int fd = net_connect(echo_server_port(echo, 0));
        net_send_request(fd, ECHO_PARK, 1, "p", 1);
        net_send_request(fd, ECHO_PARK, 2, "q", 1);
        echo_server_wait_parked(echo, 2);
        (void)close(fd);
        echo_server_wait_cancelled(echo, 2 * round);
    }
    echo_server_free(echo);
}

static void closing_races_with_answers_of_another_thread(void **state)
{
    struct echo_server *echo = echo_server_new(NULL);
    (void)state;
    for (size_t round = 1; round <= 200; round++) {
        int fd = net_connect(echo_server_port(echo, 0));
        for (int32_t index = 0; index < 4; index++) {
            net_send_request(fd, ECHO_PARK, index, "p", 1);
        }
        echo_server_wait_parked_ever(echo, 4 * round);
        (void)close(fd);
        echo_server_answer_parked_in_reverse(echo);
    }
    echo_server_free(echo);
}

static void a_dropped_request_closes_with_its_reason(void **state)
{
    struct echo_server *echo = echo_server_new(NULL);
    int fd = net_connect(echo_server_port(echo, 0));
    (void)state;
    net_send_request(fd, ECHO_DROP, 1, NULL, 0);
    assert_true(net_is_closed(fd));
    (void)close(fd);
    echo_server_stop(echo);
    assert_non_null(strstr(echo_server_diagnostics(echo), "dropped by the test"));
    echo_server_free(echo);
}

static void requests_without_reply_leave_no_gap(void **state)
{
    struct echo_server *echo = echo_server_new(NULL);
    int fd = net_connect(echo_server_port(echo, 0));
    uint8_t back[16];
    int32_t id = 0;
    (void)state;
    for (int32_t index = 0; index < 100; index++) {
        net_send_request(fd, ECHO_NOTHING, 2 * index, NULL, 0);
        net_send_request(fd, ECHO_NOW, 2 * index + 1, "x", 1);
    }
    for (int32_t index = 0; index < 100; index++) {
        (void)net_receive_reply(fd, &id, back, sizeof(back));
        assert_int_equal(id, 2 * index + 1);
    }
    net_send_request(fd, ECHO_LAST, 1000, NULL, 0);
    (void)net_receive_reply(fd, &id, back, sizeof(back));
    assert_int_equal(id, 1000);
    assert_true(net_is_closed(fd)); /* close_after */
    (void)close(fd);
    echo_server_free(echo);
}

static void two_thousand_connections_are_served(void **state)
{
    enum { COUNT = 2000 };
    struct rlimit files;
    struct echo_server *echo = echo_server_new(NULL);
    int *fds = calloc(COUNT, sizeof(fds[0]));
    uint8_t back[16];
    int32_t id = 0;
    struct fc_server_stats stats;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = files.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    for (int index = 0; index < COUNT; index++) {
        fds[index] = net_connect(echo_server_port(echo, 0));
        net_send_request(fds[index], ECHO_NOW, index, "x", 1);
    }
    for (int index = 0; index < COUNT; index++) {
        (void)net_receive_reply(fds[index], &id, back, sizeof(back));
        assert_int_equal(id, index);
    }
    fc_server_get_stats(echo_server_of(echo), &stats);
    assert_int_equal(stats.connections, COUNT);
    assert_int_equal(stats.requests_bytes, 0); /* idle ones hold nothing */
    for (int index = 0; index < COUNT; index++) {
        (void)close(fds[index]);
    }
    free(fds);
    echo_server_free(echo);
}

static void a_muted_connection_is_answered_first_and_read_later(void **state)
{
    struct echo_server *echo = echo_server_new(NULL);
    int fd = net_connect(echo_server_port(echo, 0));
    const struct fc_clock *clock = fc_clock_system();
    uint8_t back[16];
    int32_t id = 0;
    int64_t begin_ms = fc_clock_steady_ms(clock);
    (void)state;
    net_send_request(fd, ECHO_MUTE_300_MS, 1, NULL, 0);
    net_send_request(fd, ECHO_NOW, 2, "x", 1);
    (void)net_receive_reply(fd, &id, back, sizeof(back));
    assert_int_equal(id, 1);
    (void)net_receive_reply(fd, &id, back, sizeof(back));
    assert_int_equal(id, 2);
    assert_true(fc_clock_steady_ms(clock) - begin_ms >= 299);
    (void)close(fd);
    echo_server_free(echo);
}

static void close_hooks_are_called_once_for_each_connection(void **state)
{
    enum { COUNT = 100 };
    struct echo_server *echo = echo_server_new(NULL);
    (void)state;
    for (int index = 0; index < COUNT; index++) {
        (void)close(net_connect(echo_server_port(echo, 0)));
    }
    echo_server_wait_closed(echo, COUNT);
    echo_server_free(echo);
}

static void a_second_principal_is_refused(void **state)
{
    struct echo_server *echo = echo_server_new(NULL);
    int fd = net_connect(echo_server_port(echo, 1));
    char back[32];
    int32_t id = 0;
    (void)state;
    for (int32_t round = 0; round < 2; round++) { /* the same again is fine */
        net_send_request(fd, ECHO_LOGIN, round, NULL, 0);
        (void)net_receive_reply(fd, &id, back, sizeof(back));
    }
    net_send_request(fd, ECHO_LOGIN_OTHER, 3, NULL, 0);
    assert_int_equal(net_receive_reply(fd, &id, back, sizeof(back)), 7);
    assert_memory_equal(back, "refused", 7);
    net_send_request(fd, ECHO_PRINCIPAL, 4, NULL, 0);
    assert_int_equal(net_receive_reply(fd, &id, back, sizeof(back)), 9);
    assert_memory_equal(back, "User:echo", 9);
    (void)close(fd);
    echo_server_free(echo);
}

static void both_families_of_addresses_are_served(void **state)
{
    const struct fc_listener_config listener = { .name = "six", .host = "::1" };
    struct sockaddr_in6 to = { .sin6_family = AF_INET6 };
    struct fc_server_config config;
    struct echo_server *echo;
    char back[64] = "";
    int32_t id = 0;
    int fd;
    (void)state;
    fc_server_config_init(&config);
    config.listeners = &listener;
    config.listeners_count = 1;
    echo = echo_server_new(&config);
    to.sin6_addr = in6addr_loopback;
    to.sin6_port = htons(echo_server_port(echo, 0));
    fd = socket(AF_INET6, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    net_send_request(fd, ECHO_PEER, 1, NULL, 0);
    (void)net_receive_reply(fd, &id, back, sizeof(back));
    assert_memory_equal(back, "[::1]:", 6);
    (void)close(fd);
    echo_server_free(echo);
}

static void ignore(void *ctx, struct fc_request *request)
{
    (void)ctx;
    fc_request_no_reply(request);
}

static void starting_where_one_listens_already_says_so(void **state)
{
    struct echo_server *echo = echo_server_new(NULL);
    const struct fc_listener_config listener = { .name = "twice",
                                                 .host = "127.0.0.1",
                                                 .port = echo_server_port(echo, 0) };
    struct fc_server_config config;
    struct fc_server *server = NULL;
    struct fc_error err;
    (void)state;
    fc_server_config_init(&config);
    config.listeners = &listener;
    config.listeners_count = 1;
    config.on_request = ignore;
    assert_int_equal(fc_server_start(&config, &server, &err), FC_ERR_IO);
    assert_non_null(strstr(err.message, "listener twice: 127.0.0.1:"));
    assert_null(server);
    echo_server_free(echo);
}

struct caller {
    pthread_t thread;
    uint16_t port;
};

/* Connect and ask until nobody listens any more. */
static void *keep_calling(void *ctx)
{
    const struct caller *caller = ctx;
    uint8_t frame[64];
    uint8_t back[64];
    size_t size = net_frame(frame, ECHO_NOW, 0, 1, "hello", 5);
    bool connected = true;
    while (connected) {
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(caller->port) };
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connected = connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
        for (int round = 0; round < 5 && connected; round++) {
            if (send(fd, frame, size, MSG_NOSIGNAL) != (ssize_t)size ||
                recv(fd, back, 13, MSG_WAITALL) != 13) {
                break;
            }
        }
        (void)close(fd);
    }
    return NULL;
}

static void stopping_while_clients_come_and_ask_loses_nothing(void **state)
{
    enum { CALLERS = 4 };
    (void)state;
    for (int round = 0; round < 10; round++) {
        struct echo_server *echo = echo_server_new(NULL);
        struct caller callers[CALLERS];
        for (size_t index = 0; index < CALLERS; index++) {
            callers[index].port = echo_server_port(echo, 0);
            assert_int_equal(
                pthread_create(&callers[index].thread, NULL, keep_calling, &callers[index]), 0);
        }
        echo_server_wait_closed(echo, 50);
        echo_server_stop(echo);
        for (size_t index = 0; index < CALLERS; index++) {
            (void)pthread_join(callers[index].thread, NULL);
        }
        echo_server_free(echo);
    }
}

static void stopping_waits_for_answers_and_then_closes(void **state)
{
    struct echo_server *echo = echo_server_new(NULL);
    int fd = net_connect(echo_server_port(echo, 0));
    (void)state;
    net_send_request(fd, ECHO_PARK, 1, "p", 1);
    echo_server_wait_parked(echo, 1);
    echo_server_stop(echo); /* waits 50 ms, then on_close answers */
    assert_true(net_is_closed(fd));
    (void)close(fd);
    echo_server_free(echo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_echoed_with_its_id),
        cmocka_unit_test(replies_leave_in_order_though_others_answer_in_reverse),
        cmocka_unit_test(a_frame_may_come_byte_by_byte),
        cmocka_unit_test(a_large_request_comes_back_whole),
        cmocka_unit_test(file_parts_equal_the_file),
        cmocka_unit_test(closing_tells_who_has_parked_a_request),
        cmocka_unit_test(closing_races_with_answers_of_another_thread),
        cmocka_unit_test(a_dropped_request_closes_with_its_reason),
        cmocka_unit_test(requests_without_reply_leave_no_gap),
        cmocka_unit_test(two_thousand_connections_are_served),
        cmocka_unit_test(a_muted_connection_is_answered_first_and_read_later),
        cmocka_unit_test(close_hooks_are_called_once_for_each_connection),
        cmocka_unit_test(a_second_principal_is_refused),
        cmocka_unit_test(both_families_of_addresses_are_served),
        cmocka_unit_test(starting_where_one_listens_already_says_so),
        cmocka_unit_test(stopping_while_clients_come_and_ask_loses_nothing),
        cmocka_unit_test(stopping_waits_for_answers_and_then_closes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
