/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/log/batch_decoder.h"
#include "core/log/bytes.h"
#include "core/log/record_check.h"

enum { NULL_SIZE = -1 };

struct shape {
    int64_t timestamp_delta;
    int64_t offset_delta;
    int64_t key_size; /* NULL_SIZE: none */
    int64_t value_size;
    unsigned headers;
};

static void add_bytes(struct fc_buf *to, int64_t size)
{
    fc_buf_append_varint(to, size);
    for (int64_t at = 0; at < size; at++) {
        fc_buf_append_u8(to, 'x');
    }
}

static void add_record(struct fc_buf *to, const struct shape *shape)
{
    struct fc_buf record;
    fc_buf_init(&record, 1 << 20);
    fc_buf_append_u8(&record, 0);
    fc_buf_append_varint(&record, shape->timestamp_delta);
    fc_buf_append_varint(&record, shape->offset_delta);
    add_bytes(&record, shape->key_size);
    add_bytes(&record, shape->value_size);
    fc_buf_append_varint(&record, shape->headers);
    for (unsigned header = 0; header < shape->headers; header++) {
        add_bytes(&record, 3);
        add_bytes(&record, header % 2 == 0 ? NULL_SIZE : 5);
    }
    fc_buf_append_varint(to, (int64_t)record.len);
    fc_buf_append_slice(to, fc_buf_slice(&record));
    fc_buf_release(&record);
}

/* Records of all kinds: of one, two and three bytes for each length, without key or value, with
 * headers. */
static void add_mixture(struct fc_buf *to, uint32_t count)
{
    static const int64_t keys[] = { 8, NULL_SIZE, 0, 63, 64, 300 };
    static const int64_t values[] = { 20, 0, NULL_SIZE, 70, 100, 9000, 50 };
    static const int64_t deltas[] = { 0, 5, -3, 100, 70000, INT64_MAX, INT64_MIN };
    for (uint32_t index = 0; index < count; index++) {
        struct shape shape = { deltas[index / 3 % 7], index, keys[index % 6], values[index % 7],
                               index % 11 == 0 ? index % 4 : 0 };
        add_record(to, &shape);
    }
}

static void good_records_of_all_kinds_pass(void **state)
{
    static const uint32_t counts[] = { 1, 2, 63, 64, 65, 500, 8191, 8193, 20000 };
    (void)state;
    for (size_t index = 0; index < sizeof(counts) / sizeof(counts[0]); index++) {
        struct fc_buf plain;
        uint32_t bad = 0;
        fc_buf_init(&plain, 1 << 30);
        add_mixture(&plain, counts[index]);
        assert_int_equal(fc_record_check(fc_buf_slice(&plain), counts[index], NULL, &bad),
                         FC_RECORD_FINE);
        assert_int_equal(fc_record_check(fc_buf_slice(&plain), counts[index] + 1, NULL, &bad),
                         FC_RECORD_MALFORMED);
        assert_int_equal(bad, counts[index]);
        if (counts[index] > 1) {
            assert_int_equal(
                fc_record_check(fc_buf_slice(&plain), counts[index] - 1, NULL, &bad),
                FC_RECORD_TOO_MANY);
        }
        fc_buf_release(&plain);
    }
}

static void a_record_that_is_not_there_is_missed(void **state)
{
    static const uint8_t cut[] = { 0x80 };
    uint32_t bad = 1;
    (void)state;
    assert_int_equal(fc_record_check(fc_slice_of(NULL, 0), 1, NULL, &bad), FC_RECORD_MALFORMED);
    assert_int_equal(bad, 0);
    assert_int_equal(fc_record_check(fc_slice_of(cut, 1), 1, NULL, &bad), FC_RECORD_MALFORMED);
}

/* Offset deltas of four bytes begin at 2 to the 20. */
static void a_wrong_offset_is_found_wherever_it_stands(void **state)
{
    enum { COUNT = 1100000 };
    static const uint32_t places[] = { 0, 1, 63, 64, 100, 8191, 8192, 9000, 1048576, 1099999 };
    uint32_t bad = 0;
    (void)state;
    for (size_t place = 0; place <= sizeof(places) / sizeof(places[0]); place++) {
        const bool all_good = place == sizeof(places) / sizeof(places[0]);
        struct fc_buf good;
        fc_buf_init(&good, 1 << 30);
        for (uint32_t index = 0; index < COUNT; index++) {
            struct shape shape = { 0, index, NULL_SIZE, 0, 0 };
            shape.offset_delta += !all_good && index == places[place];
            add_record(&good, &shape);
        }
        if (all_good) {
            assert_int_equal(fc_record_check(fc_buf_slice(&good), COUNT, NULL, &bad),
                             FC_RECORD_FINE);
        } else {
            assert_int_equal(fc_record_check(fc_buf_slice(&good), COUNT, NULL, &bad),
                             FC_RECORD_MISNUMBERED);
            assert_int_equal(bad, places[place]);
        }
        fc_buf_release(&good);
    }
}

