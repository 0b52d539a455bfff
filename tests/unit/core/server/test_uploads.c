/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of requests when it is held by frames that do not end. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/server/server.h"
#include "tests/support/echo_server.h"
#include "tests/support/net_client.h"

enum {
    HEADER = 10,        /* of a request, behind its size */
    LARGE = 140 * 1024, /* what of the memory two such frames leave is a frame below 64 KiB */
    MEMORY = 300 * 1024,
    BODY = LARGE - HEADER,
    DEADLINE_MS = 15000
};

static struct echo_server *start(int64_t frame_ms)
{
    struct fc_server_config config;
    fc_server_config_init(&config);
    config.frame_max = LARGE;
    config.requests_memory_max = MEMORY;
    config.frame_ms = frame_ms;
    return echo_server_new(&config);
}

/* Sends that do not wait for the server to read. */
static int connect_roomy(struct echo_server *echo)
{
    const int room = 1024 * 1024;
    int fd = net_connect(echo_server_port(echo, 0));
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), 0);
    return fd;
}

static void wait_held(struct echo_server *echo, size_t bytes)
{
    const struct fc_clock *clock = fc_clock_system();
    const int64_t end_ms = fc_clock_steady_ms(clock) + DEADLINE_MS;
    struct fc_server_stats stats = { .requests_bytes = 0 };
    while (stats.requests_bytes < bytes) {
        assert_true(fc_clock_steady_ms(clock) < end_ms);
        (void)poll(NULL, 0, 5);
        fc_server_get_stats(echo_server_of(echo), &stats);
    }
}

/* A frame's size and one byte of it. */
static int begin_upload(struct echo_server *echo, uint32_t size)
{
    const uint8_t bytes[5] = { 0, (uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size };
    int fd = net_connect(echo_server_port(echo, 0));
    net_send(fd, bytes, sizeof(bytes));
    return fd;
}

static bool is_readable(int fd, int wait_ms)
{
    struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
    return poll(&poll_fd, 1, wait_ms) == 1;
}

/* The reply to what was sent to fd; until it comes, the others go on with their frames, so slowly
 * that it takes them half a minute: with 12 KB for each frame_ms. */
static size_t receive_meanwhile(int fd, const int slow[3], uint8_t *bytes)
{
    const struct fc_clock *clock = fc_clock_system();
    const int64_t end_ms = fc_clock_steady_ms(clock) + DEADLINE_MS;
    int32_t id = 0;
    while (!is_readable(fd, 100)) {
        assert_true(fc_clock_steady_ms(clock) < end_ms);
        for (int index = 0; index < 3; index++) {
            (void)send(slow[index], bytes, 400, MSG_NOSIGNAL); /* it may be closed */
        }
    }
    return net_receive_reply(fd, &id, bytes, LARGE);
}

static void slow_uploads_shut_nobody_out(void **state)
{
    struct echo_server *echo = start(3000);
    struct fc_server_stats stats;
    uint8_t *bytes = calloc(1, LARGE);
    int slow[3];
    int other;
    int large;
    (void)state;
    slow[0] = begin_upload(echo, LARGE);
    slow[1] = begin_upload(echo, LARGE);
    slow[2] = begin_upload(echo, MEMORY - 2 * LARGE);
    wait_held(echo, MEMORY);

    other = net_connect(echo_server_port(echo, 0));
    net_send_request(other, ECHO_NOW, 1, bytes, 20);
    assert_int_equal(receive_meanwhile(other, slow, bytes), 20);
    net_send_request(other, ECHO_NOW, 1, bytes, 60000);
    assert_int_equal(receive_meanwhile(other, slow, bytes), 60000);
    fc_server_get_stats(echo_server_of(echo), &stats);
    assert_true(stats.requests_bytes >= MEMORY); /* still */

    large = connect_roomy(echo);
    net_send_request(large, ECHO_NOW, 2, bytes, BODY);
    assert_int_equal(receive_meanwhile(large, slow, bytes), BODY);
    for (int index = 0; index < 2; index++) {
        assert_true(net_is_closed(slow[index]));
    }
    for (int index = 0; index < 3; index++) {
        (void)close(slow[index]);
    }
    (void)close(other);
    (void)close(large);
    echo_server_stop(echo);
    assert_non_null(strstr(echo_server_diagnostics(echo), "not ended in time"));
    echo_server_free(echo);
    free(bytes);
}

static void who_waits_for_memory_is_not_late(void **state)
{
    struct echo_server *echo = start(300);
    uint8_t *bytes = calloc(1, LARGE);
    int holder = connect_roomy(echo);
    int waiting = connect_roomy(echo);
    int32_t id = 0;
    (void)state;
    for (int32_t index = 0; index < 2; index++) {
        net_send_request(holder, ECHO_PARK, index, bytes, BODY);
    }
    echo_server_wait_parked(echo, 2);
    net_send_request(waiting, ECHO_NOW, 7, bytes, BODY);
    assert_false(is_readable(waiting, 1000)); /* three times what a silent one is given */
    echo_server_answer_parked_in_reverse(echo);
    assert_int_equal(net_receive_reply(waiting, &id, bytes, LARGE), BODY);
    assert_int_equal(id, 7);
    (void)close(holder);
    (void)close(waiting);
    echo_server_free(echo);
    free(bytes);
}

/* At a rate that ends the frame within a few times frame_ms, as on a slow line. */
static void who_keeps_on_sending_has_time(void **state)
{
    enum { STEPS = 20, STEP = LARGE / STEPS };
    struct echo_server *echo = start(1500);
    uint8_t *frame = calloc(1, LARGE + 4);
    int fd = net_connect(echo_server_port(echo, 0));
    size_t len = net_frame(frame, ECHO_NOW, 0, 3, frame, 0);
    size_t sent = 0;
    int32_t id = 0;
    (void)state;
    assert_int_equal(len, HEADER + 4);
    frame[1] = (uint8_t)(LARGE >> 16);
    frame[2] = (uint8_t)(LARGE >> 8);
    frame[3] = (uint8_t)LARGE;
    while (sent < LARGE + 4) {
        size_t part = LARGE + 4 - sent < STEP ? LARGE + 4 - sent : STEP;
        net_send(fd, frame + sent, part);
        sent += part;
        if (sent < LARGE + 4) {
            assert_false(is_readable(fd, 150)); /* nor closed */
        }
    }
    assert_int_equal(net_receive_reply(fd, &id, frame, LARGE), BODY);
    (void)close(fd);
    echo_server_free(echo);
    free(frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_uploads_shut_nobody_out),
        cmocka_unit_test(who_waits_for_memory_is_not_late),
        cmocka_unit_test(who_keeps_on_sending_has_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
