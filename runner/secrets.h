/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets that a connector file names as ${{ secrets.NAME }}: from a file of NAME=value lines,
 * then from the environment variable NAME.
 *
 * The file must belong to the user who runs this and be closed to everyone else (mode 0600 or
 * 0400). Values are never shown: no message of this module holds one.
 */
#ifndef FC_RUNNER_SECRETS_H
#define FC_RUNNER_SECRETS_H

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/base/yaml.h"

enum { FC_SECRETS_FILE_BYTES_MAX = 256 * 1024 };

struct fc_secrets;

/*
 * path: NULL for the environment only. Lines: NAME=value, value verbatim to the line's end;
 * empty lines and lines that begin with '#' are skipped.
 *
 * Errors: FC_ERR_CONFIG (readable by others, not ours, a line that is not NAME=value),
 * FC_ERR_NOT_FOUND, FC_ERR_IO.
 */
FC_MUST_CHECK fc_code fc_secrets_open(const char *path, struct fc_secrets **out_secrets,
                                      struct fc_error *err);
void fc_secrets_free(struct fc_secrets *secrets); /* wipes; NULL is fine */

/* Borrowed until free; NULL when there is none of that name. */
const char *fc_secrets_get(const struct fc_secrets *secrets, const char *name);

/*
 * Replace every ${{ secrets.NAME }} in the texts of a tree, and mark those texts as secret.
 * What a secret's value holds is not looked at again.
 *
 * declared  the list of maps under meta.secrets, or NULL: any name may be used.
 */
FC_MUST_CHECK fc_code fc_secrets_fill(const struct fc_secrets *secrets, struct fc_yaml *yaml,
                                      struct fc_yaml_node *node,
                                      const struct fc_yaml_node *declared,
                                      struct fc_error *err);

/* FC_ERR_CONFIG when a text of the tree names a secret: for places where none may stand. */
FC_MUST_CHECK fc_code fc_secrets_refuse(const struct fc_yaml *yaml,
                                        const struct fc_yaml_node *node, struct fc_error *err);

/* Whether it can name a secret: letters, digits and '_', not beginning with a digit. */
bool fc_secrets_name_ok(const char *name);

#endif
