/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/wire/api.h"
#include "core/wire/messages.h"

static void apis_are_found_by_key(void **state)
{
    size_t count;
    const struct fc_wire_api *apis = fc_wire_apis(&count);
    (void)state;
    assert_int_equal(count, 52);
    for (size_t index = 0; index < count; index++) {
        assert_ptr_equal(fc_wire_api(apis[index].key), &apis[index]);
        assert_true(index == 0 || apis[index - 1].key < apis[index].key);
        assert_true(apis[index].min <= apis[index].max);
        assert_int_equal(apis[index].request->version_max, apis[index].max);
        assert_int_equal(apis[index].response->version_max, apis[index].max);
    }
    assert_null(fc_wire_api(-1));
    assert_null(fc_wire_api(4));
    assert_null(fc_wire_api(INT16_MAX));
    assert_string_equal(fc_wire_api(FC_API_METADATA)->name, "Metadata");
    assert_string_equal(fc_wire_api(FC_API_OFFSET_FOR_LEADER_EPOCH)->name,
                        "OffsetForLeaderEpoch");
    assert_ptr_equal(fc_wire_api(FC_API_FETCH)->response, &fc_msg_fetch_response_type);
    assert_int_equal(fc_wire_api(FC_API_SASL_HANDSHAKE)->flexible_from, INT16_MAX);
}

static void produce_is_advertised_from_zero_but_read_from_three(void **state)
{
    const struct fc_wire_api *api = fc_wire_api(FC_API_PRODUCE);
    (void)state;
    assert_int_equal(api->min, 0);
    assert_false(fc_wire_api_has(api, 2));
    assert_true(fc_wire_api_has(api, 3));
    assert_true(fc_wire_api_has(api, 13));
    assert_false(fc_wire_api_has(api, 14));
}

static void expect_request_header(int16_t key, int16_t version, struct fc_slice client_id,
                                  struct fc_slice bytes)
{
    struct fc_wire_request_header header = { key, version, 0x01020304, client_id };
    struct fc_wire_request_header read;
    struct fc_reader reader;
    struct fc_error err;
    struct fc_buf buf;
    fc_buf_init(&buf, 1000);
    fc_wire_request_header_encode(&buf, &header);
    assert_true(fc_slice_equal(fc_buf_slice(&buf), bytes));
    fc_reader_init(&reader, bytes);
    assert_int_equal(fc_wire_request_header_decode(&reader, &read, &err), FC_OK);
    assert_int_equal(fc_reader_left(&reader), 0);
    assert_int_equal(read.api_key, key);
    assert_int_equal(read.version, version);
    assert_int_equal(read.correlation_id, 0x01020304);
    assert_true(fc_slice_equal(read.client_id, client_id));
    for (size_t len = 0; len < bytes.len; len++) {
        fc_reader_init(&reader, fc_slice_of(bytes.data, len));
        assert_int_equal(fc_wire_request_header_decode(&reader, &read, &err), FC_ERR_PROTOCOL);
    }
    fc_buf_release(&buf);
}

static void request_headers_end_in_tags_when_the_version_is_flexible(void **state)
{
    (void)state;
    expect_request_header(FC_API_METADATA, 8, fc_slice_text("me"),
                          fc_slice_of("\0\3\0\10\1\2\3\4\0\2me", 12));
    expect_request_header(FC_API_METADATA, 9, fc_slice_text("me"),
                          fc_slice_of("\0\3\0\11\1\2\3\4\0\2me\0", 13));
    expect_request_header(FC_API_METADATA, 9, fc_slice_null(),
                          fc_slice_of("\0\3\0\11\1\2\3\4\377\377\0", 11));
    expect_request_header(FC_API_SASL_HANDSHAKE, 1, fc_slice_text(""),
                          fc_slice_of("\0\21\0\1\1\2\3\4\0\0", 10));
    /* Versions and keys that we do not know, so that they can be answered. */
    expect_request_header(FC_API_API_VERSIONS, 99, fc_slice_text("me"),
                          fc_slice_of("\0\22\0\143\1\2\3\4\0\2me\0", 13));
    expect_request_header(999, 99, fc_slice_text("me"),
                          fc_slice_of("\3\347\0\143\1\2\3\4\0\2me", 12));
}

