/* SPDX-License-Identifier: Apache-2.0 */
/* One column's value from JSON: what encode_value.h writes, read back. */
#ifndef FC_RUNNER_DECODE_VALUE_H
#define FC_RUNNER_DECODE_VALUE_H

#include "catalog/schema.h"
#include "runner/envelope/json_scan.h"

/* What a JSON string in a column's place means. */
typedef enum fc_string_means {
    FC_STRING_TEXT,     /* itself; in a number's place a transform put it there */
    FC_STRING_FLOAT,    /* "NaN", "Infinity", "-Infinity" */
    FC_STRING_DOUBLE,   /* the same */
    FC_STRING_BASE64,   /* bytes */
    FC_STRING_UNSCALED, /* base64 of a decimal's unscaled number */
    FC_STRING_MOMENT    /* ISO text, or a zero date's text */
} fc_string_means;

/* What a JSON number in a column's place means. */
typedef enum fc_number_means {
    FC_NUMBER_INT, /* a double when it is no whole number */
    FC_NUMBER_UNSIGNED,
    FC_NUMBER_LONG,   /* unsigned, written as a signed number */
    FC_NUMBER_MILLIS, /* of microseconds */
    FC_NUMBER_FLOAT,  /* from here on no whole numbers */
    FC_NUMBER_DOUBLE
} fc_number_means;

/* How a column's values are read, worked out once. */
struct fc_value_reader {
    uint8_t string_means; /* fc_string_means */
    uint8_t number_means; /* fc_number_means */
    uint8_t scale;        /* of an unscaled decimal */
    uint8_t type;         /* fc_type */
};

struct fc_value_reader fc_value_reader_of(const struct fc_column *column,
                                          fc_envelope_mode mode);

/*
 * Take a value; the cursor stands on its first character. false when it is not one that the
 * column can have, or when the arena is full (arena->failed tells).
 */
bool fc_value_take(struct fc_json_scan *scan, struct fc_value_reader reader,
                   struct fc_arena *arena, struct fc_value *out_value);

#endif
