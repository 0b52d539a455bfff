/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/kafka_error.h"

static void names_go_with_their_numbers(void **state)
{
    (void)state;
    assert_string_equal(fc_kafka_error_name(-1), "UNKNOWN_SERVER_ERROR");
    assert_string_equal(fc_kafka_error_name(0), "NONE");
    assert_string_equal(fc_kafka_error_name(45), "OUT_OF_ORDER_SEQUENCE_NUMBER");
    assert_string_equal(fc_kafka_error_name(87), "INVALID_RECORD");
    assert_string_equal(fc_kafka_error_name(120), "TRANSACTION_ABORTABLE");
    assert_string_equal(fc_kafka_error_name(133), "SHARE_SESSION_LIMIT_REACHED");
    assert_string_equal(fc_kafka_error_name(134), "UNKNOWN");
    assert_string_equal(fc_kafka_error_name(-2), "UNKNOWN");
}

static void clients_try_again_what_may_pass(void **state)
{
    (void)state;
    assert_true(fc_kafka_error_is_retriable(FC_KAFKA_NOT_LEADER_OR_FOLLOWER));
    assert_true(fc_kafka_error_is_retriable(FC_KAFKA_COORDINATOR_LOAD_IN_PROGRESS));
    assert_false(fc_kafka_error_is_retriable(FC_KAFKA_INVALID_RECORD));
    assert_false(fc_kafka_error_is_retriable(500));
}

static void failures_of_our_own_have_a_code(void **state)
{
    (void)state;
    assert_int_equal(fc_kafka_error_of(FC_OK), FC_KAFKA_NONE);
    assert_int_equal(fc_kafka_error_of(FC_ERR_FULL), FC_KAFKA_KAFKA_STORAGE_ERROR);
    assert_int_equal(fc_kafka_error_of(FC_ERR_NOT_FOUND), FC_KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(fc_kafka_error_of(FC_ERR_REJECTED), FC_KAFKA_UNKNOWN_SERVER_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_go_with_their_numbers),
        cmocka_unit_test(clients_try_again_what_may_pass),
        cmocka_unit_test(failures_of_our_own_have_a_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
