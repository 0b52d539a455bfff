/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "connectors/mysql/packet_reader.h"
#include "core/base/alloc.h"

enum { PART = 0xffffff, TIMEOUT_MS = 30000 };

struct fixture {
    int sockets[2];
    struct fc_packet_reader reader;
    struct fc_buf bytes; /* that the server sends */
    size_t chunk;        /* so many at a time */
};

static int set_up(void **state)
{
    struct fixture *fixture = fc_new(struct fixture);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fixture->sockets), 0);
    fc_packet_reader_init(&fixture->reader, fixture->sockets[0], TIMEOUT_MS, 1);
    fc_buf_init(&fixture->bytes, SIZE_MAX / 2);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    fc_packet_reader_release(&fixture->reader);
    fc_buf_release(&fixture->bytes);
    (void)close(fixture->sockets[0]);
    if (fixture->sockets[1] >= 0) {
        (void)close(fixture->sockets[1]);
    }
    free(fixture);
    return 0;
}

static void put_header(struct fixture *fixture, uint32_t size, uint8_t sequence)
{
    fc_buf_append_le32(&fixture->bytes, size | (uint32_t)sequence << 24);
}

static void put_packet(struct fixture *fixture, uint32_t size, uint8_t sequence, uint8_t fill)
{
    uint8_t *to;
    put_header(fixture, size, sequence);
    to = fc_buf_reserve(&fixture->bytes, size + 1);
    assert_non_null(to);
    memset(to, fill, size);
    fixture->bytes.len += size;
}

static void *send_all(void *ctx)
{
    const struct fixture *fixture = ctx;
    size_t chunk = fixture->chunk == 0 ? fixture->bytes.len : fixture->chunk;
    for (size_t at = 0; at < fixture->bytes.len;) {
        size_t rest = fixture->bytes.len - at;
        ssize_t sent =
            send(fixture->sockets[1], fixture->bytes.data + at, rest < chunk ? rest : chunk, 0);
        if (sent < 0) {
            break;
        }
        at += (size_t)sent;
    }
    return NULL;
}

static void send_now(struct fixture *fixture)
{
    (void)send_all(fixture);
    fc_buf_clear(&fixture->bytes);
}

static void hang_up(struct fixture *fixture)
{
    (void)close(fixture->sockets[1]);
    fixture->sockets[1] = -1;
}

static void expect_packet(struct fixture *fixture, size_t size, uint8_t fill)
{
    struct fc_slice packet;
    assert_int_equal(fc_packet_reader_next(&fixture->reader, &packet), FC_PACKET_READ);
    assert_int_equal(packet.len, size);
    if (size > 0) {
        assert_int_equal(packet.data[0], fill);
        assert_memory_equal(packet.data, packet.data + 1, size - 1);
    }
}

static void expect_status(struct fixture *fixture, fc_packet_status status)
{
    struct fc_slice packet = fc_slice_text("untouched");
    assert_int_equal(fc_packet_reader_next(&fixture->reader, &packet), status);
    assert_true(fc_slice_is_null(packet));
}

static void packets_that_came_together_are_given_without_waiting(void **state)
{
    struct fixture *fixture = *state;
    assert_false(fc_packet_reader_has_next(&fixture->reader));
    put_packet(fixture, 10, 1, 'a');
    put_packet(fixture, 0, 2, 0);
    put_packet(fixture, 3, 3, 'c');
    put_header(fixture, 5, 4); /* its bytes are yet to come */
    send_now(fixture);
    expect_packet(fixture, 10, 'a');
    assert_true(fc_packet_reader_has_next(&fixture->reader));
    expect_packet(fixture, 0, 0);
    expect_packet(fixture, 3, 'c');
    assert_false(fc_packet_reader_has_next(&fixture->reader));
    fc_buf_append_text(&fixture->bytes, "eeeee");
    send_now(fixture);
    expect_packet(fixture, 5, 'e');
}

