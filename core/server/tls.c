/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A context of OpenSSL behind a lock; a reload builds a new one aside and swaps it in, and the
 * old one goes with its last connection.
 */
#include "core/server/tls.h"

#include <pthread.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "core/base/alloc.h"

struct fc_tls {
    char *cert_file;
    char *key_file;
    char *ca_file; /* may be NULL */
    fc_tls_client_auth client_auth;
    pthread_mutex_t lock;
    SSL_CTX *context; /* guarded by lock */
};

bool fc_tls_error_text(char *to, size_t size)
{
    unsigned long code = ERR_peek_error();
    const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);
    if (reason == NULL && ERR_SYSTEM_ERROR(code)) {
        reason = strerrordesc_np(ERR_GET_REASON(code));
    }
    if (to != NULL) {
        (void)snprintf(to, size, "%s", reason == NULL ? "the peer closed it" : reason);
    }
    ERR_clear_error();
    return code != 0;
}

static fc_code fail(struct fc_error *err, const char *what, const char *file)
{
    char text[160];
    (void)fc_tls_error_text(text, sizeof(text)); /* says so when there is nothing */
    return fc_fail(err, FC_ERR_CONFIG, "%s %s: %s", what, file, text);
}

static fc_code trust_clients(SSL_CTX *context, const struct fc_tls *tls, struct fc_error *err)
{
    int mode = SSL_VERIFY_PEER;
    STACK_OF(X509_NAME) * names;
    if (tls->client_auth == FC_TLS_CLIENT_NONE) {
        return FC_OK;
    }
    if (tls->ca_file == NULL) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "client certificates are asked for and no CA is named");
    }
    names = SSL_load_client_CA_file(tls->ca_file);
    if (names == NULL || SSL_CTX_load_verify_locations(context, tls->ca_file, NULL) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return fail(err, "CA", tls->ca_file);
    }
    SSL_CTX_set_client_CA_list(context, names); /* owns them now */
    if (tls->client_auth == FC_TLS_CLIENT_REQUIRE) {
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    }
    SSL_CTX_set_verify(context, mode, NULL);
    return FC_OK;
}

static fc_code load(const struct fc_tls *tls, SSL_CTX **out_context, struct fc_error *err)
{
    static const unsigned char session_context[] = "fluvio";
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    fc_code code;
    if (context == NULL) {
        return fail(err, "TLS", "context");
    }
    ERR_clear_error();
    (void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION); /* a known version */
    (void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                           SSL_OP_CIPHER_SERVER_PREFERENCE |
                                           SSL_OP_IGNORE_UNEXPECTED_EOF);
    (void)SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                        SSL_MODE_RELEASE_BUFFERS);
    (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); /* tickets do it */
    (void)SSL_CTX_set_session_id_context(context, session_context, sizeof(session_context) - 1);
    if (SSL_CTX_use_certificate_chain_file(context, tls->cert_file) != 1) {
        code = fail(err, "certificate", tls->cert_file);
    } else if (SSL_CTX_use_PrivateKey_file(context, tls->key_file, SSL_FILETYPE_PEM) != 1) {
        code = fail(err, "key", tls->key_file);
    } else if (SSL_CTX_check_private_key(context) != 1) {
        code = fail(err, "key does not fit the certificate:", tls->key_file);
    } else {
        code = trust_clients(context, tls, err);
    }
    if (code != FC_OK) {
        SSL_CTX_free(context);
        return code;
    }
    *out_context = context;
    return FC_OK;
}

fc_code fc_tls_new(const struct fc_tls_config *config, struct fc_tls **out_tls,
                   struct fc_error *err)
{
    struct fc_tls *tls = fc_new(struct fc_tls);
    fc_code code;
    tls->cert_file = fc_strdup(config->cert_file);
    tls->key_file = fc_strdup(config->key_file);
    tls->ca_file = config->ca_file == NULL ? NULL : fc_strdup(config->ca_file);
    tls->client_auth = config->client_auth;
    (void)pthread_mutex_init(&tls->lock, NULL); /* never fails with default attributes */
    code = load(tls, &tls->context, err);
    if (code != FC_OK) {
        fc_tls_free(tls);
        return code;
    }
    *out_tls = tls;
    return FC_OK;
}

void fc_tls_free(struct fc_tls *tls)
{
    if (tls != NULL) {
        SSL_CTX_free(tls->context);
        (void)pthread_mutex_destroy(&tls->lock);
        free(tls->cert_file);
        free(tls->key_file);
        free(tls->ca_file);
        free(tls);
    }
}

fc_code fc_tls_reload(struct fc_tls *tls, struct fc_error *err)
{
    SSL_CTX *fresh = NULL;
    SSL_CTX *old;
    fc_code code = load(tls, &fresh, err);
    if (code != FC_OK) {
        return code;
    }
    (void)pthread_mutex_lock(&tls->lock);
    old = tls->context;
    tls->context = fresh;
    (void)pthread_mutex_unlock(&tls->lock);
    SSL_CTX_free(old);
    return FC_OK;
}

SSL *fc_tls_accept(struct fc_tls *tls, int fd)
{
    SSL *ssl;
    (void)pthread_mutex_lock(&tls->lock);
    ssl = SSL_new(tls->context);
    (void)pthread_mutex_unlock(&tls->lock);
    if (ssl != NULL && SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        ssl = NULL;
    }
    if (ssl != NULL) {
        SSL_set_accept_state(ssl);
    }
    ERR_clear_error();
    return ssl;
}

char *fc_tls_peer_subject(SSL *ssl)
{
    X509 *certificate = SSL_get1_peer_certificate(ssl);
    BIO *text = NULL;
    char *subject = NULL;
    char *bytes = NULL;
    long len;
    if (certificate == NULL || SSL_get_verify_result(ssl) != X509_V_OK) {
        goto out;
    }
    text = BIO_new(BIO_s_mem());
    if (text == NULL ||
        X509_NAME_print_ex(text, X509_get_subject_name(certificate), 0,
                           XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) < 0) {
        goto out;
    }
    len = BIO_get_mem_data(text, &bytes);
    subject = fc_strndup(bytes, (size_t)len);
out:
    BIO_free(text);
    X509_free(certificate);
    return subject;
}
