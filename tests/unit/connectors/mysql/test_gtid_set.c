/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/mysql/gtid_set.h"
#include "tests/unit/connectors/mysql/binlog_reading.h"

enum { TEXT_MAX = 1024 * 1024 };

#define A "3e11fa47-71ca-11e1-9e33-c80aa9429562"
#define B "4d8b564f-03f4-4975-856a-0e65c3105328"

static struct fc_gtid_set parsed(const char *text)
{
    struct fc_gtid_set set;
    struct fc_error err;
    if (fc_gtid_set_parse(&set, fc_slice_text(text), &err) != FC_OK) {
        fail_msg("%s: %s", text, err.message);
    }
    return set;
}

static void assert_prints(const struct fc_gtid_set *set, const char *expected)
{
    struct fc_buf text;
    fc_buf_init(&text, TEXT_MAX);
    fc_gtid_set_print(set, &text);
    fc_buf_append_u8(&text, 0);
    assert_string_equal((const char *)text.data, expected);
    fc_buf_release(&text);
}

static void text_is_put_into_order_and_joined(void **state)
{
    static const char *const pairs[][2] = {
        { "", "" },
        { A ":1", A ":1" },
        { " " B ":7 , " A ":5-6:1-3:4 ,\n", A ":1-6," B ":7" },
        { "3E11FA47-71CA-11E1-9E33-C80AA9429562:10-20:1-3:4:30", A ":1-4:10-20:30" },
        { A ":1-9:3-4:8-12," A ":20," A ":13-19", A ":1-20" },
        { A ":9223372036854775806", A ":9223372036854775806" },
        { A ":Blue:1-3:red_2:4:5," A ":7", A ":7:blue:1-3:red_2:4-5" },
    };
    (void)state;
    for (size_t index = 0; index < sizeof(pairs) / sizeof(pairs[0]); index++) {
        struct fc_gtid_set set = parsed(pairs[index][0]);
        struct fc_gtid_set again;
        assert_prints(&set, pairs[index][1]);
        again = parsed(pairs[index][1]);
        assert_true(fc_gtid_set_equal(&set, &again));
        fc_gtid_set_release(&set);
        fc_gtid_set_release(&again);
    }
}

static void malformed_text_is_refused(void **state)
{
    static const char *const texts[] = {
        ":1",
        A,
        A ":",
        A ":0",
        A ":x",
        A ":1-",
        A ":5-3",
        A ":1,,",
        A ":1;",
        A ":-1",
        A "1:1",
        "3e11fa47:1",
        A ":1 2",
        A ":tag",
        A ":tag:",
        A ":t-g:1",
        A ":1:9tag:2",
        A ":99999999999999999999",
        A ":9223372036854775807",
        A ":0-5",
        A ":a23456789012345678901234567890123:1",
        "\001",
    };
    (void)state;
    for (size_t index = 0; index < sizeof(texts) / sizeof(texts[0]); index++) {
        struct fc_gtid_set set;
        struct fc_error err;
        if (fc_gtid_set_parse(&set, fc_slice_text(texts[index]), &err) != FC_ERR_CONFIG) {
            fail_msg("\"%s\" was taken", texts[index]);
        }
        assert_int_equal(set.source_count, 0);
    }
}

static void adding_in_any_order_gives_the_same_set(void **state)
{
    struct fc_gtid_set set;
    struct fc_gtid_set all = parsed(A ":1-1000");
    struct fc_error err;
    (void)state;
    fc_gtid_set_init(&set);
    for (int64_t number = 0; number < 1000; number++) {
        int64_t gno = number * 7 % 1000 + 1; /* each once: 7 and 1000 have no common factor */
        assert_false(fc_gtid_set_contains(&set, all.sources[0].uuid, "", gno));
        assert_int_equal(fc_gtid_set_add(&set, all.sources[0].uuid, "", gno, &err), FC_OK);
        assert_true(fc_gtid_set_contains(&set, all.sources[0].uuid, "", gno));
        assert_int_equal(fc_gtid_set_count(&set), number + 1);
    }
    assert_true(fc_gtid_set_equal(&set, &all));
    assert_int_equal(fc_gtid_set_add(&set, all.sources[0].uuid, "", 0, &err), FC_ERR_PROTOCOL);
    assert_int_equal(fc_gtid_set_add(&set, all.sources[0].uuid, "", INT64_MAX, &err),
                     FC_ERR_PROTOCOL);
    fc_gtid_set_release(&set);
    fc_gtid_set_release(&all);
}

static void tags_are_sources_of_their_own(void **state)
{
    struct fc_gtid_set set = parsed(A ":1-5:blue:3");
    (void)state;
    assert_true(fc_gtid_set_contains(&set, set.sources[0].uuid, "", 5));
    assert_false(fc_gtid_set_contains(&set, set.sources[0].uuid, "blue", 5));
    assert_true(fc_gtid_set_contains(&set, set.sources[0].uuid, "blue", 3));
    assert_false(fc_gtid_set_contains(&set, set.sources[0].uuid, "red", 3));
    fc_gtid_set_release(&set);
}

