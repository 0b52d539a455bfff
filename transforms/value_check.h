/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a column can hold a value, and the form in which rows hold it. Pure functions. */
#ifndef FC_TRANSFORM_VALUE_CHECK_H
#define FC_TRANSFORM_VALUE_CHECK_H

#include "core/base/buf.h"
#include "fc/change.h"

enum {
    FC_VALUE_DECIMAL_SIZE = 128, /* room for any decimal: 65 digits, sign, point, padding */
    FC_VALUE_UUID_SIZE = 36
};

/* Decimal digits only, at most 2^64-1. */
bool fc_value_parse_u64(struct fc_slice text, uint64_t *out_value);

/*
 * "1.5" as a DECIMAL column holds it, "1.50", in `to`. NULL, or why the column cannot.
 * text may stand in `to`.
 */
const char *fc_value_decimal(struct fc_slice text, const struct fc_column *column,
                             char to[FC_VALUE_DECIMAL_SIZE], struct fc_slice *out_text);

/* A number with `scale` fraction digits, when those are all it has; else the null slice. */
struct fc_slice fc_value_decimal_of_double(double number, unsigned scale,
                                           char to[FC_VALUE_DECIMAL_SIZE]);

/* One of the column's labels, or "", the error value; anything when the labels are not known. */
bool fc_value_is_label(const struct fc_column *column, struct fc_slice text);

/* A SET's labels, in the order of its definition, each once. */
bool fc_value_order_labels(const struct fc_column *column, struct fc_slice text,
                           struct fc_buf *out);

/* NULL, or why a YEAR, DATE, TIME, DATETIME or TIMESTAMP column cannot hold the number. */
const char *fc_value_check_time(const struct fc_column *column, int64_t value);

/* A date with zeros, or one that no calendar has: what a server shows for them. */
bool fc_value_is_odd_date(const struct fc_column *column, struct fc_slice text);

/* In lower case; false when it is not 8-4-4-4-12 hexadecimal digits. */
bool fc_value_uuid(struct fc_slice text, char to[FC_VALUE_UUID_SIZE]);

#endif
