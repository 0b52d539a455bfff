/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "core/spu/auth/base64.h"
#include "core/spu/auth/plain.h"
#include "core/spu/auth/scram.h"

/* An exchange as it stands in a specification. */
struct vector {
    fc_scram_kind kind;
    const char *password;
    const char *salt;
    const char *server_nonce;
    const char *client_first;
    const char *server_first;
    const char *client_final;
    const char *server_final;
};

/* RFC 7677, section 3. */
static const struct vector RFC_7677 = {
    FC_SCRAM_SHA_256,
    "pencil",
    "W22ZaJ0SNY7soEsUEjb6gQ==",
    "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
    "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
};

/* The same user with SHA-512; the RFCs have no example of it, this one was computed with
 * Python's hashlib. */
static const struct vector SHA_512 = {
    FC_SCRAM_SHA_512,
    "pencil",
    "Yin2FuHTt/M0kJWb0t9OI32n2VmOGi3m+JfjOvuDF88=",
    "02431b08-2f0c-4bad-a4e6-80c0564ec865",
    "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
    "r=rOprNGfwEbeRWgbNEkqO02431b08-2f0c-4bad-a4e6-80c0564ec865,"
    "s=Yin2FuHTt/M0kJWb0t9OI32n2VmOGi3m+JfjOvuDF88=,i=4096",
    "c=biws,r=rOprNGfwEbeRWgbNEkqO02431b08-2f0c-4bad-a4e6-80c0564ec865,"
    "p=/rEe0l0f8TFUZ602ZhrlhFQjPTPwhuBN2OtmtUkVwke0"
    "+1HXwg97t9EAECkJuwsneJbK96u3OkWQ9AnQTfQOkQ==",
    "v=+G6+ISRLYUHLGlkL5p/wF8dGGJb1DNQ+pAw35WkWjFeK"
    "S8/Ms75mKGsQVxiMR5dTV864MOPCzaB6hba2VXMbfA==",
};

static struct fc_scram_credential credential_of(const struct vector *vector)
{
    struct fc_scram_credential credential;
    struct fc_error err;
    uint8_t salt[64];
    uint8_t salted[64];
    size_t salt_len = 0;
    const bool is_512 = vector->kind == FC_SCRAM_SHA_512;
    assert_true(fc_base64_decode(fc_slice_text(vector->salt), salt, sizeof(salt), &salt_len));
    assert_int_equal(
        PKCS5_PBKDF2_HMAC(vector->password, (int)strlen(vector->password), salt, (int)salt_len,
                          4096, is_512 ? EVP_sha512() : EVP_sha256(), is_512 ? 64 : 32, salted),
        1);
    assert_int_equal(fc_scram_from_salted(vector->kind, fc_slice_of(salted, is_512 ? 64 : 32),
                                          fc_slice_of(salt, salt_len), 4096, &credential, &err),
                     FC_OK);
    return credential;
}

static fc_code exchange(const struct vector *vector, const char *client_final,
                        struct fc_buf *answer)
{
    struct fc_scram_credential credential = credential_of(vector);
    struct fc_scram scram;
    struct fc_error err;
    fc_code code;
    fc_scram_init(&scram, vector->kind);
    assert_int_equal(fc_scram_first(&scram, fc_slice_text(vector->client_first), &err), FC_OK);
    assert_string_equal(scram.user, "user");
    fc_scram_challenge(&scram, &credential, vector->server_nonce);
    assert_true(fc_slice_equal_text(fc_buf_slice(&scram.server_first), vector->server_first));
    code = fc_scram_final(&scram, fc_slice_text(client_final), answer, &err);
    fc_scram_release(&scram);
    return code;
}

static void expect_vector(const struct vector *vector)
{
    struct fc_buf answer;
    fc_buf_init(&answer, 1024);
    assert_int_equal(exchange(vector, vector->client_final, &answer), FC_OK);
    assert_true(fc_slice_equal_text(fc_buf_slice(&answer), vector->server_final));
    fc_buf_release(&answer);
}

static void the_exchange_of_rfc_7677_comes_out_the_same(void **state)
{
    (void)state;
    expect_vector(&RFC_7677);
}

static void an_exchange_with_sha_512_comes_out_the_same(void **state)
{
    (void)state;
    expect_vector(&SHA_512);
}

