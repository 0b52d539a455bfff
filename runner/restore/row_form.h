/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How rows of each version of a table are decoded, loaded and compared.
 *
 * Rows are compared by a hash of their text as the newest version writes it. A row of an older
 * version is compared by the columns that it has in the form in which the newest has them.
 *
 * Thread: immutable once made; what encodes takes an envelope of the caller's.
 */
#ifndef FC_RESTORE_ROW_FORM_H
#define FC_RESTORE_ROW_FORM_H

#include "runner/envelope/envelope.h"
#include "runner/restore/keymap.h"
#include "runner/restore/versions.h"

/* Columns by which rows are compared; `shape` encodes them. */
struct fc_compared {
    struct fc_shape shape;
    struct fc_column *shape_columns; /* the shape's; owned */
    uint32_t *columns;               /* for each its index in the newest version's rows */
};

struct fc_row_form {
    struct fc_projection projection;
    struct fc_row_decoder *decoder;
    bool plain;                  /* writes rows as the newest version does */
    struct fc_compared compared; /* not of a plain one */
    uint32_t *compared_from;     /* for each compared column its index in this version's rows */
};

struct fc_row_forms {
    const struct fc_schema *newest;
    struct fc_row_form *items; /* one a version */
    uint32_t count;
    bool keyed;
    /* Without key rows of several versions cannot be told apart: all are compared by the columns
     * that every version has. */
    bool by_common;
    struct fc_compared common;
};

/* versions outlives the forms. */
struct fc_row_forms *fc_row_forms_new(const struct fc_versions *versions);
void fc_row_forms_free(struct fc_row_forms *forms); /* NULL is fine */

/* The hash of a row of the newest version, by all its columns (compared NULL) or some of them.
 * scratch and picked (room for the newest's columns) are the caller's. */
uint64_t fc_row_hash(struct fc_envelope *envelope, const struct fc_shape *shape,
                     const struct fc_compared *compared, const struct fc_value *row,
                     struct fc_value *picked, struct fc_buf *scratch);

/* The hash of a row's text. */
uint64_t fc_row_text_hash(struct fc_slice text);

#endif
