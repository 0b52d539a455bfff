/* SPDX-License-Identifier: Apache-2.0 */
/* What keeps one client from hurting the others: back-pressure, limits, time-outs, and what
 * bad input gets. */
#include <poll.h>
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

#include "core/server/server.h"
#include "tests/support/echo_server.h"
#include "tests/support/net_client.h"

enum { BIG = 3 * 1024 * 1024 };

static void a_slow_reader_stops_only_itself(void **state)
{
    struct echo_server *echo = echo_server_new(NULL);
    int slow = net_connect(echo_server_port(echo, 0));
    int fast = net_connect(echo_server_port(echo, 0));
    uint8_t *bytes = calloc(1, 65536);
    uint8_t *back = malloc(BIG);
    struct fc_server_stats stats;
    int32_t id = 0;
    int32_t sent = 0;
    (void)state;
    /* Each small request asks for 1 MiB; more are sent than may be queued, and none is read. */
    for (; sent < 200; sent++) {
        net_send_request(slow, ECHO_MEGABYTE, sent, NULL, 0);
    }
    for (int32_t index = 0; index < 200; index++) {
        net_send_request(fast, ECHO_NOW, index, bytes, 100);
        assert_int_equal(net_receive_reply(fast, &id, back, BIG), 100);
    }
    fc_server_get_stats(echo_server_of(echo), &stats);
    assert_true(stats.requests < 200 + 64); /* most of the slow one's are not read */
    for (int32_t index = 0; index < sent; index++) {
        assert_int_equal(net_receive_reply(slow, &id, back, BIG), 1024 * 1024);
        assert_int_equal(id, index);
    }
    free(bytes);
    free(back);
    (void)close(slow);
    (void)close(fast);
    echo_server_free(echo);
}

/* How many bytes leave for a client that takes none and has room for little. */
static uint64_t left_for_nobody(size_t send_buffer)
{
    struct fc_server_config config;
    struct fc_server_stats stats;
    struct fc_server_stats before;
    struct echo_server *echo;
    const int room = 4096;
    int slow;
    fc_server_config_init(&config);
    config.send_buffer = send_buffer;
    echo = echo_server_new(&config);
    slow = net_connect(echo_server_port(echo, 0));
    assert_int_equal(setsockopt(slow, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)), 0);
    net_send_request(slow, ECHO_MEGABYTE, 0, NULL, 0);
    net_send_request(slow, ECHO_MEGABYTE, 1, NULL, 0);
    fc_server_get_stats(echo_server_of(echo), &stats);
    do { /* until it stands still; the kernel takes what it takes at once */
        before = stats;
        (void)poll(NULL, 0, 100);
        fc_server_get_stats(echo_server_of(echo), &stats);
    } while (stats.bytes_out == 0 || stats.bytes_out != before.bytes_out);
    (void)close(slow);
    echo_server_free(echo);
    return stats.bytes_out;
}

static void the_kernel_keeps_no_more_for_a_client_than_it_may(void **state)
{
    uint64_t little = left_for_nobody((size_t)16 * 1024);
    uint64_t much = left_for_nobody((size_t)512 * 1024);
    (void)state;

    assert_true(little < 200000);
    assert_true(much > 2 * little);
}

static void expect_closed_with(const void *bytes, size_t len, const char *line)
{
    struct echo_server *echo = echo_server_new(NULL);
    int fd = net_connect(echo_server_port(echo, 0));
    net_send(fd, bytes, len);
    assert_true(net_is_closed(fd));
    (void)close(fd);
    echo_server_stop(echo);
    assert_non_null(strstr(echo_server_diagnostics(echo), line));
    assert_null(strchr(strchr(echo_server_diagnostics(echo), '\n') + 1, '\n')); /* one line */
    echo_server_free(echo);
}

static void bad_input_closes_with_one_line(void **state)
{
    (void)state;
    expect_closed_with("GET / HTTP/1.1\r\n\r\n", 18, "an HTTP request?");
    expect_closed_with("\x16\x03\x01\x02\x00\x01\x00", 7, "TLS on a plain listener?");
    expect_closed_with("\xff\xff\xff\xff", 4, "a frame of -1 bytes");
    expect_closed_with("\x00\x00\x00\x07", 4, "a frame of 7 bytes");
    expect_closed_with("\x7f\xff\xff\xff", 4, "a frame of 2147483647 bytes");
    /* A client id that is longer than the frame. */
    expect_closed_with("\x00\x00\x00\x0a\x00\x03\x00\x00\x00\x00\x00\x01\x7f\xff", 14,
                       "the request header cannot be read");
}

