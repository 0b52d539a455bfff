/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates for tests, made on the spot: a CA, and what it signs, as PEM files. */
#ifndef FC_TEST_TLS_FILES_H
#define FC_TEST_TLS_FILES_H

#include <openssl/types.h>

struct tls_ca;

/* Paths have room for this. */
enum { TLS_FILE_PATH_SIZE = 256 };

/* In a new temporary folder, with ca.pem. Fails the test when it cannot be made. */
struct tls_ca *tls_ca_new(void);
void tls_ca_free(struct tls_ca *ca); /* removes the folder */
const char *tls_ca_file(const struct tls_ca *ca);

/* Sign a certificate for CN=common_name,O=organization; writes <name>.pem and <name>.key (over
 * what was there) and gives their paths. */
void tls_ca_sign(struct tls_ca *ca, const char *name, const char *common_name,
                 const char *organization, char cert_path[TLS_FILE_PATH_SIZE],
                 char key_path[TLS_FILE_PATH_SIZE]);

/* A client's context that trusts the CA; cert_path NULL: it shows no certificate. */
SSL_CTX *tls_ca_client(const struct tls_ca *ca, const char *cert_path, const char *key_path);

#endif