static void a_bad_request_header_is_refused(void **state)
{
    static const struct fc_slice wrong[] = {
        { (const uint8_t *)"\0\3\0\11\1\2\3\4\377\376\0", 11 },    /* length -2 */
        { (const uint8_t *)"\0\3\0\11\1\2\3\4\177\377me\0", 13 },  /* past the end */
        { (const uint8_t *)"\0\3\0\11\1\2\3\4\0\0\1\0\5abc", 16 }, /* tag past the end */
        { (const uint8_t *)"\0\3\0\11\1\2\3\4\0\0\377\377\377\377\377", 15 },
    };
    struct fc_wire_request_header read;
    struct fc_reader reader;
    struct fc_error err;
    (void)state;
    for (size_t index = 0; index < sizeof(wrong) / sizeof(wrong[0]); index++) {
        fc_reader_init(&reader, wrong[index]);
        assert_int_equal(fc_wire_request_header_decode(&reader, &read, &err), FC_ERR_PROTOCOL);
    }
    fc_reader_init(&reader, fc_slice_of("\0\3\0\11\1\2\3\4\0\0\221\116", 12)); /* 10,001 tags */
    assert_int_equal(fc_wire_request_header_decode(&reader, &read, &err), FC_ERR_LIMIT);
    fc_reader_init(&reader, fc_slice_of("\0\3\0\11\1\2\3\4\0\0\1\7\2abZ", 16));
    assert_int_equal(fc_wire_request_header_decode(&reader, &read, &err), FC_OK);
    assert_int_equal(fc_reader_left(&reader), 1);
}

static void expect_response_header(int16_t key, int16_t version, struct fc_slice bytes)
{
    struct fc_reader reader;
    struct fc_error err;
    struct fc_buf buf;
    int32_t id = 0;
    fc_buf_init(&buf, 1000);
    fc_wire_response_header_encode(&buf, key, version, -2);
    assert_true(fc_slice_equal(fc_buf_slice(&buf), bytes));
    fc_reader_init(&reader, bytes);
    assert_int_equal(fc_wire_response_header_decode(&reader, key, version, &id, &err), FC_OK);
    assert_int_equal(id, -2);
    assert_int_equal(fc_reader_left(&reader), 0);
    fc_reader_init(&reader, fc_slice_of(bytes.data, bytes.len - 1));
    assert_int_equal(fc_wire_response_header_decode(&reader, key, version, &id, &err),
                     FC_ERR_PROTOCOL);
    fc_buf_release(&buf);
}

static void response_headers_end_in_tags_except_for_api_versions(void **state)
{
    (void)state;
    expect_response_header(FC_API_METADATA, 8, fc_slice_of("\377\377\377\376", 4));
    expect_response_header(FC_API_METADATA, 9, fc_slice_of("\377\377\377\376\0", 5));
    expect_response_header(FC_API_API_VERSIONS, 2, fc_slice_of("\377\377\377\376", 4));
    expect_response_header(FC_API_API_VERSIONS, 4, fc_slice_of("\377\377\377\376", 4));
    expect_response_header(FC_API_SASL_HANDSHAKE, 1, fc_slice_of("\377\377\377\376", 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(apis_are_found_by_key),
        cmocka_unit_test(produce_is_advertised_from_zero_but_read_from_three),
        cmocka_unit_test(request_headers_end_in_tags_when_the_version_is_flexible),
        cmocka_unit_test(a_bad_request_header_is_refused),
        cmocka_unit_test(response_headers_end_in_tags_except_for_api_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
