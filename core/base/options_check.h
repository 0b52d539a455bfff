/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block of a YAML file, checked against an option table: a plugin's own block, or one of a
 * program's.
 *
 * Invariant: every value that this gives out has the type and lies in the bounds that the table
 * says; what the file leaves out has the table's default.
 */
#ifndef FC_BASE_OPTIONS_CHECK_H
#define FC_BASE_OPTIONS_CHECK_H

#include "core/base/options.h"
#include "core/base/yaml.h"

struct fc_options;

/* What is checked; everything is borrowed until the options are freed. */
struct fc_options_source {
    const char *path;               /* of the file, for messages */
    const char *what;               /* how messages name the block: "mysql" */
    const struct fc_yaml_node *map; /* NULL: the file has no such block */
    const char *const
        *others; /* keys that are right but read elsewhere, ends with NULL; or NULL */
    bool readable_by_others; /* so a secret in clear is worth a warning */
};

/*
 * Errors: FC_ERR_CONFIG with file:line:column (unknown key, wrong type, out of bounds, missing
 * required key); a default in the table that does not fit its own type is FC_ERR_PROTOCOL: the
 * table is wrong, not the file.
 */
FC_MUST_CHECK fc_code fc_options_read(const struct fc_options_source *source,
                                      const struct fc_option *table,
                                      struct fc_options **out_options, struct fc_error *err);

void fc_options_free(struct fc_options *options); /* NULL is fine */

/*
 * Asking for a key that is not in the table, or by the wrong type, is a bug of the caller.
 * Absent without default: text NULL, number 0, list empty.
 */
const char *fc_options_text(const struct fc_options *options, const char *key);
int64_t fc_options_int(const struct fc_options *options, const char *key);
uint32_t fc_options_list(const struct fc_options *options, const char *key,
                         const char *const **out_items);

/* Names and values in turn; returns the number of pairs. */
uint32_t fc_options_map(const struct fc_options *options, const char *key,
                        const char *const **out_pairs);

/* The node that the file gives for the key; NULL when the value is the default. */
const struct fc_yaml_node *fc_options_node(const struct fc_options *options, const char *key);

/*
 * Prefix err with where the file gives what it complains of: "file:line:column: ", or "file: "
 * when the value is the default. item: which one of a LIST, or which name of a MAP, from 0;
 * FC_OPTION_WHOLE: the value. Returns err's code.
 */
fc_code fc_options_wrap(const struct fc_options *options, const char *key, uint32_t item,
                        struct fc_error *err);

/*
 * Something that works but should be known: a password in clear in a file that others may read.
 * One line without the value, or NULL.
 */
const char *fc_options_warning(const struct fc_options *options);

/* "text", "size": for option tables shown to people. */
const char *fc_option_type_name(fc_option_type type);

#endif
