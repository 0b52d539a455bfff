/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of MySQL GTIDs: for each source (server UUID, and tag since MySQL 8.3) the intervals of
 * transaction numbers.
 *
 * Text form: "uuid:1-5:7,uuid:tag:1-3"; spaces and newlines around parts are allowed.
 *
 * Invariants: sources are ordered by UUID, then tag; each has at least one interval; intervals
 * are ordered, do not touch, and 1 <= first < end.
 */
#ifndef FC_MYSQL_GTID_SET_H
#define FC_MYSQL_GTID_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/error.h"
#include "core/base/slice.h"

enum {
    FC_GTID_UUID_SIZE = 16,
    FC_GTID_UUID_TEXT_SIZE = 36,
    FC_GTID_TAG_MAX = 32,
    FC_GTID_SOURCES_MAX = 65536,
    FC_GTID_INTERVALS_MAX = 1000000
};

struct fc_gtid_interval {
    int64_t first;
    int64_t end; /* one past the last */
};

struct fc_gtid_source {
    uint8_t uuid[FC_GTID_UUID_SIZE];
    char tag[FC_GTID_TAG_MAX + 1]; /* "" when untagged */
    struct fc_gtid_interval *intervals;
    uint32_t interval_count;
    uint32_t interval_capacity;
};

struct fc_gtid_set {
    struct fc_gtid_source *sources;
    uint32_t source_count;
    uint32_t source_capacity;
};

void fc_gtid_set_init(struct fc_gtid_set *set); /* the empty set */
void fc_gtid_set_release(struct fc_gtid_set *set);
void fc_gtid_set_copy(struct fc_gtid_set *to, const struct fc_gtid_set *from); /* inits to */

/* Init and fill `set` from text; on failure it is empty. FC_ERR_CONFIG names the byte. */
FC_MUST_CHECK fc_code fc_gtid_set_parse(struct fc_gtid_set *set, struct fc_slice text,
                                        struct fc_error *err);
/* Lower case, ordered, no spaces; MySQL's own form. */
void fc_gtid_set_print(const struct fc_gtid_set *set, struct fc_buf *out);

/* tag "" for untagged. FC_ERR_LIMIT past the limits above; FC_ERR_PROTOCOL for gno < 1. */
FC_MUST_CHECK fc_code fc_gtid_set_add(struct fc_gtid_set *set, const uint8_t *uuid,
                                      const char *tag, int64_t gno, struct fc_error *err);
/* All numbers from range.first up to, but without, range.end. */
FC_MUST_CHECK fc_code fc_gtid_set_add_range(struct fc_gtid_set *set, const uint8_t *uuid,
                                            const char *tag, struct fc_gtid_interval range,
                                            struct fc_error *err);
FC_MUST_CHECK fc_code fc_gtid_set_union(struct fc_gtid_set *set,
                                        const struct fc_gtid_set *other, struct fc_error *err);
bool fc_gtid_set_contains(const struct fc_gtid_set *set, const uint8_t *uuid, const char *tag,
                          int64_t gno);
bool fc_gtid_set_is_subset(const struct fc_gtid_set *inner, const struct fc_gtid_set *outer);
bool fc_gtid_set_equal(const struct fc_gtid_set *a, const struct fc_gtid_set *b);
/* Number of transactions; saturates. */
uint64_t fc_gtid_set_count(const struct fc_gtid_set *set);
/* out = what `set` has and `without` lacks; inits out. For "how much is missing". */
FC_MUST_CHECK fc_code fc_gtid_set_subtract(struct fc_gtid_set *out,
                                           const struct fc_gtid_set *set,
                                           const struct fc_gtid_set *without,
                                           struct fc_error *err);

/* The binary form of COM_BINLOG_DUMP_GTID and PREVIOUS_GTIDS; with tags only when the set has
 * any. */
void fc_gtid_set_encode(const struct fc_gtid_set *set, struct fc_buf *out);
FC_MUST_CHECK fc_code fc_gtid_set_decode(struct fc_gtid_set *set, struct fc_slice bytes,
                                         struct fc_error *err);

/* 36 characters without NUL. */
void fc_gtid_set_print_uuid(const uint8_t *uuid, char *to);
/* "uuid:17" or "uuid:tag:17". */
void fc_gtid_set_print_one(const uint8_t *uuid, const char *tag, int64_t gno,
                           struct fc_buf *out);

#endif
