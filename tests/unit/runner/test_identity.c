/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "runner/identity.h"

static struct fc_identity sample(void)
{
    struct fc_identity identity;
    memset(&identity, 0, sizeof(identity));
    identity.connector = fc_slice_text("shop");
    identity.seq = 1042;
    identity.tx_id = fc_slice_text("0-1-17");
    identity.row = 3;
    identity.tx_last = true;
    identity.op = 'u';
    identity.has_schema = true;
    identity.schema_id = 0x9f3a77c2d1e0b455;
    return identity;
}

static void assert_encoded(const struct fc_identity *identity, const char *expected)
{
    struct fc_buf out;
    fc_buf_init(&out, 1024);
    fc_identity_encode(identity, &out);
    assert_true(fc_slice_equal_text(fc_buf_slice(&out), expected));
    fc_buf_release(&out);
}

static void the_documented_example_is_what_is_written(void **state)
{
    struct fc_identity identity = sample();
    (void)state;
    assert_encoded(&identity, "shop 1042 0-1-17 3! u 9f3a77c2d1e0b455");
    identity.part = 2;
    assert_encoded(&identity, "shop 1042 0-1-17 3.2! u 9f3a77c2d1e0b455");
    identity.tx_last = false;
    identity.has_schema = false;
    identity.op = 's';
    assert_encoded(&identity, "shop 1042 0-1-17 3.2 s -");
    identity.has_schema = true;
    identity.schema_id = 0xb;
    identity.part = 0;
    assert_encoded(&identity, "shop 1042 0-1-17 3 s 000000000000000b");
}

static void every_field_comes_back_as_it_was_written(void **state)
{
    static const char ops[] = "rcudtsxeEm";
    static const uint64_t numbers[] = { 0, 1, 9, 10, 4294967295U, UINT64_MAX - 1, UINT64_MAX };
    struct fc_buf out;
    (void)state;
    fc_buf_init(&out, 1024);
    for (size_t index = 0; index < 1000; index++) {
        struct fc_identity identity = sample();
        struct fc_identity back;
        struct fc_error err;
        identity.seq = numbers[1 + index % 6];
        identity.row = numbers[index % 7];
        identity.part = index % 3 == 0 ? 0 : (uint32_t)numbers[1 + index % 4];
        identity.op = ops[index % (sizeof(ops) - 1)];
        identity.tx_last = index % 2 == 0;
        identity.has_schema = index % 5 != 0;
        identity.schema_id = identity.has_schema ? numbers[index % 7] * 0x9e3779b97f4a7c15U : 0;
        identity.tx_id = fc_slice_text(index % 4 == 0 ? "-" : "3f1c-uuid:99");
        fc_buf_clear(&out);
        fc_identity_encode(&identity, &out);
        assert_int_equal(fc_identity_decode(fc_buf_slice(&out), &back, &err), FC_OK);
        assert_true(fc_slice_equal(back.connector, identity.connector));
        assert_true(fc_slice_equal(back.tx_id, identity.tx_id));
        assert_true(back.seq == identity.seq && back.row == identity.row);
        assert_int_equal(back.part, identity.part);
        assert_int_equal(back.op, identity.op);
        assert_int_equal(back.tx_last, identity.tx_last);
        assert_int_equal(back.has_schema, identity.has_schema);
        assert_true(back.schema_id == identity.schema_id);
    }
    fc_buf_release(&out);
}

static void text_that_is_not_an_identity_is_refused_and_named(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "shop",
        "shop 1042 0-1-17 3! u",
        "shop 1042 0-1-17 3! u ",
        "shop 1042 0-1-17 3! u 9f3a77c2d1e0b45",
        "shop 1042 0-1-17 3! u 9f3a77c2d1e0b4555",
        "shop 1042 0-1-17 3! u 9F3a77c2d1e0b455",
        "shop 1042 0-1-17 3! u --",
        "shop 1042 0-1-17 3! u - ",
        "shop 1042 0-1-17 3! q -",
        "shop 1042 0-1-17 3!u -",
        "shop 1042 0-1-17 3!! u -",
        "shop 1042 0-1-17 3. u -",
        "shop 1042 0-1-17 3.0 u -",
        "shop 1042 0-1-17 3.4294967296 u -",
        "shop 1042 0-1-17 03 u -",
        "shop 0 0-1-17 3 u -",
        "shop -1 0-1-17 3 u -",
        "shop 18446744073709551616 0-1-17 3 u -",
        "shop 1042  3 u -",
        " 1042 0-1-17 3 u -",
        "shop 1042 0-1-17 3  -",
    };
    (void)state;
    for (size_t index = 0; index < sizeof(bad) / sizeof(bad[0]); index++) {
        struct fc_identity identity = sample();
        struct fc_error err;
        assert_int_equal(fc_identity_decode(fc_slice_text(bad[index]), &identity, &err),
                         FC_ERR_CORRUPT);
        assert_non_null(strstr(err.message, "not a record's identity"));
        assert_true(identity.seq == 1042); /* untouched */
    }
}

static void every_cut_of_an_identity_is_refused(void **state)
{
    static const char whole[] = "shop 1042 0-1-17 3.2! u 9f3a77c2d1e0b455";
    struct fc_identity identity;
    struct fc_error err;
    (void)state;
    for (size_t length = 0; length < sizeof(whole) - 1; length++) {
        char *copy = malloc(length + 1); /* so that a sanitizer sees a read past the end */
        assert_non_null(copy);
        memcpy(copy, whole, length);
        copy = realloc(copy, length == 0 ? 1 : length);
        assert_int_equal(fc_identity_decode(fc_slice_of(copy, length), &identity, &err),
                         FC_ERR_CORRUPT);
        free(copy);
    }
    assert_int_equal(fc_identity_decode(fc_slice_null(), &identity, &err), FC_ERR_CORRUPT);
}

static void the_identity_is_found_among_other_headers(void **state)
{
    struct fc_header headers[2];
    struct fc_record record;
    struct fc_identity identity;
    struct fc_error err;
    (void)state;
    memset(&record, 0, sizeof(record));
    headers[0].key = fc_slice_text("trace");
    headers[0].value = fc_slice_null();
    headers[1].key = fc_slice_text(FC_IDENTITY_HEADER);
    headers[1].value = fc_slice_text("shop 7 - 0 e 00000000000000ff");
    record.headers = headers;
    record.header_count = 2;
    assert_int_equal(fc_identity_of(&record, &identity, &err), FC_OK);
    assert_int_equal(identity.op, 'e');
    assert_true(identity.schema_id == 0xff);
    record.header_count = 1;
    assert_int_equal(fc_identity_of(&record, &identity, &err), FC_ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_documented_example_is_what_is_written),
        cmocka_unit_test(every_field_comes_back_as_it_was_written),
        cmocka_unit_test(text_that_is_not_an_identity_is_refused_and_named),
        cmocka_unit_test(every_cut_of_an_identity_is_refused),
        cmocka_unit_test(the_identity_is_found_among_other_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