static bool decodes(struct fc_batch_decoder *decoder, struct fc_slice plain, uint32_t count)
{
    struct fc_batch_header header = { .magic = 2, .count = (int32_t)count };
    const struct fc_record *records = NULL;
    uint32_t got = 0;
    struct fc_buf batch;
    fc_code code;
    header.length = (uint32_t)(plain.len + FC_BATCH_HEADER_SIZE - FC_BATCH_LENGTH_END);
    header.last_offset_delta = (int32_t)count - 1;
    fc_buf_init(&batch, 1 << 30);
    fc_batch_header_encode(&header, fc_buf_reserve(&batch, FC_BATCH_HEADER_SIZE));
    batch.len = FC_BATCH_HEADER_SIZE;
    fc_bytes_put32(batch.data + 17, fc_batch_crc(batch.data, plain));
    fc_buf_append_slice(&batch, plain);
    code = fc_batch_decode(decoder, fc_buf_slice(&batch), &records, &got, NULL);
    fc_buf_release(&batch);
    return code == FC_OK;
}

/* What passes can be read, and what can be read passes, whichever bytes are changed. The copy has
 * the exact size, so that a sanitizer sees a step too far. */
static void it_says_what_the_decoder_says(void **state)
{
    enum { COUNT = 100, ROUNDS = 20000 };
    struct fc_batch_decoder decoder;
    struct fc_buf plain;
    uint32_t random = 2463534242u;
    unsigned fine = 0;
    (void)state;
    fc_batch_decoder_init(&decoder, 1 << 20);
    fc_buf_init(&plain, 1 << 20);
    for (uint32_t index = 0; index < COUNT; index++) {
        struct shape shape = { index % 90, index, index % 3 == 0 ? NULL_SIZE : 2,
                               index % 5 == 0 ? 70 : index % 4, index % 7 == 0 ? 2 : 0 };
        add_record(&plain, &shape);
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t len = plain.len;
        uint8_t *copy;
        uint32_t bad = 0;
        bool passes;
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        len -= random % 50 == 0 ? 1 + random / 50 % 20 : 0;
        copy = fc_new_array(uint8_t, len);
        memcpy(copy, plain.data, len);
        copy[random / 64 % len] ^= (uint8_t)(1u << (random & 7));
        passes = fc_record_check(fc_slice_of(copy, len), COUNT, NULL, &bad) == FC_RECORD_FINE;
        assert_int_equal(passes, decodes(&decoder, fc_slice_of(copy, len), COUNT));
        fine += passes;
        free(copy);
    }
    assert_in_range(fine, ROUNDS / 10, ROUNDS * 9 / 10);
    fc_buf_release(&plain);
    fc_batch_decoder_release(&decoder);
}

static void rules_are_kept_record_by_record(void **state)
{
    const struct fc_record_rules rules = {
        .keyed = true, .base_timestamp_ms = 1000, .oldest_ms = 990, .newest_ms = 1010
    };
    static const struct {
        struct shape shape;
        fc_record_fault fault;
    } cases[] = {
        { { -10, 1, 1, 1, 0 }, FC_RECORD_FINE },
        { { 10, 1, 0, 1, 0 }, FC_RECORD_FINE },
        { { -1001, 1, 1, 1, 0 }, FC_RECORD_FINE }, /* none */
        { { -11, 1, 1, 1, 0 }, FC_RECORD_UNTIMELY },
        { { 11, 1, 1, 1, 0 }, FC_RECORD_UNTIMELY },
        { { INT64_MAX, 1, 1, 1, 0 }, FC_RECORD_UNTIMELY },
        { { 0, 1, NULL_SIZE, 1, 0 }, FC_RECORD_WITHOUT_KEY },
        { { 0, 2, 1, 1, 0 }, FC_RECORD_MISNUMBERED },
    };
    const struct shape first = { 0, 0, 1, 1, 0 };
    (void)state;
    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        struct fc_buf plain;
        uint32_t bad = 1;
        fc_buf_init(&plain, 1 << 20);
        add_record(&plain, &first);
        add_record(&plain, &cases[index].shape);
        assert_int_equal(fc_record_check(fc_buf_slice(&plain), 2, &rules, &bad),
                         cases[index].fault);
        assert_int_equal(bad, 1);
        fc_buf_release(&plain);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_records_of_all_kinds_pass),
        cmocka_unit_test(a_record_that_is_not_there_is_missed),
        cmocka_unit_test(a_wrong_offset_is_found_wherever_it_stands),
        cmocka_unit_test(it_says_what_the_decoder_says),
        cmocka_unit_test(rules_are_kept_record_by_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
