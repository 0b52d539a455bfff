/* SPDX-License-Identifier: Apache-2.0 */
/* Sample tables and rows for tests: one table with a column of each type, and its rows. */
#ifndef FC_TESTS_SAMPLE_ROWS_H
#define FC_TESTS_SAMPLE_ROWS_H

#include "core/base/clock.h"
#include "fc/connector.h"

/* A row of every type. */
enum { FC_SAMPLE_COLUMNS = 34, FC_SAMPLE_ROWS = 5 };

typedef enum fc_sample_row {
    FC_SAMPLE_COMMON,    /* what rows usually hold */
    FC_SAMPLE_EXTREME,   /* the ends of each range, characters that need escapes */
    FC_SAMPLE_NULL,      /* NULL in every column but the key */
    FC_SAMPLE_ZERO_DATE, /* zero and invalid dates, empty values */
    FC_SAMPLE_UNCHANGED  /* large columns that the source left out */
} fc_sample_row;

/* Table types of database inv; the key is (b, id) in that order. create_sql is NULL. */
const struct fc_shape *fc_sample_shape(void);

/* FC_SAMPLE_COLUMNS values; bytes are static. */
void fc_sample_fill(fc_sample_row which, struct fc_value *out_row);

/* Debezium's fields of a MySQL source, and values for them; "row" is the event's row number. */
enum { FC_SAMPLE_FIELDS = 8 };
const struct fc_source_field *fc_sample_fields(void);
const struct fc_value *fc_sample_source(void);

/* A clock that stands at 1700000000123456789 ns. */
const struct fc_clock *fc_sample_clock(void);

/* Values for tests. */
struct fc_value fc_sample_int(int64_t value);
struct fc_value fc_sample_uint(uint64_t value);
struct fc_value fc_sample_text(const char *text);
struct fc_value fc_sample_bytes(const void *data, size_t len);
struct fc_value fc_sample_null(void);

/* The same kind, and the same bits or bytes. */
bool fc_sample_equal(const struct fc_value *a, const struct fc_value *b);

#endif
