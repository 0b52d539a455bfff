/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin's block of the connector file, checked against the plugin's option table.
 *
 * Invariant: every value that this gives out has the type and lies in the bounds that the table
 * says; what the file leaves out has the table's default.
 */
#ifndef FC_RUNNER_OPTIONS_CHECK_H
#define FC_RUNNER_OPTIONS_CHECK_H

#include "core/base/options.h"
#include "runner/config.h"

struct fc_options;

/*
 * Check config->plugin_block. `config` must outlive the options.
 *
 * Errors: FC_ERR_CONFIG with file:line:column (unknown key, wrong type, out of bounds, missing
 * required key); a default in the table that does not fit its own type is FC_ERR_PROTOCOL: the
 * plugin is wrong.
 */
FC_MUST_CHECK fc_code fc_options_new(const struct fc_config *config,
                                     const struct fc_option *table,
                                     struct fc_options **out_options, struct fc_error *err);
void fc_options_free(struct fc_options *options); /* NULL is fine; wipes texts */

/* Asking for a key that is not in the table, or by the wrong type, is a bug of the caller. */
const char *fc_options_text(const struct fc_options *options, const char *key);
int64_t fc_options_int(const struct fc_options *options, const char *key);
uint32_t fc_options_list(const struct fc_options *options, const char *key,
                         const char *const **out_items);

/*
 * Something that works but should be known: a password in clear in a file that others may read.
 * One line without the value, or NULL.
 */
const char *fc_options_warning(const struct fc_options *options);

/* "text", "size": for option tables shown to people. */
const char *fc_option_type_name(fc_option_type type);

#endif
