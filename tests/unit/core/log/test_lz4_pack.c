/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/log/batch_builder.h"
#include "core/log/batch_decoder.h"

enum {
    LIMIT = 64 * 1024 * 1024,
    MARKS_MAX = 16,
    FRAME_HEADER = 15,
    BLOCK_MAX = 256 * 1024,
    PACK_TRY_TURNS = 64
};

struct fixture {
    struct fc_batch_builder builder;
    struct fc_batch_decoder decoder;
    struct fc_codec *codec;
    struct fc_buf value;
    struct fc_buf plain;
    struct fc_mark marks[MARKS_MAX];
    struct fc_marks row_marks;
    uint64_t seed;
    struct fc_error err;
};

static int set_up(void **state)
{
    struct fixture *fixture = fc_new(struct fixture);
    fc_batch_builder_init(&fixture->builder, FC_COMPRESSION_LZ4, LIMIT);
    fc_batch_decoder_init(&fixture->decoder, LIMIT);
    fixture->codec = fc_codec_new();
    fc_buf_init(&fixture->value, LIMIT);
    fc_buf_init(&fixture->plain, LIMIT);
    fixture->row_marks.marks = fixture->marks;
    fixture->seed = 7;
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    fc_batch_builder_release(&fixture->builder);
    fc_batch_decoder_release(&fixture->decoder);
    fc_codec_free(fixture->codec);
    fc_buf_release(&fixture->value);
    fc_buf_release(&fixture->plain);
    free(fixture);
    return 0;
}

static uint32_t draw(struct fixture *fixture, uint32_t below)
{
    fixture->seed = fixture->seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(fixture->seed >> 33) % below;
}

static void mark(struct fixture *fixture, uint32_t like)
{
    struct fc_mark *to = &fixture->marks[fixture->row_marks.count++];
    to->at = (uint32_t)fixture->value.len;
    to->like = like;
}

static void put_noise(struct fixture *fixture, uint32_t size)
{
    for (uint32_t index = 0; index < size; index++) {
        fc_buf_append_u8(&fixture->value, (uint8_t)('!' + draw(fixture, 90)));
    }
}

/* A row as the envelope writes it: names, values, a block that all rows share. */
static void make_row(struct fixture *fixture, uint32_t number)
{
    static const char *const names[] = { "{\"id\":", ",\"customer\":", ",\"note\":\"" };
    fc_buf_clear(&fixture->value);
    fixture->row_marks.count = 0;
    fixture->row_marks.kind = 42;
    for (uint32_t image = 0; image < 2; image++) {
        for (uint32_t name = 0; name < 3; name++) {
            mark(fixture, image == 0 ? FC_MARK_NONE : fixture->marks[name].at);
            fc_buf_append_text(&fixture->value, names[name]);
            fc_buf_append_u64(&fixture->value, number * (name + 1) + image);
        }
        put_noise(fixture, draw(fixture, 40));
    }
    mark(fixture, FC_MARK_NONE);
    fc_buf_append_text(&fixture->value,
                       "\"},\"source\":{\"version\":\"1\",\"file\":\"binlog.1\"}");
}

static void add(struct fixture *fixture, bool with_marks)
{
    static const struct fc_header header = {
        { (const uint8_t *)"fc", 2 },
        { (const uint8_t *)"shop 1 0-1-7 8 c 0123456789abcdef", 33 }
    };
    struct fc_record record = { 0 };
    record.key = fc_slice_text("key");
    record.value = fc_buf_slice(&fixture->value);
    record.headers = &header;
    record.header_count = 1;
    record.marks = with_marks ? &fixture->row_marks : NULL;
    assert_int_equal(fc_batch_builder_add(&fixture->builder, &record, &fixture->err), FC_OK);
}

static void next_batch(struct fixture *fixture)
{
    fc_batch_builder_reset(&fixture->builder, FC_COMPRESSION_LZ4, LIMIT);
}

static size_t library_size(struct fixture *fixture)
{
    fc_buf_clear(&fixture->plain);
    assert_int_equal(fc_codec_compress(fixture->codec, FC_COMPRESSION_LZ4,
                                       fc_buf_slice(&fixture->builder.plain), &fixture->plain,
                                       &fixture->err),
                     FC_OK);
    return fixture->plain.len;
}

/* Seal, and have the library read it back. */
static struct fc_slice seal_and_compare(struct fixture *fixture)
{
    const struct fc_batch_builder *builder = &fixture->builder;
    assert_int_equal(fc_batch_builder_seal(&fixture->builder, &fixture->err), FC_OK);
    if (builder->body.data != builder->packed.data) {
        return builder->body; /* kept plain */
    }
    fc_buf_clear(&fixture->plain);
    assert_int_equal(fc_codec_decompress(fixture->codec, FC_COMPRESSION_LZ4, builder->body,
                                         &fixture->plain, &fixture->err),
                     FC_OK);
    assert_int_equal(fixture->plain.len, builder->plain.len);
    assert_memory_equal(fixture->plain.data, builder->plain.data, builder->plain.len);
    return builder->body;
}

static uint32_t le32(const uint8_t *from)
{
    uint32_t value;
    memcpy(&value, from, sizeof(value));
    return value;
}

static size_t read_length(const uint8_t **at, size_t nibble)
{
    size_t length = nibble;
    uint8_t byte = 255;
    while (nibble == 15 && byte == 255) {
        byte = *(*at)++;
        length += byte;
    }
    return length;
}