static void half_a_frame_and_silence_is_closed(void **state)
{
    struct fc_server_config config;
    struct echo_server *echo;
    int fd;
    (void)state;
    fc_server_config_init(&config);
    config.frame_ms = 100;
    echo = echo_server_new(&config);
    fd = net_connect(echo_server_port(echo, 0));
    net_send(fd, "\x00\x00\x01\x00\x00", 5);
    assert_true(net_is_closed(fd));
    (void)close(fd);
    echo_server_stop(echo);
    assert_non_null(strstr(echo_server_diagnostics(echo), "not ended in time"));
    echo_server_free(echo);
}

static void idle_connections_are_closed_and_parked_ones_are_not(void **state)
{
    struct fc_server_config config;
    struct echo_server *echo;
    int idle;
    int parked;
    int32_t id = 0;
    uint8_t back[16];
    (void)state;
    fc_server_config_init(&config);
    config.idle_ms = 1000; /* longer than a busy machine keeps this test waiting */
    echo = echo_server_new(&config);
    idle = net_connect(echo_server_port(echo, 0));
    parked = net_connect(echo_server_port(echo, 0));
    net_send_request(parked, ECHO_PARK, 1, "p", 1);
    echo_server_wait_parked(echo, 1);
    assert_true(net_is_closed(idle));
    echo_server_answer_parked_in_reverse(echo);
    assert_int_equal(net_receive_reply(parked, &id, back, sizeof(back)), 1);
    for (int32_t round = 0; round < 2; round++) {
        net_send_request(parked, ECHO_PARK, 1, "p", 1);
        echo_server_wait_parked(echo, 1);
        (void)close(idle);
        idle = net_connect(echo_server_port(echo, 0));
        assert_true(net_is_closed(idle));
        echo_server_answer_parked_in_reverse(echo);
        assert_int_equal(net_receive_reply(parked, &id, back, sizeof(back)), 1);
    }
    (void)close(idle);
    (void)close(parked);
    echo_server_free(echo);
}

static void a_flood_of_bad_clients_does_not_flood_the_diagnostics(void **state)
{
    struct echo_server *echo = echo_server_new(NULL);
    size_t lines = 0;
    (void)state;
    for (int round = 0; round < 300; round++) {
        int fd = net_connect(echo_server_port(echo, 0));
        net_send(fd, "\xff\xff\xff\xff", 4);
        assert_true(net_is_closed(fd));
        (void)close(fd);
    }
    echo_server_stop(echo);
    for (const char *at = echo_server_diagnostics(echo); *at != '\0'; at++) {
        lines += *at == '\n';
    }
    assert_in_range(lines, 1, 200);
    echo_server_free(echo);
}

static void limits_of_connections_hold(void **state)
{
    struct fc_server_config config;
    struct echo_server *echo;
    int fds[5];
    uint8_t back[16];
    int32_t id = 0;
    (void)state;
    fc_server_config_init(&config);
    config.connections_ip_max = 4;
    echo = echo_server_new(&config);
    for (int index = 0; index < 4; index++) {
        fds[index] = net_connect(echo_server_port(echo, 0));
        net_send_request(fds[index], ECHO_NOW, 1, "x", 1);
        (void)net_receive_reply(fds[index], &id, back, sizeof(back));
    }
    fds[4] = net_connect(echo_server_port(echo, 0));
    assert_true(net_is_closed(fds[4]));
    for (int index = 0; index < 5; index++) {
        (void)close(fds[index]);
    }
    echo_server_stop(echo);
    assert_non_null(strstr(echo_server_diagnostics(echo), "of this address"));
    echo_server_free(echo);
}

/* Large frames together want more memory than there is: they take turns, none is lost. */
static int64_t second_waits_and_third_goes(void *ctx, const char *peer_host)
{
    static _Atomic unsigned arrivals; /* of one test */
    unsigned arrival = arrivals++;
    (void)ctx;
    assert_string_equal(peer_host, "127.0.0.1");
    return arrival == 0 ? 0 : arrival == 1 ? 300 : -1;
}

static void new_connections_are_read_when_it_is_their_turn(void **state)
{
    struct fc_server_config config;
    struct echo_server *echo;
    const struct fc_clock *clock = fc_clock_system();
    int32_t id = 0;
    uint8_t back[16];
    int64_t begin_ms;
    int fds[3];
    (void)state;
    fc_server_config_init(&config);
    config.on_arrival = second_waits_and_third_goes;
    echo = echo_server_new(&config);
    for (int index = 0; index < 2; index++) {
        begin_ms = fc_clock_steady_ms(clock);
        fds[index] = net_connect(echo_server_port(echo, 0));
        net_send_request(fds[index], ECHO_NOW, index, "x", 1);
        assert_int_equal(net_receive_reply(fds[index], &id, back, sizeof(back)), 1);
    }
    assert_true(fc_clock_steady_ms(clock) - begin_ms >= 299);
    fds[2] = net_connect(echo_server_port(echo, 0));
    assert_true(net_is_closed(fds[2]));
    for (int index = 0; index < 3; index++) {
        (void)close(fds[index]);
    }
    echo_server_stop(echo);
    assert_non_null(strstr(echo_server_diagnostics(echo),
                           "connection refused: too many new connections of this address"));
    echo_server_free(echo);
}

