/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results as a table for people, or as JSON or YAML for programs: a command builds one tree of
 * values, and its columns say what of it a table shows.
 */
#ifndef FC_CLI_OUTPUT_H
#define FC_CLI_OUTPUT_H

#include <jansson.h>

#include "core/cli/command.h"

typedef enum fc_column_kind {
    FC_COLUMN_TEXT,
    FC_COLUMN_NUMBER, /* to the right */
    FC_COLUMN_BYTES,  /* "1.5 MiB", to the right */
    FC_COLUMN_TIME    /* milliseconds since 1970, as a date in UTC */
} fc_column_kind;

/* Title NULL ends the table. What is missing or null is shown as "-", a list with commas. */
struct fc_column {
    const char *title;
    const char *key;
    fc_column_kind kind;
};

/* rows: an array of objects; borrowed. In JSON and YAML every key is printed. */
void fc_output_rows(struct fc_cli *cli, json_t *rows, const struct fc_column *columns);

/* As a table on stdout, whatever -O says. */
void fc_output_table(FILE *out, json_t *rows, const struct fc_column *columns);

/* A value as JSON or YAML, whichever -O says (JSON when it says table). */
void fc_output_value(struct fc_cli *cli, json_t *value);

/* Text that a server gave may be no UTF-8: then each byte that is not becomes U+FFFD. */
json_t *fc_output_text(const char *text, size_t len);

/* fc_output_text of a NUL-terminated text; null for NULL. */
json_t *fc_output_string(const char *text);

#endif