/* By the rules at a block's end: the last 5 bytes are literals, no match begins in the last 12. */
static size_t check_block(const uint8_t *at, size_t size)
{
    const uint8_t *end = at + size;
    size_t plain = 0;
    size_t last_match = 0;
    for (;;) {
        uint8_t token = *at++;
        size_t literals = read_length(&at, token >> 4);
        size_t distance;
        at += literals;
        plain += literals;
        if (at == end) {
            assert_true(last_match == 0 || (literals >= 5 && plain - last_match >= 12));
            assert_true(plain <= BLOCK_MAX);
            return plain;
        }
        assert_true(at < end);
        distance = (size_t)(at[0] | at[1] << 8);
        assert_true(distance > 0 && distance <= plain);
        at += 2;
        last_match = plain;
        plain += read_length(&at, token & 15) + 4;
    }
}

static size_t check_frame(struct fc_slice frame)
{
    const uint8_t *at = frame.data + FRAME_HEADER;
    size_t plain = 0;
    for (uint32_t size = le32(at); size != 0; size = le32(at)) {
        at += 4;
        if ((size & 0x80000000U) != 0) {
            size &= 0x7fffffff;
            plain += size;
        } else {
            plain += check_block(at, size);
        }
        at += size;
    }
    assert_ptr_equal(at + 4, frame.data + frame.len);
    return plain;
}

static void rows_are_packed_about_as_small_as_the_library_makes_them(void **state)
{
    struct fixture *fixture = *state;
    for (uint32_t turn = 0; turn < 3; turn++) {
        struct fc_slice body;
        next_batch(fixture);
        for (uint32_t row = 0; row < 5000; row++) {
            make_row(fixture, row);
            add(fixture, true);
        }
        body = seal_and_compare(fixture);
        assert_true(fixture->builder.packing_small);
        assert_int_equal(check_frame(body), fixture->builder.plain.len);
        assert_true(body.len < library_size(fixture) / 8 * 9);
    }
}

static void any_marks_give_back_what_went_in(void **state)
{
    struct fixture *fixture = *state;
    for (uint32_t turn = 0; turn < 300; turn++) {
        uint32_t alphabet = 1 + draw(fixture, 4);
        fixture->builder.packing_small = true;
        next_batch(fixture);
        while (fixture->builder.plain.len < 20000) {
            uint32_t size = draw(fixture, turn % 3 == 0 ? 30 : 2000);
            fc_buf_clear(&fixture->value);
            fixture->row_marks.count = 0;
            fixture->row_marks.kind = draw(fixture, 3) * 8;
            for (uint32_t index = 0; index < size; index++) {
                fc_buf_append_u8(&fixture->value, (uint8_t)('a' + draw(fixture, alphabet)));
            }
            for (uint32_t index = draw(fixture, MARKS_MAX); index > 0; index--) {
                struct fc_mark *to = &fixture->marks[fixture->row_marks.count++];
                to->at = draw(fixture, size + 40); /* also behind the end, and in no order */
                to->like = draw(fixture, 2) == 0 ? FC_MARK_NONE : draw(fixture, size + 40);
            }
            add(fixture, true);
        }
        (void)seal_and_compare(fixture);
        if (fixture->builder.body.data == fixture->builder.packed.data) {
            (void)check_frame(fixture->builder.body);
        }
    }
}

static void rows_are_parted_into_blocks_that_any_client_reads(void **state)
{
    struct fixture *fixture = *state;
    next_batch(fixture);
    while (fixture->builder.plain.len < 5 * BLOCK_MAX) {
        make_row(fixture, fixture->builder.count);
        put_noise(fixture, draw(fixture, 60000));
        add(fixture, true);
    }
    assert_int_equal(check_frame(seal_and_compare(fixture)), fixture->builder.plain.len);
}

static void a_row_larger_than_a_block_is_left_to_the_library(void **state)
{
    struct fixture *fixture = *state;
    fixture->builder.packing_small = true;
    next_batch(fixture);
    for (uint32_t row = 0; row < 100; row++) {
        make_row(fixture, row);
        while (row == 50 && fixture->value.len < 2 * BLOCK_MAX) {
            fc_buf_append_text(&fixture->value, "all work and no play ");
        }
        add(fixture, true);
    }
    assert_int_equal(seal_and_compare(fixture).len, library_size(fixture));
}

static void records_without_marks_are_left_to_the_library(void **state)
{
    struct fixture *fixture = *state;
    fixture->builder.packing_small = true;
    next_batch(fixture);
    for (uint32_t row = 0; row < 500; row++) {
        make_row(fixture, row);
        add(fixture, row != 250);
    }
    assert_int_equal(seal_and_compare(fixture).len, library_size(fixture));
}

/* Text that repeats itself where no mark says so. */
static void what_the_library_makes_smaller_is_left_to_it_and_tried_again(void **state)
{
    static const char *const words[] = { "the quick brown fox ", "jumps over ",
                                         "the lazy dog " };
    struct fixture *fixture = *state;
    for (uint32_t turn = 0; turn <= PACK_TRY_TURNS; turn++) {
        next_batch(fixture);
        assert_int_equal(fixture->builder.packing, turn % PACK_TRY_TURNS == 0);
        for (uint32_t row = 0; row < 100; row++) {
            make_row(fixture, row);
            for (uint32_t word = 0; word < 40; word++) {
                fc_buf_append_text(&fixture->value, words[draw(fixture, 3)]);
            }
            add(fixture, true);
        }
        assert_int_equal(seal_and_compare(fixture).len, library_size(fixture));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(rows_are_packed_about_as_small_as_the_library_makes_them),
        T(any_marks_give_back_what_went_in),
        T(rows_are_parted_into_blocks_that_any_client_reads),
        T(a_row_larger_than_a_block_is_left_to_the_library),
        T(records_without_marks_are_left_to_the_library),
        T(what_the_library_makes_smaller_is_left_to_it_and_tried_again),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