static void requests_share_the_memory_that_there_is(void **state)
{
    enum { COUNT = 6, LEN = 900 * 1024 };
    struct fc_server_config config;
    struct echo_server *echo;
    int fds[COUNT];
    uint8_t *bytes = calloc(1, BIG);
    int32_t id = 0;
    (void)state;
    fc_server_config_init(&config);
    config.frame_max = 1024 * 1024;
    config.requests_memory_max = 2 * 1024 * 1024;
    echo = echo_server_new(&config);
    for (int index = 0; index < COUNT; index++) {
        fds[index] = net_connect(echo_server_port(echo, 0));
    }
    for (int round = 0; round < 5; round++) {
        for (int index = 0; index < COUNT; index++) {
            net_send_request(fds[index], ECHO_NOW, index, bytes, LEN);
            if (index % 2 == 1) {
                assert_int_equal(net_receive_reply(fds[index], &id, bytes, BIG), LEN);
                assert_int_equal(net_receive_reply(fds[index - 1], &id, bytes, BIG), LEN);
            }
        }
    }
    for (int index = 0; index < COUNT; index++) {
        (void)close(fds[index]);
    }
    free(bytes);
    echo_server_free(echo);
}

/* Large requests that only wait for their answers, as those of a producer for the disk, leave their
 * memory to the next ones; who they came from is known to the end. */
static void what_waits_without_its_body_takes_no_memory(void **state)
{
    static const uint8_t head[] = { 0, 0x0e, 0, 0,   0,  ECHO_PARK_BODILESS, 0, 0, 0, 0, 0,
                                    1, 0,    2, 'm', 'e' };
    enum { COUNT = 6, LEN = 0x0e0000 + 4 };
    struct fc_server_config config;
    struct echo_server *echo;
    uint8_t *frame = calloc(1, LEN);
    int32_t id = 0;
    int fd;
    (void)state;
    memcpy(frame, head, sizeof(head));
    fc_server_config_init(&config);
    config.frame_max = 1024 * 1024;
    config.requests_memory_max = 2 * 1024 * 1024;
    echo = echo_server_new(&config);
    fd = net_connect(echo_server_port(echo, 0));
    for (int index = 0; index < COUNT; index++) {
        net_send(fd, frame, LEN);
    }
    echo_server_wait_parked(echo, COUNT);
    echo_server_answer_parked_in_reverse(echo);
    for (int index = 0; index < COUNT; index++) {
        assert_int_equal(net_receive_reply(fd, &id, frame, LEN), 2);
        assert_memory_equal(frame, "me", 2);
    }
    (void)close(fd);
    free(frame);
    echo_server_free(echo);
}

static void before_authentication_little_is_allowed(void **state)
{
    struct echo_server *echo = echo_server_new(NULL);
    int fd = net_connect(echo_server_port(echo, 1));
    uint8_t *bytes = calloc(1, BIG);
    int32_t id = 0;
    (void)state;
    net_send_request(fd, ECHO_LOGIN, 1, NULL, 0);
    (void)net_receive_reply(fd, &id, bytes, BIG);
    net_send_request(fd, ECHO_NOW, 2, bytes, BIG);
    assert_int_equal(net_receive_reply(fd, &id, bytes, BIG), BIG);
    (void)close(fd);
    fd = net_connect(echo_server_port(echo, 1));
    net_send(fd, "\x00\x09\x00\x00", 4); /* 576 KiB */
    assert_true(net_is_closed(fd));
    (void)close(fd);
    free(bytes);
    echo_server_free(echo);
}

static void who_does_not_take_its_replies_is_closed(void **state)
{
    struct fc_server_config config;
    struct echo_server *echo;
    uint8_t requests[20 * 14];
    size_t len = 0;
    int fd;
    (void)state;
    fc_server_config_init(&config);
    config.idle_ms = 1000; /* longer than a busy machine keeps this test waiting */
    echo = echo_server_new(&config);
    fd = net_connect(echo_server_port(echo, 0));
    while (len < sizeof(requests)) {
        len += net_frame(requests + len, ECHO_MEGABYTE, 0, (int32_t)len, NULL, 0);
    }
    net_send(fd, requests, len); /* at once: the server may close after the first */
    echo_server_wait_closed(echo, 1);
    (void)close(fd);
    echo_server_stop(echo);
    assert_non_null(strstr(echo_server_diagnostics(echo), "does not take its replies"));
    echo_server_free(echo);
}

