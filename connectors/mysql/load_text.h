/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows as text that LOAD DATA reads, or as the value lists of an INSERT.
 *
 * Both give the server exactly the values that the rows hold. Text is UTF-8 and escaped; bytes
 * travel as hexadecimal digits, because the server would otherwise take them for text of the
 * statement's character set.
 */
#ifndef FC_MYSQL_LOAD_TEXT_H
#define FC_MYSQL_LOAD_TEXT_H

#include "core/base/buf.h"
#include "core/base/error.h"
#include "fc/change.h"

typedef enum fc_load_style {
    FC_LOAD_FILE,  /* a line of LOAD DATA: fields parted by tabs, \N for NULL */
    FC_LOAD_VALUES /* "(1,'x',NULL)" of an INSERT */
} fc_load_style;

/* What the table that is loaded says about its columns. Names compare without case. */
struct fc_load_table {
    char *counter;    /* the AUTO_INCREMENT column or NULL */
    char **generated; /* columns that the server computes */
    uint32_t generated_count;
    uint32_t column_count; /* those that are not generated */
};

struct fc_load_column;

/* How rows of one shape are written. */
struct fc_load_text {
    const struct fc_shape *shape;
    fc_load_style style;
    struct fc_load_column *columns; /* those that are written, in order */
    uint32_t column_count;
    uint64_t enum_errors; /* values written so far that are the error value of an ENUM; a server
                             may give a warning for each */
};

/* shape is borrowed until release. FC_ERR_CONFIG when no column is left to load. */
FC_MUST_CHECK fc_code fc_load_text_init(struct fc_load_text *text, const struct fc_shape *shape,
                                        fc_load_style style, const struct fc_load_table *table,
                                        struct fc_error *err);
void fc_load_text_release(struct fc_load_text *text);

/* Append the column list that fits the rows: "(`id`,@v1) SET `data`=UNHEX(@v1)" for
 * FC_LOAD_FILE, "(`id`,`data`)" for FC_LOAD_VALUES. */
void fc_load_text_append_columns(const struct fc_load_text *text, struct fc_buf *sql);

/*
 * Append one row: shape->column_count values.
 *
 * Errors (nothing appended): FC_ERR_REJECTED for a value that its column cannot hold or that is
 * not known; FC_ERR_LIMIT when it is too large for `out`.
 */
FC_MUST_CHECK fc_code fc_load_text_append_row(struct fc_load_text *text,
                                              const struct fc_value *values, struct fc_buf *out,
                                              struct fc_error *err);

#endif
