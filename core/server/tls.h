/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listener's certificates: loaded at the start, and again without a restart.
 *
 * A struct fc_tls is shared by all loops. A handshake that begins after a reload uses the new
 * files; connections that stand keep what they were opened with.
 */
#ifndef FC_SERVER_TLS_H
#define FC_SERVER_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/types.h>

#include "core/base/error.h"

typedef enum fc_tls_client_auth {
    FC_TLS_CLIENT_NONE,    /* not asked for a certificate */
    FC_TLS_CLIENT_REQUEST, /* asked; one that is shown must be valid */
    FC_TLS_CLIENT_REQUIRE
} fc_tls_client_auth;

/* Paths of PEM files. */
struct fc_tls_config {
    const char *cert_file; /* the certificate, then its chain */
    const char *key_file;
    const char *ca_file; /* who signs clients' certificates; NULL when none are asked for */
    fc_tls_client_auth client_auth;
};

struct fc_tls;

/* The config's texts are copied. Errors: FC_ERR_CONFIG, naming the file. */
FC_MUST_CHECK fc_code fc_tls_new(const struct fc_tls_config *config, struct fc_tls **out_tls,
                                 struct fc_error *err);
void fc_tls_free(struct fc_tls *tls);

/* Read the files again. On an error what was loaded before stays in use. Thread: any. */
FC_MUST_CHECK fc_code fc_tls_reload(struct fc_tls *tls, struct fc_error *err);

/* A server's side of a handshake on a non-blocking socket; NULL when memory is gone. Thread:
 * any. */
SSL *fc_tls_accept(struct fc_tls *tls, int fd);

/* The subject of the client's verified certificate, RFC 2253, to free(); NULL when it showed
 * none. */
char *fc_tls_peer_subject(SSL *ssl);

/* Why the last OpenSSL call of this thread failed, as text; empties the thread's queue. False:
 * OpenSSL does not say, the peer went. to may be NULL. */
bool fc_tls_error_text(char *to, size_t size);

#endif