static void who_does_not_authenticate_in_time_is_closed(void **state)
{
    struct fc_server_config config;
    struct echo_server *echo;
    int fd;
    (void)state;
    fc_server_config_init(&config);
    config.handshake_ms = 100;
    echo = echo_server_new(&config);
    fd = net_connect(echo_server_port(echo, 1));
    assert_true(net_is_closed(fd));
    (void)close(fd);
    echo_server_stop(echo);
    assert_non_null(strstr(echo_server_diagnostics(echo), "authentication took too long"));
    echo_server_free(echo);
}

/* Small sizes and keys of the handler are likelier than chance would have them. */
static void random_bytes_hurt_only_their_sender(void **state)
{
    struct fc_server_config config;
    struct echo_server *echo;
    int fd;
    uint32_t random = 2463534242u;
    uint8_t bytes[600];
    struct fc_server_stats stats;
    int32_t id = 0;
    (void)state;
    fc_server_config_init(&config);
    config.handshake_ms = 2000; /* of those whose bytes leave them parked */
    echo = echo_server_new(&config);
    for (size_t round = 0; round < 500; round++) {
        size_t len;
        for (size_t index = 0; index < sizeof(bytes); index++) {
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            bytes[index] = (uint8_t)(random % 3 == 0 ? random >> 8 : 0);
        }
        memset(bytes, 0, 2);
        bytes[2] = 0;
        bytes[3] = (uint8_t)(8 + random % 40);
        len = 1 + (random >> 7) % sizeof(bytes);
        fd = net_connect(echo_server_port(echo, round % 2));
        net_send(fd, bytes, len / 2);
        (void)send(fd, bytes + len / 2, len - len / 2, MSG_NOSIGNAL); /* it may be closed */
        (void)close(fd);
    }
    echo_server_wait_closed(echo, 500);
    fd = net_connect(echo_server_port(echo, 0));
    net_send_request(fd, ECHO_NOW, 5, "alive", 5);
    assert_int_equal(net_receive_reply(fd, &id, bytes, sizeof(bytes)), 5);
    fc_server_get_stats(echo_server_of(echo), &stats);
    assert_int_equal(stats.connections, 1);
    (void)close(fd);
    echo_server_free(echo);
}

/* With so many files at most. */
static size_t connections_with(rlim_t files, size_t wanted, char *out_line, size_t line_size)
{
    struct fc_server_config config;
    struct rlimit before;
    struct rlimit limit;
    FILE *to = tmpfile();
    fc_server_config_init(&config);
    config.connections_max = wanted;
    config.diag = fc_diag_new(to, FC_DIAG_INFO);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    limit.rlim_cur = files;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    fc_server_spare_files(&config);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    rewind(to);
    out_line[fread(out_line, 1, line_size - 1, to)] = '\0';
    fc_diag_free(config.diag);
    (void)fclose(to);
    return config.connections_max;
}

static void connections_leave_files_to_others(void **state)
{
    char line[512];
    (void)state;
    assert_in_range(connections_with(400, 20000, line, sizeof(line)), 200, 400 - 128 - 3);
    assert_non_null(strstr(line, " warn  at most "));
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1); /* one line */
    assert_in_range(connections_with(50, 20000, line, sizeof(line)), 1, 16);
    assert_int_equal(connections_with(400, 100, line, sizeof(line)), 100);
    assert_string_equal(line, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_reader_stops_only_itself),
        cmocka_unit_test(the_kernel_keeps_no_more_for_a_client_than_it_may),
        cmocka_unit_test(bad_input_closes_with_one_line),
        cmocka_unit_test(half_a_frame_and_silence_is_closed),
        cmocka_unit_test(idle_connections_are_closed_and_parked_ones_are_not),
        cmocka_unit_test(a_flood_of_bad_clients_does_not_flood_the_diagnostics),
        cmocka_unit_test(limits_of_connections_hold),
        cmocka_unit_test(connections_leave_files_to_others),
        cmocka_unit_test(new_connections_are_read_when_it_is_their_turn),
        cmocka_unit_test(requests_share_the_memory_that_there_is),
        cmocka_unit_test(what_waits_without_its_body_takes_no_memory),
        cmocka_unit_test(before_authentication_little_is_allowed),
        cmocka_unit_test(who_does_not_take_its_replies_is_closed),
        cmocka_unit_test(who_does_not_authenticate_in_time_is_closed),
        cmocka_unit_test(random_bytes_hurt_only_their_sender),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