static void a_wrong_proof_is_rejected_and_what_is_no_message_refused(void **state)
{
    static const struct {
        const char *text;
        fc_code code;
    } finals[] = {
        { "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
          "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVU=",
          FC_ERR_REJECTED },
        { "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k1,"
          "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
          FC_ERR_PROTOCOL },
        { "c=eSws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
          "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
          FC_ERR_PROTOCOL },
        { "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzb",
          FC_ERR_PROTOCOL },
        { "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", FC_ERR_PROTOCOL },
        { "c=biws", FC_ERR_PROTOCOL },
        { "", FC_ERR_PROTOCOL },
        { ",,,,", FC_ERR_PROTOCOL },
    };
    (void)state;
    for (size_t index = 0; index < sizeof(finals) / sizeof(finals[0]); index++) {
        struct fc_buf answer;
        fc_buf_init(&answer, 1024);
        assert_int_equal(exchange(&RFC_7677, finals[index].text, &answer), finals[index].code);
        assert_int_equal(answer.len, 0);
        fc_buf_release(&answer);
    }
}

static fc_code first(const char *message, char *out_user)
{
    struct fc_scram scram;
    struct fc_error err;
    fc_code code;
    fc_scram_init(&scram, FC_SCRAM_SHA_256);
    code = fc_scram_first(&scram, fc_slice_text(message), &err);
    if (code == FC_OK && out_user != NULL) {
        memcpy(out_user, scram.user, sizeof(scram.user));
    }
    fc_scram_release(&scram);
    return code;
}

