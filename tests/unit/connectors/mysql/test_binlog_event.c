/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/mysql/binlog_body.h"
#include "connectors/mysql/binlog_payload.h"
#include "tests/unit/connectors/mysql/binlog_reading.h"

enum { BUF_MAX = 1024 * 1024 };

struct bench {
    struct fc_buf body;
    struct fc_buf bytes;
    struct fc_arena arena;
    struct fc_mysql_memory memory;
    struct fc_binlog_format format;
    struct fc_binlog_event event;
    struct fc_error err;
};

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    fc_buf_init(&bench->body, BUF_MAX);
    fc_buf_init(&bench->bytes, BUF_MAX);
    fc_arena_init(&bench->arena, BUF_MAX);
    bench->memory = test_memory(&bench->arena);
    fc_binlog_format_init(&bench->format);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    fc_buf_release(&bench->body);
    fc_buf_release(&bench->bytes);
    fc_arena_release(&bench->arena);
    free(bench);
    return 0;
}

/* Parse an event of this body. */
static fc_code parse(struct bench *bench, uint8_t type, uint16_t flags, struct fc_slice body,
                     bool checksum)
{
    struct fc_slice bytes;
    fc_buf_clear(&bench->bytes);
    bytes = test_event(&bench->bytes, type, flags, body, checksum);
    return fc_binlog_event_parse(&bench->format, bytes, true, &bench->event, &bench->err);
}

static void learn_format(struct bench *bench, const char *version, uint8_t algorithm)
{
    fc_buf_clear(&bench->body);
    test_format_body(&bench->body, version, algorithm);
    assert_int_equal(
        parse(bench, FC_BINLOG_FORMAT_DESCRIPTION, 0, fc_buf_slice(&bench->body), true), FC_OK);
}

static void a_format_description_tells_server_and_checksums(void **state)
{
    struct bench *bench = *state;
    learn_format(bench, "10.11.6-MariaDB-log", 1);
    assert_true(bench->format.known && bench->format.mariadb && bench->format.checksums);
    assert_string_equal(bench->format.server_version, "10.11.6-MariaDB-log");
    assert_int_equal(fc_binlog_format_post_header(&bench->format, FC_BINLOG_WRITE_ROWS, 1), 10);
    assert_int_equal(fc_binlog_format_post_header(&bench->format, 200, 77), 77);
    learn_format(bench, "9.7.0", 0);
    assert_false(bench->format.mariadb);
    assert_false(bench->format.checksums);
}

static void a_format_description_in_use_has_the_checksum_of_one_that_is_not(void **state)
{
    struct bench *bench = *state;
    struct fc_slice bytes;
    test_format_body(&bench->body, "9.7.0", 1);
    bytes = test_event(&bench->bytes, FC_BINLOG_FORMAT_DESCRIPTION, 0,
                       fc_buf_slice(&bench->body), true);
    bench->bytes.data[17] |= FC_BINLOG_FLAG_IN_USE;
    assert_int_equal(
        fc_binlog_event_parse(&bench->format, bytes, true, &bench->event, &bench->err), FC_OK);
}

static void a_format_description_without_checksums_has_four_unset_bytes(void **state)
{
    struct bench *bench = *state;
    struct fc_slice bytes;
    test_format_body(&bench->body, "9.7.0", 0);
    bytes = test_event(&bench->bytes, FC_BINLOG_FORMAT_DESCRIPTION, 0,
                       fc_buf_slice(&bench->body), true);
    memset(bench->bytes.data + bytes.len - 4, 0, 4);
    assert_int_equal(
        fc_binlog_event_parse(&bench->format, bytes, true, &bench->event, &bench->err), FC_OK);
    assert_false(bench->format.checksums);
}

static void a_wrong_checksum_is_refused_and_named(void **state)
{
    struct bench *bench = *state;
    struct fc_slice bytes;
    learn_format(bench, "9.7.0", 1);
    fc_buf_clear(&bench->bytes);
    bytes = test_event(&bench->bytes, FC_BINLOG_XID, 0, fc_slice_of("12345678", 8), true);
    bench->bytes.data[20] ^= 1;
    assert_int_equal(
        fc_binlog_event_parse(&bench->format, bytes, true, &bench->event, &bench->err),
        FC_ERR_PROTOCOL);
    assert_non_null(
        strstr(bench->err.message, "XID event (type 16) that ends at position 4711"));
    assert_non_null(strstr(bench->err.message, "wrong checksum"));
    /* Not looked at when not asked for, but still cut off. */
    assert_int_equal(
        fc_binlog_event_parse(&bench->format, bytes, false, &bench->event, &bench->err), FC_OK);
    assert_int_equal(bench->event.body.len, 8);
}

