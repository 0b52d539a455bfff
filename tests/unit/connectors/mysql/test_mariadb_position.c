/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/mysql/mariadb_position.h"
#include "tests/unit/connectors/mysql/binlog_reading.h"

static void assert_prints(const struct fc_mariadb_position *position, const char *expected)
{
    struct fc_buf text;
    fc_buf_init(&text, 65536);
    fc_mariadb_position_print(position, &text);
    fc_buf_append_u8(&text, 0);
    assert_string_equal((const char *)text.data, expected);
    fc_buf_release(&text);
}

static void positions_are_printed_as_parsed_by_domain(void **state)
{
    static const char *const pairs[][2] = {
        { "", "" },
        { "0-1-42", "0-1-42" },
        { "7-2-3,0-1-42", "0-1-42,7-2-3" },
        { " 4294967295-4294967295-18446744073709551615 , 1-1-0 ",
          "1-1-0,4294967295-4294967295-18446744073709551615" },
    };
    (void)state;
    for (size_t index = 0; index < sizeof(pairs) / sizeof(pairs[0]); index++) {
        struct fc_mariadb_position position;
        struct fc_error err;
        assert_int_equal(
            fc_mariadb_position_parse(&position, fc_slice_text(pairs[index][0]), &err), FC_OK);
        assert_prints(&position, pairs[index][1]);
        fc_mariadb_position_release(&position);
    }
}

static void malformed_positions_are_refused(void **state)
{
    static const char *const texts[] = { "0",
                                         "0-1",
                                         "0-1-",
                                         "0-1-2,",
                                         "0-1-2,,1-1-1",
                                         "x-1-2",
                                         "0-1-2 x",
                                         "-1-1-1",
                                         "4294967296-1-1",
                                         "0-1-18446744073709551616",
                                         "0-1-2,0-1-3",
                                         "0-1-2-3",
                                         "0--1-2",
                                         "," };
    (void)state;
    for (size_t index = 0; index < sizeof(texts) / sizeof(texts[0]); index++) {
        struct fc_mariadb_position position;
        struct fc_error err;
        if (fc_mariadb_position_parse(&position, fc_slice_text(texts[index]), &err) !=
            FC_ERR_CONFIG) {
            fail_msg("\"%s\" was taken", texts[index]);
        }
        assert_int_equal(position.count, 0);
    }
}

static void an_update_moves_its_domain_only(void **state)
{
    struct fc_mariadb_position position;
    struct fc_mariadb_position copy;
    struct fc_error err;
    const struct fc_mariadb_gtid moved = { 0, 2, 43 };
    const struct fc_mariadb_gtid fresh = { 3, 1, 1 };
    (void)state;
    assert_int_equal(fc_mariadb_position_parse(&position, fc_slice_text("0-1-42,7-1-7"), &err),
                     FC_OK);
    assert_false(fc_mariadb_position_reached(&position, &moved));
    assert_int_equal(fc_mariadb_position_update(&position, &moved, &err), FC_OK);
    assert_int_equal(fc_mariadb_position_update(&position, &fresh, &err), FC_OK);
    assert_prints(&position, "0-2-43,3-1-1,7-1-7");
    assert_true(fc_mariadb_position_reached(&position, &moved));
    fc_mariadb_position_copy(&copy, &position);
    assert_prints(&copy, "0-2-43,3-1-1,7-1-7");
    assert_null(fc_mariadb_position_get(&position, 1));
    fc_mariadb_position_release(&copy);
    fc_mariadb_position_release(&position);
}

static void of_a_list_the_last_entry_of_a_domain_counts(void **state)
{
    struct fc_buf body;
    struct fc_mariadb_position position;
    struct fc_binlog_event event = { .type = FC_BINLOG_MARIADB_GTID_LIST };
    struct fc_error err;
    (void)state;
    fc_buf_init(&body, 65536);
    fc_buf_append_le32(&body, 3 | 1U << 28);
    for (uint32_t server = 1; server <= 3; server++) {
        fc_buf_append_le32(&body, server == 3 ? 9 : 0);
        fc_buf_append_le32(&body, server);
        fc_buf_append_le64(&body, 100 + server);
    }
    event.body = fc_buf_slice(&body);
    assert_int_equal(fc_mariadb_position_from_list(&position, &event, &err), FC_OK);
    assert_prints(&position, "0-2-102,9-3-103");
    fc_mariadb_position_release(&position);
    event.body.len--;
    assert_int_equal(fc_mariadb_position_from_list(&position, &event, &err), FC_ERR_PROTOCOL);
    fc_buf_release(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions_are_printed_as_parsed_by_domain),
        cmocka_unit_test(malformed_positions_are_refused),
        cmocka_unit_test(an_update_moves_its_domain_only),
        cmocka_unit_test(of_a_list_the_last_entry_of_a_domain_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