static void subsets_and_differences_follow_the_numbers(void **state)
{
    static const struct {
        const char *set;
        const char *other;
        const char *missing; /* set without other */
    } cases[] = {
        { A ":1-10", A ":1-10", "" },
        { A ":1-10", A ":2-9", A ":1:10" },
        { A ":1-10", "", A ":1-10" },
        { "", A ":1", "" },
        { A ":5-6", A ":1-3:5-8", "" },
        { A ":1-100", A ":10-20:30-40:99-200", A ":1-9:21-29:41-98" },
        { A ":1-3," B ":1-3:tag:9", A ":1-5," B ":2", B ":1:3:tag:9" },
        { A ":4", A ":1-3:5", A ":4" },
    };
    (void)state;
    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        struct fc_gtid_set set = parsed(cases[index].set);
        struct fc_gtid_set other = parsed(cases[index].other);
        struct fc_gtid_set missing;
        struct fc_gtid_set sum;
        struct fc_error err;
        assert_int_equal(fc_gtid_set_subtract(&missing, &set, &other, &err), FC_OK);
        assert_prints(&missing, cases[index].missing);
        assert_int_equal(fc_gtid_set_is_subset(&set, &other), missing.source_count == 0);
        fc_gtid_set_copy(&sum, &other);
        assert_int_equal(fc_gtid_set_union(&sum, &missing, &err), FC_OK);
        assert_true(fc_gtid_set_is_subset(&set, &sum));
        fc_gtid_set_release(&set);
        fc_gtid_set_release(&other);
        fc_gtid_set_release(&missing);
        fc_gtid_set_release(&sum);
    }
}

static void the_binary_form_is_the_dump_commands(void **state)
{
    static const uint8_t expected[] = {
        1,    0,    0,    0,    0,    0,    0,    0,    0x3e, 0x11, 0xfa, 0x47, 0x71,
        0xca, 0x11, 0xe1, 0x9e, 0x33, 0xc8, 0x0a, 0xa9, 0x42, 0x95, 0x62, 2,    0,
        0,    0,    0,    0,    0,    0,    1,    0,    0,    0,    0,    0,    0,
        0,    6,    0,    0,    0,    0,    0,    0,    0,    9,    0,    0,    0,
        0,    0,    0,    0,    10,   0,    0,    0,    0,    0,    0,    0
    };
    struct fc_gtid_set set = parsed(A ":1-5:9");
    struct fc_gtid_set back;
    struct fc_buf bytes;
    struct fc_error err;
    (void)state;
    fc_buf_init(&bytes, TEXT_MAX);
    fc_gtid_set_encode(&set, &bytes);
    assert_int_equal(bytes.len, sizeof(expected));
    assert_memory_equal(bytes.data, expected, sizeof(expected));
    for (size_t len = 0; len < bytes.len; len++) {
        assert_int_equal(fc_gtid_set_decode(&back, fc_slice_of(bytes.data, len), &err),
                         FC_ERR_PROTOCOL);
    }
    assert_int_equal(fc_gtid_set_decode(&back, fc_buf_slice(&bytes), &err), FC_OK);
    assert_true(fc_gtid_set_equal(&set, &back));
    fc_gtid_set_release(&back);
    fc_gtid_set_release(&set);
    fc_buf_release(&bytes);
}

static void tags_have_a_binary_form_of_their_own(void **state)
{
    struct fc_gtid_set set = parsed(A ":1-5:blue:3," B ":7");
    struct fc_gtid_set back;
    struct fc_buf bytes;
    struct fc_error err;
    (void)state;
    fc_buf_init(&bytes, TEXT_MAX);
    fc_gtid_set_encode(&set, &bytes);
    assert_int_equal(bytes.data[0], 1);
    assert_int_equal(bytes.data[1], 3);
    assert_int_equal(bytes.data[7], 1);
    assert_int_equal(fc_gtid_set_decode(&back, fc_buf_slice(&bytes), &err), FC_OK);
    assert_true(fc_gtid_set_equal(&set, &back));
    fc_gtid_set_release(&back);
    fc_gtid_set_release(&set);
    fc_buf_release(&bytes);
}

static void the_next_file_begins_with_the_gtids_before_it(void **state)
{
    struct fc_slice file = test_read_file("tests/golden/binlog/mysql-next.binlog");
    struct fc_slice expected = test_read_file("tests/golden/binlog/mysql-types.gtids");
    struct fc_gtid_set set;
    struct fc_binlog_event event;
    struct test_walk walk;
    struct fc_error err;
    struct fc_buf text;
    (void)state;
    fc_buf_init(&text, TEXT_MAX);
    test_walk_init(&walk, file);
    do {
        assert_true(test_walk_next(&walk, &event));
    } while (event.type != FC_BINLOG_PREVIOUS_GTIDS);
    assert_int_equal(fc_gtid_set_decode(&set, event.body, &err), FC_OK);
    fc_gtid_set_print(&set, &text);
    fc_buf_append_text(&text, "\n");
    assert_true(fc_slice_equal(fc_buf_slice(&text), expected));
    fc_buf_clear(&text);
    fc_gtid_set_encode(&set,
                       &text); /* what a dump would be asked with is the server's own form */
    assert_true(fc_slice_equal(fc_buf_slice(&text), event.body));
    fc_gtid_set_release(&set);
    fc_buf_release(&text);
    test_free_file(expected);
    test_free_file(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_put_into_order_and_joined),
        cmocka_unit_test(malformed_text_is_refused),
        cmocka_unit_test(adding_in_any_order_gives_the_same_set),
        cmocka_unit_test(tags_are_sources_of_their_own),
        cmocka_unit_test(subsets_and_differences_follow_the_numbers),
        cmocka_unit_test(the_binary_form_is_the_dump_commands),
        cmocka_unit_test(tags_have_a_binary_form_of_their_own),
        cmocka_unit_test(the_next_file_begins_with_the_gtids_before_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
