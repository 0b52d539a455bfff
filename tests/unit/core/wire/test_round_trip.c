/* SPDX-License-Identifier: Apache-2.0 */
/* Every message in every version, with random values. Set FC_SEED to repeat a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "core/wire/api_table.h"
#include "core/wire/messages.h"
#include "tests/support/wire_sample.h"

enum { ROUNDS = 30, CUT_ROUNDS = 3, MEMORY_MAX = 16 << 20 };

struct fixture {
    struct fc_arena made;
    struct fc_arena decoded;
    struct fc_buf buf;
    struct fc_wire_sample sample;
    void *msg;
    void *again;
};

typedef void (*check_fn)(struct fixture *fixture, const struct fc_wire_type *type);

static uint64_t get_seed(void)
{
    const char *text = getenv("FC_SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 10) : (uint64_t)time(NULL);
    print_message("FC_SEED=%llu\n", (unsigned long long)seed);
    return seed | 1;
}

/* Run the check on random messages of each type and version. */
static void for_all(check_fn check, int rounds)
{
    struct fixture fixture = { .sample.state = get_seed() };
    fc_arena_init(&fixture.made, MEMORY_MAX);
    fc_arena_init(&fixture.decoded, MEMORY_MAX);
    fc_buf_init(&fixture.buf, MEMORY_MAX);
    fixture.sample.arena = &fixture.made;
    for (const struct fc_wire_type *const *at = fc_wire_message_table; *at != NULL; at++) {
        const struct fc_wire_type *type = *at;
        fixture.msg = malloc(type->size);
        fixture.again = malloc(type->size);
        assert_true(fixture.msg != NULL && fixture.again != NULL);
        for (int16_t version = type->version_min; version <= type->version_max; version++) {
            fixture.sample.version = version;
            for (int round = 0; round < rounds; round++) {
                fc_arena_clear(&fixture.made);
                fc_arena_clear(&fixture.decoded);
                fc_buf_clear(&fixture.buf);
                fc_wire_sample_fill(&fixture.sample, type, fixture.msg);
                check(&fixture, type);
            }
        }
        free(fixture.msg);
        free(fixture.again);
    }
    fc_buf_release(&fixture.buf);
    fc_arena_release(&fixture.decoded);
    fc_arena_release(&fixture.made);
}

static void encode(struct fixture *fixture, const struct fc_wire_type *type)
{
    struct fc_error err;
    if (fc_wire_encode(type, fixture->sample.version, fixture->msg, &fixture->buf, &err) !=
        FC_OK) {
        fail_msg("%s", err.message);
    }
    if (fc_wire_size(type, fixture->sample.version, fixture->msg) != fixture->buf.len) {
        fail_msg("%s version %d: size differs", type->name, fixture->sample.version);
    }
}

static void check_same(struct fixture *fixture, const struct fc_wire_type *type)
{
    struct fc_error err;
    encode(fixture, type);
    if (fc_wire_decode(type, fixture->sample.version, fc_buf_slice(&fixture->buf),
                       &fixture->decoded, fixture->again, &err) != FC_OK) {
        fail_msg("%s", err.message);
    }
    if (!fc_wire_sample_equal(type, fixture->msg, fixture->again)) {
        fail_msg("%s version %d: not the same", type->name, fixture->sample.version);
    }
}

static void what_is_encoded_decodes_to_the_same(void **state)
{
    (void)state;
    for_all(check_same, ROUNDS);
}

static void check_absent(struct fixture *fixture, const struct fc_wire_type *type)
{
    struct fc_error err;
    size_t size;
    encode(fixture, type);
    size = fixture->buf.len;
    fc_wire_sample_fill_absent(&fixture->sample, type, fixture->msg);
    assert_int_equal(
        fc_wire_encode(type, fixture->sample.version, fixture->msg, &fixture->buf, &err),
        FC_OK);
    assert_int_equal(fixture->buf.len, 2 * size);
    if (size > 0) {
        assert_memory_equal(fixture->buf.data, fixture->buf.data + size, size);
    }
}

static void a_field_that_the_version_lacks_is_ignored(void **state)
{
    (void)state;
    for_all(check_absent, ROUNDS);
}

/* Each piece is copied to memory of its own size, so that a sanitizer sees a read past it. */
static void check_cut(struct fixture *fixture, const struct fc_wire_type *type)
{
    struct fc_error err;
    encode(fixture, type);
    for (size_t len = 0; len <= fixture->buf.len + 1; len++) {
        uint8_t *piece = malloc(len == 0 ? 1 : len);
        fc_code code;
        assert_non_null(piece);
        if (len > fixture->buf.len) {
            piece[len - 1] = 0;
        }
        if (fixture->buf.len > 0) {
            memcpy(piece, fixture->buf.data, len > fixture->buf.len ? len - 1 : len);
        }
        fc_arena_clear(&fixture->decoded);
        code = fc_wire_decode(type, fixture->sample.version, fc_slice_of(piece, len),
                              &fixture->decoded, fixture->again, &err);
        if (code != (len == fixture->buf.len ? FC_OK : FC_ERR_PROTOCOL)) {
            fail_msg("%s version %d: %zu of %zu bytes give %d", type->name,
                     fixture->sample.version, len, fixture->buf.len, (int)code);
        }
        free(piece);
    }
}

static void cut_at_any_byte_it_fails_and_reads_no_further(void **state)
{
    (void)state;
    for_all(check_cut, CUT_ROUNDS);
}

static void check_versions(struct fixture *fixture, const struct fc_wire_type *type)
{
    static const int16_t wrong[] = { -1, INT16_MAX };
    struct fc_error err;
    int16_t versions[] = { wrong[0], wrong[1], (int16_t)(type->version_min - 1),
                           (int16_t)(type->version_max + 1) };
    for (size_t index = 0; index < sizeof(versions) / sizeof(versions[0]); index++) {
        assert_int_equal(
            fc_wire_encode(type, versions[index], fixture->msg, &fixture->buf, &err),
            FC_ERR_PROTOCOL);
        assert_int_equal(fc_wire_decode(type, versions[index], fc_slice_text("0000"),
                                        &fixture->decoded, fixture->again, &err),
                         FC_ERR_PROTOCOL);
        assert_int_equal(fc_wire_size(type, versions[index], fixture->msg), 0);
    }
}

static void versions_that_a_message_does_not_have_are_refused(void **state)
{
    (void)state;
    for_all(check_versions, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_encoded_decodes_to_the_same),
        cmocka_unit_test(a_field_that_the_version_lacks_is_ignored),
        cmocka_unit_test(cut_at_any_byte_it_fails_and_reads_no_further),
        cmocka_unit_test(versions_that_a_message_does_not_have_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
