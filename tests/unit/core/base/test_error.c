/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/error.h"

static void a_failure_carries_code_and_message(void **state)
{
    struct fc_error err;
    (void)state;
    assert_int_equal(fc_fail(&err, FC_ERR_CORRUPT, "segment %s at %d", "x", 7), FC_ERR_CORRUPT);
    assert_int_equal(err.code, FC_ERR_CORRUPT);
    assert_string_equal(err.message, "segment x at 7");
    assert_false(err.retriable);
    assert_int_equal(err.sys_errno, 0);
}

static void what_may_pass_by_itself_is_retriable(void **state)
{
    struct fc_error err;
    (void)state;
    (void)fc_fail(&err, FC_ERR_TIMEOUT, "late"); /* only the flag matters here */
    assert_true(err.retriable);
    (void)fc_fail(&err, FC_ERR_FULL, "full"); /* the same */
    assert_true(err.retriable);
    assert_int_equal(fc_fail_retriable(&err, FC_ERR_IO, "connect: %s", "refused"), FC_ERR_IO);
    assert_true(err.retriable);
    assert_string_equal(err.message, "connect: refused");
}

static void wrapping_prefixes_the_message_and_keeps_the_rest(void **state)
{
    struct fc_error err;
    (void)state;
    (void)fc_fail_retriable(&err, FC_ERR_IO, "disk"); /* to be wrapped */
    err.sys_errno = 5;
    assert_int_equal(fc_wrap(&err, "read %s/%u", "shop", 3U), FC_ERR_IO);
    assert_int_equal(fc_wrap(&err, "restore"), FC_ERR_IO);
    assert_string_equal(err.message, "restore: read shop/3: disk");
    assert_true(err.retriable);
    assert_int_equal(err.sys_errno, 5);
}

static void a_message_that_is_too_long_is_cut_not_written_over(void **state)
{
    struct {
        struct fc_error err;
        char guard;
    } held = { .guard = 'g' };
    char text[2 * FC_ERROR_MESSAGE_SIZE];
    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    (void)fc_fail(&held.err, FC_ERR_IO, "%s", text); /* the message is looked at */
    assert_int_equal(strlen(held.err.message), FC_ERROR_MESSAGE_SIZE - 1);
    assert_int_equal(fc_wrap(&held.err, "%s", text), FC_ERR_IO);
    assert_int_equal(strlen(held.err.message), FC_ERROR_MESSAGE_SIZE - 1);
    assert_int_equal(held.guard, 'g');
}

static void nobody_has_to_look(void **state)
{
    (void)state;
    assert_int_equal(fc_fail(NULL, FC_ERR_LIMIT, "x"), FC_ERR_LIMIT);
    assert_int_equal(fc_fail_retriable(NULL, FC_ERR_LIMIT, "x"), FC_ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_carries_code_and_message),
        cmocka_unit_test(what_may_pass_by_itself_is_retriable),
        cmocka_unit_test(wrapping_prefixes_the_message_and_keeps_the_rest),
        cmocka_unit_test(a_message_that_is_too_long_is_cut_not_written_over),
        cmocka_unit_test(nobody_has_to_look),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
