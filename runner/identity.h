/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record's identity: which change of which source transaction it holds. It travels in one
 * record header, so the log itself says what it already has, and restore can order, cut and fold
 * without reading values.
 *
 * Header key "fc", value text, fields parted by one space:
 *
 *   <connector> <seq> <tx id> <row>[.<part>][!] <op> <schema>
 *   shop 1042 0-1-17 3! u 9f3a77c2d1e0b455
 *
 *   seq     number of the transaction in commit order as captured, from 1, growing; snapshot
 *           chunks take numbers too. Total order over all partitions of one connector.
 *   tx id   the source's; "-" for snapshot chunks. A snapshot row may be written twice, a change
 *           never.
 *   row     number of the change within the transaction.
 *   part    when one change became several records (key change, tombstone, split by a
 *           transform), from 1; absent: 0.
 *   !       the transaction ends with this record.
 *   op      r c u d t s as in fc_op; 'x' a tombstone; 'e' a snapshot row as 'r', with which the
 *           table's snapshot is complete; 'E' no row (key and value are null): the table's
 *           snapshot is complete here; 'm' a restore marker.
 *   schema  the table schema's id, 16 hexadecimal digits; "-" for DDL.
 */
#ifndef FC_RUNNER_IDENTITY_H
#define FC_RUNNER_IDENTITY_H

#include "core/base/buf.h"
#include "core/stream/stream.h"

#define FC_IDENTITY_HEADER "fc"

struct fc_identity {
    struct fc_slice connector;
    uint64_t seq;
    struct fc_slice tx_id;
    uint64_t row;
    uint32_t part;
    bool tx_last;
    char op;
    bool has_schema;
    uint64_t schema_id;
};

void fc_identity_encode(const struct fc_identity *identity, struct fc_buf *out);

/* Slices borrow from `text`. FC_ERR_CORRUPT when it is not an identity. */
FC_MUST_CHECK fc_code fc_identity_decode(struct fc_slice text, struct fc_identity *out_identity,
                                         struct fc_error *err);

/* The identity among a record's headers; FC_ERR_NOT_FOUND when the record was not written by a
 * capture. */
FC_MUST_CHECK fc_code fc_identity_of(const struct fc_record *record,
                                     struct fc_identity *out_identity, struct fc_error *err);

/* Whether a comes before b in the order of commits. */
bool fc_identity_is_before(const struct fc_identity *a, const struct fc_identity *b);

#endif
