/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/spu/kept_settings.h"

static void each_takes_its_default_and_no_other_text(void **state)
{
    const char *key;
    (void)state;
    for (size_t index = 0; (key = fc_kept_setting_key(index)) != NULL; index++) {
        const char *value = fc_kept_setting_default(key);
        assert_non_null(value);
        assert_int_equal(fc_kept_setting_check(key, value, NULL), FC_OK);
        assert_int_equal(fc_kept_setting_check(key, "?", NULL), FC_ERR_CONFIG);
    }
}

static void a_number_is_whole_and_within_its_bounds(void **state)
{
    const char *bad[] = { "", "3", "4.5", "4 ", "2147483648", "99999999999999999999" };
    (void)state;
    assert_int_equal(fc_kept_setting_check("segment.index.bytes", "4", NULL), FC_OK);
    assert_int_equal(fc_kept_setting_check("local.retention.ms", "-2", NULL), FC_OK);
    for (size_t index = 0; index < sizeof(bad) / sizeof(bad[0]); index++) {
        assert_int_equal(fc_kept_setting_check("segment.index.bytes", bad[index], NULL),
                         FC_ERR_CONFIG);
    }
}

static void replicas_are_none_all_or_partitions_of_nodes(void **state)
{
    const char *key = "leader.replication.throttled.replicas";
    const char *good[] = { "", "*", "0:1", "0:1,12:345" };
    const char *bad[] = { "0", "0:", ":1", "0:1,", ",0:1", "0:1,*", "0:1;1:1", "a:1" };
    (void)state;
    for (size_t index = 0; index < sizeof(good) / sizeof(good[0]); index++) {
        assert_int_equal(fc_kept_setting_check(key, good[index], NULL), FC_OK);
    }
    for (size_t index = 0; index < sizeof(bad) / sizeof(bad[0]); index++) {
        assert_int_equal(fc_kept_setting_check(key, bad[index], NULL), FC_ERR_CONFIG);
    }
}

static void what_would_not_be_done_is_refused(void **state)
{
    struct fc_error err;
    (void)state;
    assert_int_equal(fc_kept_setting_check("preallocate", "true", NULL), FC_OK);
    assert_int_equal(fc_kept_setting_check("remote.storage.enable", "false", NULL), FC_OK);
    assert_int_equal(fc_kept_setting_check("remote.storage.enable", "true", &err),
                     FC_ERR_CONFIG);
    assert_string_equal(err.message,
                        "remote.storage.enable: there is no storage beside this log");
    assert_int_equal(fc_kept_setting_check("retention.ms", "1", &err), FC_ERR_NOT_FOUND);
    assert_string_equal(err.message, "there is no topic setting \"retention.ms\"");
    assert_null(fc_kept_setting_default("retention.ms"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_takes_its_default_and_no_other_text),
        cmocka_unit_test(a_number_is_whole_and_within_its_bounds),
        cmocka_unit_test(replicas_are_none_all_or_partitions_of_nodes),
        cmocka_unit_test(what_would_not_be_done_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
