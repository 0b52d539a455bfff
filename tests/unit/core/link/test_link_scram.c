/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/link/link_scram.h"

/* The example of RFC 7677, section 3. */
static void the_rfc_example_gives_its_messages(void **state)
{
    static const char server_first[] = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                                       "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    struct fc_link_scram scram;
    struct fc_error error = { 0 };
    struct fc_buf out;
    (void)state;
    fc_link_scram_init(&scram, FC_SCRAM_SHA_256, "user", "pencil");
    (void)snprintf(scram.nonce, sizeof(scram.nonce), "rOprNGfwEbeRWgbNEkqO");
    fc_buf_init(&out, 4096);
    fc_link_scram_first(&scram, &out);
    assert_true(fc_slice_equal_text(fc_buf_slice(&out), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"));
    fc_buf_clear(&out);
    assert_int_equal(fc_link_scram_final(&scram, fc_slice_text(server_first), &out, &error),
                     FC_OK);
    assert_true(fc_slice_equal_text(
        fc_buf_slice(&out), "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                            "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="));
    assert_int_equal(
        fc_link_scram_verify(
            &scram, fc_slice_text("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="), &error),
        FC_OK);
    assert_int_equal(
        fc_link_scram_verify(
            &scram, fc_slice_text("v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="), &error),
        FC_ERR_REJECTED);
    assert_int_equal(fc_link_scram_verify(&scram, fc_slice_text("e=invalid-proof"), &error),
                     FC_ERR_REJECTED);
    assert_int_equal(fc_link_scram_verify(&scram, fc_slice_text(""), &error), FC_ERR_REJECTED);
    fc_buf_release(&out);
    fc_link_scram_release(&scram);
}

static void a_name_is_escaped(void **state)
{
    struct fc_link_scram scram;
    struct fc_buf out;
    (void)state;
    fc_link_scram_init(&scram, FC_SCRAM_SHA_512, "a,b=c", "x");
    fc_buf_init(&out, 4096);
    fc_link_scram_first(&scram, &out);
    assert_memory_equal(out.data, "n,,n=a=2Cb=3Dc,r=", 17);
    fc_buf_release(&out);
    fc_link_scram_release(&scram);
}

static void a_server_that_plays_tricks_is_refused(void **state)
{
    static const char *const messages[] = {
        "",
        "r=mine", /* no nonce of its own */
        "r=other1,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "r=mine1,s=!,i=4096",
        "r=mine1,s=,i=4096",
        "r=mine1,s=W22ZaJ0SNY7soEsUEjb6gQ==",     /* no iterations */
        "r=mine1,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1", /* too few to be safe */
        "r=mine1,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=2000000000",
    };
    struct fc_error error = { 0 };
    (void)state;
    for (size_t index = 0; index < sizeof(messages) / sizeof(*messages); index++) {
        struct fc_link_scram scram;
        struct fc_buf out;
        fc_link_scram_init(&scram, FC_SCRAM_SHA_256, "user", "pencil");
        (void)snprintf(scram.nonce, sizeof(scram.nonce), "mine");
        fc_buf_init(&out, 4096);
        fc_link_scram_first(&scram, &out);
        assert_int_not_equal(
            fc_link_scram_final(&scram, fc_slice_text(messages[index]), &out, &error), FC_OK);
        fc_buf_release(&out);
        fc_link_scram_release(&scram);
    }
}

static void an_old_librdkafka_is_blamed_for_scram_only(void **state)
{
    const int old = 0x020600ff; /* 2.6.0 */
    const int mended = 0x020601ff;
    (void)state;
    assert_true(fc_link_scram_is_old(old, "scram-sha-256"));
    assert_true(fc_link_scram_is_old(
        old,
        "SASL SCRAM-SHA-512 mechanism handshake failed: Broker: SASL Authentication failed"));
    assert_false(fc_link_scram_is_old(old, "PLAIN"));
    assert_false(fc_link_scram_is_old(mended, "SCRAM-SHA-256"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rfc_example_gives_its_messages),
        cmocka_unit_test(a_name_is_escaped),
        cmocka_unit_test(a_server_that_plays_tricks_is_refused),
        cmocka_unit_test(an_old_librdkafka_is_blamed_for_scram_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