static void an_artificial_rotate_may_come_with_or_without_checksum(void **state)
{
    struct bench *bench = *state;
    struct fc_slice body = fc_slice_of("\4\0\0\0\0\0\0\0binlog.000007", 21);
    struct fc_binlog_rotate rotate;
    for (int checksum = 0; checksum < 2; checksum++) {
        assert_int_equal(
            parse(bench, FC_BINLOG_ROTATE, FC_BINLOG_FLAG_ARTIFICIAL, body, checksum == 1),
            FC_OK);
        assert_int_equal(fc_binlog_body_rotate(&bench->event, &rotate, &bench->err), FC_OK);
        assert_int_equal(rotate.position, 4);
        assert_true(fc_slice_equal_text(rotate.file, "binlog.000007"));
    }
}

static void nothing_else_may_come_before_the_format_description(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(parse(bench, FC_BINLOG_XID, 0, fc_slice_of("12345678", 8), false),
                     FC_ERR_PROTOCOL);
}

static void an_unknown_type_is_refused_unless_it_is_ignorable(void **state)
{
    struct bench *bench = *state;
    learn_format(bench, "9.7.0", 1);
    assert_int_equal(parse(bench, 43, 0, fc_slice_of("x", 1), true), FC_ERR_PROTOCOL);
    assert_non_null(strstr(bench->err.message, "unknown type 43 that ends at position 4711"));
    assert_int_equal(parse(bench, 43, FC_BINLOG_FLAG_IGNORABLE, fc_slice_of("x", 1), true),
                     FC_OK);
    assert_true(bench->event.skip);
    assert_int_equal(parse(bench, 172, 0, fc_slice_of("x", 1), true), FC_ERR_PROTOCOL);
    assert_int_equal(parse(bench, 6, 0, fc_slice_of("x", 1), true), FC_ERR_PROTOCOL);
}

static void an_event_must_have_the_size_that_it_says(void **state)
{
    struct bench *bench = *state;
    struct fc_slice bytes;
    learn_format(bench, "9.7.0", 1);
    fc_buf_clear(&bench->bytes);
    bytes = test_event(&bench->bytes, FC_BINLOG_XID, 0, fc_slice_of("12345678", 8), true);
    for (size_t len = 0; len < bytes.len; len++) {
        assert_int_equal(fc_binlog_event_parse(&bench->format, fc_slice_of(bytes.data, len),
                                               true, &bench->event, &bench->err),
                         FC_ERR_PROTOCOL);
    }
}

static void a_query_tells_its_statement_behind_unknown_variables(void **state)
{
    struct bench *bench = *state;
    struct fc_binlog_query query;
    const uint8_t vars[] = { 0, 0, 0, 0, 0,  1, 4,   0,   0, 0,  0,    0,    0, 0,  4, 8, 0,
                             8, 0, 8, 0, 12, 1, 's', 'h', 0, 13, 0x40, 0xe2, 1, 99, 1, 2 };
    learn_format(bench, "9.7.0", 1);
    fc_buf_clear(&bench->body);
    fc_buf_append_le32(&bench->body, 17); /* thread */
    fc_buf_append_le32(&bench->body, 0);
    fc_buf_append_u8(&bench->body, 4);
    fc_buf_append_le16(&bench->body, 0);
    fc_buf_append_le16(&bench->body, sizeof(vars));
    fc_buf_append(&bench->body, vars, sizeof(vars));
    fc_buf_append(&bench->body, "shop\0DROP TABLE t", 17);
    assert_int_equal(parse(bench, FC_BINLOG_QUERY, 0, fc_buf_slice(&bench->body), true), FC_OK);
    assert_int_equal(fc_binlog_body_query(&bench->event, &bench->memory, &query, &bench->err),
                     FC_OK);
    assert_int_equal(query.thread_id, 17);
    assert_true(fc_slice_equal_text(query.db, "shop"));
    assert_true(fc_slice_equal_text(query.statement, "DROP TABLE t"));
    assert_true(query.has_sql_mode && query.sql_mode == 4);
    assert_true(query.has_charset && query.client_collation == 8);
    assert_int_equal(query.microseconds, 123456);
    assert_false(query.has_xid);
    /* Cut anywhere before the statement, it is refused. */
    for (size_t len = 0; len < 13 + sizeof(vars) + 4; len++) {
        bench->event.body.len = len;
        assert_int_equal(
            fc_binlog_body_query(&bench->event, &bench->memory, &query, &bench->err),
            FC_ERR_PROTOCOL);
    }
}

