/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this command needs to know of a server's file (fluvio-spu --config): where the data is,
 * where it listens, which TLS files it uses. The server checks the file; this reads leniently.
 */
#ifndef FC_CLI_LOCAL_FILE_H
#define FC_CLI_LOCAL_FILE_H

#include <jansson.h>

#include "core/base/error.h"

enum { FC_LOCAL_LISTENERS_MAX = 16 };

struct fc_local_listener {
    char *host;
    int port;
    char *certificate; /* NULL: no TLS */
    char *key;
    char *client_ca; /* may be NULL */
    bool sasl;       /* clients log in */
};

struct fc_local_file {
    char *data_dir;
    struct fc_local_listener listeners[FC_LOCAL_LISTENERS_MAX];
    int listener_count;
};

/* Errors: FC_ERR_NOT_FOUND, FC_ERR_CONFIG. */
FC_MUST_CHECK fc_code fc_local_file_read(const char *path, struct fc_local_file *out_file,
                                         struct fc_error *err);
void fc_local_file_release(struct fc_local_file *file);

/* The whole file as a tree, what looks like a secret replaced; to be json_decref'ed. */
FC_MUST_CHECK fc_code fc_local_file_redacted(const char *path, json_t **out_tree,
                                             struct fc_error *err);

/* The text of a new file: one node, one listener on loopback. To be freed. */
char *fc_local_file_text(const char *data_dir, int port);

#endif