static void a_first_message_is_read_strictly(void **state)
{
    char user[FC_SCRAM_USER_MAX + 1];
    char large[FC_SCRAM_MESSAGE_MAX + 2];
    (void)state;
    assert_int_equal(first("n,,n=a=2Cb=3Dc,r=x", user), FC_OK);
    assert_string_equal(user, "a,b=c");
    assert_int_equal(first("y,a=me,n=me,r=x", NULL), FC_OK);
    assert_int_equal(first("n,a=other,n=me,r=x", NULL), FC_ERR_PROTOCOL);
    assert_int_equal(first("p=tls-unique,,n=me,r=x", NULL), FC_ERR_PROTOCOL);
    assert_int_equal(first("n,,n=me,r=x,tokenauth=true", NULL), FC_ERR_PROTOCOL);
    assert_int_equal(first("n,,m=ext,n=me,r=x", NULL), FC_ERR_PROTOCOL);
    assert_int_equal(first("n,,n=a=2,r=x", NULL), FC_ERR_PROTOCOL);
    assert_int_equal(first("n,,n=,r=x", NULL), FC_ERR_PROTOCOL);
    assert_int_equal(first("n,,n=me,r=", NULL), FC_ERR_PROTOCOL);
    assert_int_equal(first("n,,n=me,r= x", NULL), FC_ERR_PROTOCOL);
    assert_int_equal(first("n,,n=me", NULL), FC_ERR_PROTOCOL);
    assert_int_equal(first("n", NULL), FC_ERR_PROTOCOL);
    assert_int_equal(first("", NULL), FC_ERR_PROTOCOL);
    memset(large, 'x', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    assert_int_equal(first(large, NULL), FC_ERR_PROTOCOL);
}

static void a_password_is_verified_by_what_is_stored_of_it(void **state)
{
    struct fc_scram_credential credential;
    struct fc_scram_credential other;
    struct fc_error err;
    (void)state;
    for (int kind = FC_SCRAM_SHA_256; kind <= FC_SCRAM_SHA_512; kind++) {
        assert_int_equal(fc_scram_from_password((fc_scram_kind)kind, fc_slice_text("secret"),
                                                4096, &credential, &err),
                         FC_OK);
        assert_int_equal(fc_scram_from_password((fc_scram_kind)kind, fc_slice_text("secret"),
                                                4096, &other, &err),
                         FC_OK);
        assert_memory_not_equal(credential.stored_key, other.stored_key, 32); /* salted */
        assert_true(fc_scram_verify(&credential, fc_slice_text("secret")));
        assert_false(fc_scram_verify(&credential, fc_slice_text("secreT")));
        assert_false(fc_scram_verify(&credential, fc_slice_text("")));
    }
    assert_int_equal(fc_scram_from_password(FC_SCRAM_SHA_256, fc_slice_text("secret"), 4095,
                                            &credential, &err),
                     FC_ERR_CONFIG);
    assert_int_equal(fc_scram_from_password(FC_SCRAM_SHA_256, fc_slice_text("secret"), 16385,
                                            &credential, &err),
                     FC_ERR_CONFIG);
}

static void an_unknown_user_gets_the_same_salt_each_time_and_no_password_fits(void **state)
{
    struct fc_scram_credential once;
    struct fc_scram_credential again;
    struct fc_scram_credential other;
    (void)state;
    fc_scram_made_up(FC_SCRAM_SHA_512, fc_slice_text("key"), fc_slice_text("eve"), &once);
    fc_scram_made_up(FC_SCRAM_SHA_512, fc_slice_text("key"), fc_slice_text("eve"), &again);
    fc_scram_made_up(FC_SCRAM_SHA_512, fc_slice_text("key"), fc_slice_text("eva"), &other);
    assert_memory_equal(&once, &again, sizeof(once));
    assert_memory_not_equal(once.salt, other.salt, 16);
    assert_false(fc_scram_verify(&once, fc_slice_text("")));
    assert_false(fc_scram_verify(&once, fc_slice_text("eve")));
}

static void base64_is_read_strictly_and_written_with_padding(void **state)
{
    static const char *const texts[] = { "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "+/+/" };
    static const char *const bad[] = { "Z", "Zg=", "Zg", "Zg==Zg==", "Z===", "Zm9?", "Zm=v" };
    uint8_t bytes[8];
    size_t len = 0;
    (void)state;
    for (size_t index = 0; index < sizeof(texts) / sizeof(texts[0]); index++) {
        struct fc_buf again;
        fc_buf_init(&again, 64);
        assert_true(fc_base64_decode(fc_slice_text(texts[index]), bytes, sizeof(bytes), &len));
        fc_base64_append(&again, fc_slice_of(bytes, len));
        assert_int_equal(again.len, strlen(texts[index]));
        assert_memory_equal(again.data == NULL ? (const uint8_t *)"" : again.data, texts[index],
                            again.len);
        fc_buf_release(&again);
    }
    for (size_t index = 0; index < sizeof(bad) / sizeof(bad[0]); index++) {
        assert_false(fc_base64_decode(fc_slice_text(bad[index]), bytes, sizeof(bytes), &len));
    }
    assert_false(fc_base64_decode(fc_slice_text("AAAAAAAAAAAA"), bytes, sizeof(bytes), &len));
}

static void plain_has_three_parts(void **state)
{
    struct fc_plain plain;
    (void)state;
    assert_int_equal(fc_plain_decode(fc_slice_of("\0me\0pw", 6), &plain, NULL), FC_OK);
    assert_true(fc_slice_equal_text(plain.user, "me"));
    assert_true(fc_slice_equal_text(plain.password, "pw"));
    assert_int_equal(fc_plain_decode(fc_slice_of("me\0me\0pw", 8), &plain, NULL), FC_OK);
    assert_int_equal(fc_plain_decode(fc_slice_of("ro\0me\0pw", 8), &plain, NULL),
                     FC_ERR_PROTOCOL);
    assert_int_equal(fc_plain_decode(fc_slice_of("\0me\0pw\0", 7), &plain, NULL),
                     FC_ERR_PROTOCOL);
    assert_int_equal(fc_plain_decode(fc_slice_of("\0me\0", 4), &plain, NULL), FC_ERR_PROTOCOL);
    assert_int_equal(fc_plain_decode(fc_slice_of("\0\0pw", 4), &plain, NULL), FC_ERR_PROTOCOL);
    assert_int_equal(fc_plain_decode(fc_slice_of("me", 2), &plain, NULL), FC_ERR_PROTOCOL);
    assert_int_equal(fc_plain_decode(fc_slice_of("\0", 1), &plain, NULL), FC_ERR_PROTOCOL);
    assert_int_equal(fc_plain_decode(fc_slice_null(), &plain, NULL), FC_ERR_PROTOCOL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_exchange_of_rfc_7677_comes_out_the_same),
        cmocka_unit_test(an_exchange_with_sha_512_comes_out_the_same),
        cmocka_unit_test(a_wrong_proof_is_rejected_and_what_is_no_message_refused),
        cmocka_unit_test(a_first_message_is_read_strictly),
        cmocka_unit_test(a_password_is_verified_by_what_is_stored_of_it),
        cmocka_unit_test(an_unknown_user_gets_the_same_salt_each_time_and_no_password_fits),
        cmocka_unit_test(base64_is_read_strictly_and_written_with_padding),
        cmocka_unit_test(plain_has_three_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