static void heartbeats_of_both_versions_tell_the_place(void **state)
{
    struct bench *bench = *state;
    struct fc_binlog_heartbeat heartbeat;
    learn_format(bench, "9.7.0", 1);
    assert_int_equal(parse(bench, FC_BINLOG_HEARTBEAT, 0, fc_slice_text("binlog.000003"), true),
                     FC_OK);
    assert_int_equal(fc_binlog_body_heartbeat(&bench->event, &heartbeat, &bench->err), FC_OK);
    assert_true(fc_slice_equal_text(heartbeat.file, "binlog.000003"));
    assert_int_equal(heartbeat.position, 4711);
    assert_int_equal(parse(bench, FC_BINLOG_HEARTBEAT_V2, 0,
                           fc_slice_of("\1\5bin.4\2\11\376\1\0\0\0\1\0\0\0\0", 19), true),
                     FC_OK);
    assert_int_equal(fc_binlog_body_heartbeat(&bench->event, &heartbeat, &bench->err), FC_OK);
    assert_true(fc_slice_equal_text(heartbeat.file, "bin.4"));
    assert_true(heartbeat.position == 0x100000001ULL);
    bench->event.body.len -= 6;
    assert_int_equal(fc_binlog_body_heartbeat(&bench->event, &heartbeat, &bench->err),
                     FC_ERR_PROTOCOL);
}

static void a_gtid_of_each_age_is_read(void **state)
{
    struct bench *bench = *state;
    struct fc_binlog_gtid gtid;
    const uint8_t uuid[16] = { 0x3e, 0x11, 0xfa, 0x47, 0x71, 0xca, 0x11, 0xe1,
                               0x9e, 0x33, 0xc8, 0x0a, 0xa9, 0x42, 0x95, 0x62 };
    learn_format(bench, "9.7.0", 0);
    fc_buf_clear(&bench->body);
    fc_buf_append_u8(&bench->body, 1);
    fc_buf_append(&bench->body, uuid, 16);
    fc_buf_append_le64(&bench->body, 23);
    assert_int_equal(parse(bench, FC_BINLOG_GTID, 0, fc_buf_slice(&bench->body), false), FC_OK);
    assert_int_equal(fc_binlog_body_gtid(&bench->event, &gtid, &bench->err), FC_OK);
    assert_memory_equal(gtid.uuid, uuid, 16);
    assert_int_equal(gtid.gno, 23);
    assert_int_equal(gtid.immediate_commit_us, 0);
    fc_buf_append_u8(&bench->body, 2);
    fc_buf_append_le64(&bench->body, 5);
    fc_buf_append_le64(&bench->body, 6);
    fc_buf_append(&bench->body, "\1\0\0\0\0\0\x80\2\0\0\0\0\0\0", 14); /* two timestamps */
    fc_buf_append(&bench->body, "\374\1\1", 3);                        /* 257 bytes */
    fc_buf_append(&bench->body, "\x8b\x62\1\x80\x8b\x62\1\0", 8);      /* two versions */
    assert_int_equal(parse(bench, FC_BINLOG_GTID, 0, fc_buf_slice(&bench->body), false), FC_OK);
    assert_int_equal(fc_binlog_body_gtid(&bench->event, &gtid, &bench->err), FC_OK);
    assert_int_equal(gtid.last_committed, 5);
    assert_int_equal(gtid.sequence_number, 6);
    assert_int_equal(gtid.immediate_commit_us, 1);
    assert_int_equal(gtid.original_commit_us, 2);
    assert_int_equal(gtid.transaction_size, 257);
    assert_int_equal(gtid.server_version, 90763);
    bench->event.body.len = 20;
    assert_int_equal(fc_binlog_body_gtid(&bench->event, &gtid, &bench->err), FC_ERR_PROTOCOL);
}

