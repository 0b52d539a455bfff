/* SPDX-License-Identifier: Apache-2.0 */
/* How `consume` prints a record. */
#ifndef FC_CLI_RECORD_FORMAT_H
#define FC_CLI_RECORD_FORMAT_H

#include "core/base/buf.h"
#include "core/base/error.h"
#include "core/base/slice.h"

enum { FC_RECORD_HEADERS_MAX = 1000, FC_RECORD_PARTS_MAX = 64 };

typedef enum fc_record_style {
    FC_RECORD_DYNAMIC, /* text when it is, otherwise a hex dump */
    FC_RECORD_TEXT,    /* text; bytes that are none become U+FFFD */
    FC_RECORD_BINARY,  /* a hex dump */
    FC_RECORD_JSON,    /* one object a line, all there is of the record */
    FC_RECORD_RAW,     /* the value's bytes and nothing else */
    FC_RECORD_TEMPLATE /* --format */
} fc_record_style;

typedef enum fc_record_part_kind {
    FC_RECORD_PART_TEXT,
    FC_RECORD_PART_KEY,
    FC_RECORD_PART_VALUE,
    FC_RECORD_PART_OFFSET,
    FC_RECORD_PART_PARTITION,
    FC_RECORD_PART_TIME,
    FC_RECORD_PART_TIMESTAMP,
    FC_RECORD_PART_TOPIC,
    FC_RECORD_PART_HEADERS
} fc_record_part_kind;

struct fc_record_part {
    fc_record_part_kind kind;
    struct fc_slice text; /* borrows from the template */
};

struct fc_record_format {
    fc_record_style style;
    bool with_key; /* "[key] value" */
    struct fc_record_part parts[FC_RECORD_PARTS_MAX];
    size_t part_count;
};

struct fc_record_header {
    const char *name;
    struct fc_slice value; /* null: no value */
};

struct fc_record_view {
    const char *topic;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms;  /* -1: none */
    struct fc_slice key;   /* null: none */
    struct fc_slice value; /* null: a tombstone */
    const struct fc_record_header *headers;
    size_t header_count;
};

/* "dynamic", "text", ...; FC_ERR_CONFIG with the nearest. */
FC_MUST_CHECK fc_code fc_record_format_style(const char *name, struct fc_record_format *out,
                                             struct fc_error *err);

/*
 * "{{offset}}: {{value}}\n"; the template is borrowed. \n, \t, \\ stand for themselves as in C. A
 * template that does not end with \n is followed by a line end. FC_ERR_CONFIG names what is
 * unknown between {{ and }}.
 */
FC_MUST_CHECK fc_code fc_record_format_template(const char *text, struct fc_record_format *out,
                                                struct fc_error *err);

/* Append the printed record. */
void fc_record_format_print(const struct fc_record_format *format,
                            const struct fc_record_view *record, struct fc_buf *out);

#endif