static void packets_are_put_together_from_single_bytes(void **state)
{
    struct fixture *fixture = *state;
    pthread_t sender;
    for (unsigned number = 0; number < 600; number++) { /* the sequence begins anew */
        put_packet(fixture, number % 7, (uint8_t)(number + 1), (uint8_t)number);
    }
    fixture->chunk = 1;
    assert_int_equal(pthread_create(&sender, NULL, send_all, fixture), 0);
    for (unsigned number = 0; number < 600; number++) {
        expect_packet(fixture, number % 7, (uint8_t)number);
    }
    (void)pthread_join(sender, NULL);
}

static void packets_larger_than_what_is_received_at_once_are_whole(void **state)
{
    struct fixture *fixture = *state;
    pthread_t sender;
    for (unsigned number = 0; number < 20; number++) {
        put_packet(fixture, 100000 * number, (uint8_t)(number + 1), (uint8_t)number);
    }
    assert_int_equal(pthread_create(&sender, NULL, send_all, fixture), 0);
    for (unsigned number = 0; number < 20; number++) {
        expect_packet(fixture, (size_t)100000 * number, (uint8_t)number);
    }
    (void)pthread_join(sender, NULL);
}

static void a_packet_in_parts_is_joined(void **state)
{
    struct fixture *fixture = *state;
    pthread_t sender;
    put_packet(fixture, PART, 1, 'x');
    put_packet(fixture, PART, 2, 'x');
    put_packet(fixture, 1, 3, 'x');
    put_packet(fixture, PART, 4, 'y');
    put_packet(fixture, 0, 5, 0);
    put_packet(fixture, 2, 6, 'z');
    assert_int_equal(pthread_create(&sender, NULL, send_all, fixture), 0);
    expect_packet(fixture, (size_t)2 * PART + 1, 'x');
    expect_packet(fixture, PART, 'y');
    expect_packet(fixture, 2, 'z');
    (void)pthread_join(sender, NULL);
}

static void a_server_that_sends_a_buffer_at_a_time_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    put_packet(fixture, 100, 1, 'a');
    send_now(fixture);
    expect_packet(fixture, 100, 'a');
    assert_false(fc_packet_reader_is_ahead(&fixture->reader));
    put_packet(fixture, 16 * 1024, 2, 'b');
    send_now(fixture);
    expect_packet(fixture, 16 * 1024, 'b');
    assert_true(fc_packet_reader_is_ahead(&fixture->reader));
    put_packet(fixture, 80 * 1024, 3, 'c');
    send_now(fixture);
    expect_packet(fixture, 80 * 1024, 'c');
    assert_false(fc_packet_reader_is_ahead(&fixture->reader));
}

static void a_packet_out_of_order_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    put_packet(fixture, 3, 1, 'a');
    put_packet(fixture, 3, 3, 'b');
    send_now(fixture);
    expect_packet(fixture, 3, 'a');
    expect_status(fixture, FC_PACKET_OUT_OF_ORDER);
}

static void a_connection_that_ends_within_a_packet_is_lost(void **state)
{
    struct fixture *fixture = *state;
    put_packet(fixture, 3, 1, 'a');
    put_header(fixture, 100, 2);
    send_now(fixture);
    hang_up(fixture);
    expect_packet(fixture, 3, 'a');
    expect_status(fixture, FC_PACKET_LOST);
    expect_status(fixture, FC_PACKET_LOST);
}

static void a_connection_that_is_shut_down_here_is_lost(void **state)
{
    struct fixture *fixture = *state;
    (void)shutdown(fixture->sockets[0], SHUT_RDWR);
    expect_status(fixture, FC_PACKET_LOST);
}

static void a_connection_that_is_silent_for_too_long_is_lost(void **state)
{
    struct fixture *fixture = *state;
    fixture->reader.timeout_ms = 10;
    expect_status(fixture, FC_PACKET_LOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(packets_that_came_together_are_given_without_waiting),
        T(packets_are_put_together_from_single_bytes),
        T(packets_larger_than_what_is_received_at_once_are_whole),
        T(a_packet_in_parts_is_joined),
        T(a_server_that_sends_a_buffer_at_a_time_is_noticed),
        T(a_packet_out_of_order_is_noticed),
        T(a_connection_that_ends_within_a_packet_is_lost),
        T(a_connection_that_is_shut_down_here_is_lost),
        T(a_connection_that_is_silent_for_too_long_is_lost),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
