/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/cli/reset_target.h"

static struct fc_reset_target parse(const char *to, const char *shift)
{
    struct fc_reset_target target = { .kind = FC_RESET_EARLIEST };
    struct fc_error error = { 0 };
    assert_int_equal(fc_reset_target_parse(to, shift, fc_clock_system(), &target, &error),
                     FC_OK);
    return target;
}

/* The log holds 100 to 199, and 120 is committed. */
static int64_t moved(const char *to, const char *shift)
{
    struct fc_reset_target target = parse(to, shift);
    return fc_reset_target_offset(&target, 120, 100, 200, 150);
}

static void targets_are_kept_within_the_log(void **state)
{
    (void)state;
    assert_int_equal(moved("earliest", NULL), 100);
    assert_int_equal(moved("latest", NULL), 200);
    assert_int_equal(moved("130", NULL), 130);
    assert_int_equal(moved("5", NULL), 100);
    assert_int_equal(moved("9223372036854775807", NULL), 200);
    assert_int_equal(moved("2026-11-23T14:03:58Z", NULL), 150);
    assert_int_equal(moved(NULL, "-10"), 110);
    assert_int_equal(moved(NULL, "+10"), 130);
    assert_int_equal(moved(NULL, "-9223372036854775808"), 100);
    assert_int_equal(moved(NULL, "9223372036854775807"), 200);
}

static void a_time_after_the_last_record_is_the_end(void **state)
{
    struct fc_reset_target target = parse("15m", NULL);
    (void)state;
    assert_int_equal(target.kind, FC_RESET_TIME);
    assert_int_equal(fc_reset_target_offset(&target, 120, 100, 200, -1), 200);
}

static void a_shift_without_an_offset_counts_from_the_first(void **state)
{
    struct fc_reset_target target = parse(NULL, "3");
    (void)state;
    assert_int_equal(fc_reset_target_offset(&target, -1001, 100, 200, -1), 103);
}

static void what_is_no_target_is_told(void **state)
{
    struct fc_reset_target target = { .kind = FC_RESET_EARLIEST };
    struct fc_error error = { 0 };
    (void)state;
    assert_int_equal(fc_reset_target_parse("soon", NULL, fc_clock_system(), &target, &error),
                     FC_ERR_CONFIG);
    assert_int_equal(fc_reset_target_parse(NULL, "x", fc_clock_system(), &target, &error),
                     FC_ERR_CONFIG);
}

static void topics_may_name_partitions(void **state)
{
    int32_t partitions[FC_RESET_PARTITIONS_MAX];
    struct fc_error error = { 0 };
    char *topic = NULL;
    size_t count = 9;
    (void)state;
    assert_int_equal(fc_reset_topic_parse("orders", &topic, partitions, &count, &error), FC_OK);
    assert_string_equal(topic, "orders");
    assert_int_equal(count, 0);
    free(topic);
    assert_int_equal(fc_reset_topic_parse("orders:0,12", &topic, partitions, &count, &error),
                     FC_OK);
    assert_int_equal(count, 2);
    assert_int_equal(partitions[1], 12);
    free(topic);
    assert_int_equal(fc_reset_topic_parse("orders:", &topic, partitions, &count, &error),
                     FC_ERR_CONFIG);
    assert_int_equal(fc_reset_topic_parse(":1", &topic, partitions, &count, &error),
                     FC_ERR_CONFIG);
    assert_int_equal(fc_reset_topic_parse("orders:-1", &topic, partitions, &count, &error),
                     FC_ERR_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_kept_within_the_log),
        cmocka_unit_test(a_time_after_the_last_record_is_the_end),
        cmocka_unit_test(a_shift_without_an_offset_counts_from_the_first),
        cmocka_unit_test(what_is_no_target_is_told),
        cmocka_unit_test(topics_may_name_partitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
