/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file that fluvio-spu is started with: strict YAML, each mistake told with its place.
 *
 *   node-id: 1
 *   data-dir: /var/lib/fluvio
 *   listeners:
 *     - name: PLAINTEXT
 *       host: 127.0.0.1
 *       port: 9092
 *       auth: sasl          # docs/security.md
 *   authorization:
 *     enabled: true
 *   topics:                 # what a topic has where it sets nothing, by Kafka's names
 *     retention.ms: 604800000
 */
#ifndef FC_SPU_SPU_FILE_H
#define FC_SPU_SPU_FILE_H

#include "core/base/options_check.h"
#include "core/spu/spu.h"

struct fc_spu_file {
    struct fc_yaml yaml;
    struct fc_options *options;
    struct fc_listener_config *listeners;
    struct fc_tls_config *tls;         /* by listener */
    struct fc_spu_listener_auth *auth; /* by listener */
    struct fc_principal_rules **rules; /* by listener; NULL: none */
    const char **super_users;
    const char *data_dir;
    struct fc_log_topic_config topics;
    struct fc_spu_config config; /* its texts are the file's */
};

/* Errors: FC_ERR_CONFIG with path:line:column, FC_ERR_NOT_FOUND, FC_ERR_IO. */
FC_MUST_CHECK fc_code fc_spu_file_read(const char *path, struct fc_spu_file **out_file,
                                       struct fc_error *err);
void fc_spu_file_free(struct fc_spu_file *file); /* NULL is fine */

/* What can stand in the file, beside the settings under `topics`. */
struct fc_spu_file_block {
    const char *prefix; /* of its keys: "listeners[].tls." */
    const struct fc_option *options;
};

/* NULL past the end. */
const struct fc_spu_file_block *fc_spu_file_block(size_t index);

#endif
