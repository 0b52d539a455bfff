/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/tls_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "core/base/alloc.h"

enum { NAMES_MAX = 16 };

struct tls_ca {
    char folder[64];
    char file[TLS_FILE_PATH_SIZE];
    EVP_PKEY *key;
    X509 *cert;
    long serial;
    char paths[NAMES_MAX][TLS_FILE_PATH_SIZE];
    size_t paths_count;
};

static void write_pem(const char *path, X509 *cert, EVP_PKEY *key)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    if (cert != NULL) {
        assert_int_equal(PEM_write_X509(file, cert), 1);
    }
    if (key != NULL) {
        assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    }
    assert_int_equal(fclose(file), 0);
}

static void add_name(X509_NAME *name, const char *field, const char *value)
{
    assert_int_equal(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                                (const unsigned char *)value, -1, -1, 0),
                     1);
}

/* Signed by the CA, or by itself while there is none. */
static X509 *make_cert(struct tls_ca *ca, EVP_PKEY *key, const char *common_name,
                       const char *organization)
{
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);
    assert_int_equal(X509_set_version(cert, 2), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), ++ca->serial), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), -3600));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 86400));
    add_name(name, "O", organization);
    add_name(name, "CN", common_name);
    assert_int_equal(X509_set_pubkey(cert, key), 1);
    if (ca->cert == NULL) {
        X509_EXTENSION *is_ca =
            X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
        assert_int_equal(X509_add_ext(cert, is_ca, -1), 1);
        X509_EXTENSION_free(is_ca);
    }
    assert_int_equal(
        X509_set_issuer_name(cert, ca->cert == NULL ? name : X509_get_subject_name(ca->cert)),
        1);
    assert_true(X509_sign(cert, ca->cert == NULL ? key : ca->key, EVP_sha256()) > 0);
    return cert;
}

struct tls_ca *tls_ca_new(void)
{
    struct tls_ca *ca = fc_new(struct tls_ca);
    (void)snprintf(ca->folder, sizeof(ca->folder), "/tmp/fc-tls-XXXXXX");
    assert_non_null(mkdtemp(ca->folder));
    (void)snprintf(ca->file, sizeof(ca->file), "%s/ca.pem", ca->folder);
    ca->key = EVP_EC_gen("P-256");
    ca->cert = make_cert(ca, ca->key, "test CA", "fluvio");
    write_pem(ca->file, ca->cert, NULL);
    return ca;
}

void tls_ca_free(struct tls_ca *ca)
{
    for (size_t index = 0; index < ca->paths_count; index++) {
        (void)unlink(ca->paths[index]); /* some are written twice */
    }
    (void)unlink(ca->file);
    (void)rmdir(ca->folder);
    EVP_PKEY_free(ca->key);
    X509_free(ca->cert);
    free(ca);
}

const char *tls_ca_file(const struct tls_ca *ca)
{
    return ca->file;
}

static void keep_path(struct tls_ca *ca, const char *path)
{
    assert_true(ca->paths_count < NAMES_MAX);
    memcpy(ca->paths[ca->paths_count++], path, TLS_FILE_PATH_SIZE);
}

void tls_ca_sign(struct tls_ca *ca, const char *name, const char *common_name,
                 const char *organization, char cert_path[TLS_FILE_PATH_SIZE],
                 char key_path[TLS_FILE_PATH_SIZE])
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = make_cert(ca, key, common_name, organization);
    (void)snprintf(cert_path, TLS_FILE_PATH_SIZE, "%s/%s.pem", ca->folder, name);
    (void)snprintf(key_path, TLS_FILE_PATH_SIZE, "%s/%s.key", ca->folder, name);
    write_pem(cert_path, cert, NULL);
    write_pem(key_path, NULL, key);
    keep_path(ca, cert_path);
    keep_path(ca, key_path);
    X509_free(cert);
    EVP_PKEY_free(key);
}

SSL_CTX *tls_ca_client(const struct tls_ca *ca, const char *cert_path, const char *key_path)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    assert_non_null(context);
    assert_int_equal(SSL_CTX_load_verify_locations(context, ca->file, NULL), 1);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (cert_path != NULL) {
        assert_int_equal(SSL_CTX_use_certificate_file(context, cert_path, SSL_FILETYPE_PEM), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey_file(context, key_path, SSL_FILETYPE_PEM), 1);
    }
    return context;
}
