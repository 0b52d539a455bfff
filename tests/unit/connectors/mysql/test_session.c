/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/mysql/session.h"

enum { SSL_ERROR = 2026, SERVER_LOST = 2013, ACCESS_DENIED = 1045 };

static bool is_retriable(unsigned number, const char *text)
{
    struct fc_error err;
    (void)fc_session_fail_with(&err, number, text, "connect");
    return err.retriable;
}

static void a_server_that_goes_away_within_a_handshake_is_tried_again(void **state)
{
    (void)state;
    assert_true(
        is_retriable(SSL_ERROR, "SSL connection error: error:00000000:lib(0)::reason(0)"));
    assert_true(is_retriable(SSL_ERROR, "TLS/SSL error: unexpected eof while reading"));
    assert_true(is_retriable(SSL_ERROR, "TLS/SSL error: Connection reset by peer"));
    assert_true(is_retriable(SERVER_LOST, "Lost connection to server"));
}

static void what_only_a_person_can_mend_is_not(void **state)
{
    (void)state;
    assert_false(is_retriable(SSL_ERROR, "TLS/SSL error: certificate verify failed"));
    assert_false(is_retriable(SSL_ERROR, "TLS/SSL error: hostname mismatch"));
    assert_false(is_retriable(ACCESS_DENIED, "Access denied"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_goes_away_within_a_handshake_is_tried_again),
        cmocka_unit_test(what_only_a_person_can_mend_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
