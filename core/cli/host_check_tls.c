/* SPDX-License-Identifier: Apache-2.0 */
/* TLS files: readable, belonging together, not expired. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "core/base/alloc.h"
#include "core/cli/host_check.h"

enum { SOON_DAYS = 30 };

static const char OPENSSL_FIX[] =
    "it must be PEM: openssl x509 -in FILE -noout -subject reads it";

static void check_dates(json_t *results, const char *path, const X509 *certificate,
                        const struct fc_clock *clock)
{
    time_t now = (time_t)(fc_clock_wall_ms(clock) / 1000);
    int days = 0;
    int seconds = 0;
    ASN1_TIME *at = ASN1_TIME_set(NULL, now);
    const ASN1_TIME *until = X509_get0_notAfter(certificate);
    if (at == NULL || ASN1_TIME_diff(&days, &seconds, at, until) != 1) {
        fc_check_add(results, "certificate", FC_VERDICT_FAIL, OPENSSL_FIX,
                     "%s: its dates cannot be read", path);
    } else if (days < 0 || seconds < 0) {
        fc_check_add(results, "certificate", FC_VERDICT_FAIL,
                     "get a new one; a running server takes it without a restart",
                     "%s expired %d days ago", path, -days);
    } else if (X509_cmp_time(X509_get0_notBefore(certificate), &now) > 0) {
        fc_check_add(results, "certificate", FC_VERDICT_FAIL,
                     "wait, or look at this machine's clock", "%s is not valid yet", path);
    } else {
        bool soon = days < SOON_DAYS;
        fc_check_add(results, "certificate", soon ? FC_VERDICT_WARN : FC_VERDICT_OK,
                     soon ? "get a new one; a running server takes it without a restart" : NULL,
                     "%s is valid for %d more days", path, days);
    }
    ASN1_TIME_free(at);
}

/* NULL after a failed check was added. */
static X509 *load_certificate(json_t *results, const char *check, const char *path)
{
    FILE *file = fopen(path, "re");
    X509 *certificate;
    if (file == NULL) {
        fc_check_add(results, check, FC_VERDICT_FAIL,
                     "give the right path, and let this user read it", "%s: %s", path,
                     strerrordesc_np(errno));
        return NULL;
    }
    certificate = PEM_read_X509(file, NULL, NULL, NULL);
    (void)fclose(file); /* only read from */
    ERR_clear_error();
    if (certificate == NULL) {
        fc_check_add(results, check, FC_VERDICT_FAIL, OPENSSL_FIX, "%s holds no certificate",
                     path);
    }
    return certificate;
}

static void check_key(json_t *results, const char *path, const char *of,
                      const X509 *certificate)
{
    FILE *file = fopen(path, "re");
    EVP_PKEY *key = NULL;
    char no_password[] = "";
    struct stat info = { 0 };
    char *fix = fc_asprintf("chmod 600 %s", path);
    if (file == NULL) {
        fc_check_add(results, "key", FC_VERDICT_FAIL,
                     "give the right path, and let this user read it", "%s: %s", path,
                     strerrordesc_np(errno));
        free(fix);
        return;
    }
    key = PEM_read_PrivateKey(file, NULL, NULL, no_password);
    if (key == NULL) {
        fc_check_add(results, "key", FC_VERDICT_FAIL,
                     "it must be PEM and without a password: openssl pkey -in FILE -noout",
                     "%s holds no key that can be read", path);
    } else if (X509_check_private_key(certificate, key) != 1) {
        fc_check_add(results, "key", FC_VERDICT_FAIL,
                     "name the key that the certificate is for", "%s is not the key of %s",
                     path, of);
    } else if (fstat(fileno(file), &info) == 0 && (info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        fc_check_add(results, "key", FC_VERDICT_WARN, fix, "%s can be read by others", path);
    } else {
        fc_check_add(results, "key", FC_VERDICT_OK, NULL, "%s is the key of %s", path, of);
    }
    ERR_clear_error();
    EVP_PKEY_free(key);
    (void)fclose(file); /* only read from */
    free(fix);
}

void fc_check_tls(json_t *results, const char *certificate, const char *key, const char *ca,
                  const struct fc_clock *clock)
{
    X509 *loaded = load_certificate(results, "certificate", certificate);
    X509 *signer;
    if (loaded != NULL) {
        check_dates(results, certificate, loaded, clock);
        if (key != NULL) {
            check_key(results, key, certificate, loaded);
        }
    }
    X509_free(loaded);
    if (ca != NULL) {
        signer = load_certificate(results, "client CA", ca);
        if (signer != NULL) {
            check_dates(results, ca, signer, clock);
        }
        X509_free(signer);
    }
}