static void a_tagged_gtid_skips_unknown_fields_that_do_not_matter(void **state)
{
    struct bench *bench = *state;
    struct fc_binlog_gtid gtid;
    /* version 1, size, last field that matters, then number and value of each field */
    const uint8_t body[] = { 2,  0,    6,    0,   0, /* flags */
                             2,  2,    4,    6,   8,   10,   12, 14,   16, 18,
                             20, 22,   24,   26,  28,  0xfd, 3,  0xfd, 3, /* uuid */
                             4,  0x24,                                    /* 9 */
                             6,  8,    'b',  'l', 'u', 'e',               /* tag */
                             12, 0x81, 0x7d,                              /* commit */
                             60, 9,    9 };
    learn_format(bench, "9.7.0", 0);
    assert_int_equal(
        parse(bench, FC_BINLOG_GTID_TAGGED, 0, fc_slice_of(body, sizeof(body)), false), FC_OK);
    assert_int_equal(fc_binlog_body_gtid(&bench->event, &gtid, &bench->err), FC_OK);
    assert_string_equal(gtid.tag, "blue");
    assert_int_equal(gtid.gno, 9);
    assert_int_equal(gtid.uuid[0], 1);
    assert_int_equal(gtid.uuid[15], 0xff);
    assert_int_equal(gtid.immediate_commit_us, 0x7d << 6 | 0x81 >> 2);
    assert_int_equal(gtid.original_commit_us, gtid.immediate_commit_us);
}

static void an_incident_is_told(void **state)
{
    struct bench *bench = *state;
    struct fc_binlog_incident incident;
    learn_format(bench, "9.7.0", 0);
    assert_int_equal(parse(bench, FC_BINLOG_INCIDENT, 0, fc_slice_of("\1\0\4lost", 7), false),
                     FC_OK);
    assert_int_equal(fc_binlog_body_incident(&bench->event, &incident, &bench->err), FC_OK);
    assert_int_equal(incident.number, 1);
    assert_true(fc_slice_equal_text(incident.message, "lost"));
}

/* Read payload events until one fails or the end comes. */
static fc_code read_payload(struct bench *bench, struct fc_slice body, uint32_t *out_count)
{
    struct fc_binlog_payload *payload = fc_binlog_payload_new();
    fc_code code;
    bool end = false;
    *out_count = 0;
    code = parse(bench, FC_BINLOG_TRANSACTION_PAYLOAD, 0, body, false);
    if (code == FC_OK) {
        code = fc_binlog_payload_open(payload, &bench->event, &bench->err);
    }
    while (code == FC_OK && !end) {
        struct fc_binlog_event inner;
        code = fc_binlog_payload_next(payload, &bench->memory, &inner, &end, &bench->err);
        *out_count += code == FC_OK && !end ? 1 : 0;
    }
    fc_binlog_payload_free(payload);
    return code;
}

static void a_payload_that_is_not_packed_is_read_and_checked(void **state)
{
    struct bench *bench = *state;
    struct fc_buf inner;
    uint32_t count;
    fc_buf_init(&inner, BUF_MAX);
    learn_format(bench, "9.7.0", 0);
    (void)test_event(&inner, FC_BINLOG_XID, 0, fc_slice_of("12345678", 8), false);
    (void)test_event(&inner, FC_BINLOG_XID, 0, fc_slice_of("abcdefgh", 8), false);
    fc_buf_clear(&bench->body);
    fc_buf_append(&bench->body, "\2\3\374\377\0\0", 6); /* no compression */
    fc_buf_append_slice(&bench->body, fc_buf_slice(&inner));
    assert_int_equal(read_payload(bench, fc_buf_slice(&bench->body), &count), FC_OK);
    assert_int_equal(count, 2);
    bench->body.len--;
    assert_int_equal(read_payload(bench, fc_buf_slice(&bench->body), &count), FC_ERR_PROTOCOL);
    assert_int_equal(count, 1);
    bench->body.data[3] = 7; /* a compression that is not known */
    assert_int_equal(read_payload(bench, fc_buf_slice(&bench->body), &count), FC_ERR_PROTOCOL);
    fc_buf_release(&inner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_format_description_tells_server_and_checksums, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_format_description_in_use_has_the_checksum_of_one_that_is_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_format_description_without_checksums_has_four_unset_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_checksum_is_refused_and_named, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_artificial_rotate_may_come_with_or_without_checksum,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_else_may_come_before_the_format_description,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_type_is_refused_unless_it_is_ignorable,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_event_must_have_the_size_that_it_says, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_query_tells_its_statement_behind_unknown_variables,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(heartbeats_of_both_versions_tell_the_place, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_gtid_of_each_age_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_tagged_gtid_skips_unknown_fields_that_do_not_matter,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_incident_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_payload_that_is_not_packed_is_read_and_checked,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
