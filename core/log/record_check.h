/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the plain bytes of a batch are its records: what the decoder would say of them, without
 * memory and in a few ns for each.
 */
#ifndef FC_LOG_RECORD_CHECK_H
#define FC_LOG_RECORD_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/slice.h"

typedef enum fc_record_fault {
    FC_RECORD_FINE,
    FC_RECORD_MALFORMED, /* its fields are not what its length says, or it is not there */
    FC_RECORD_MISNUMBERED,
    FC_RECORD_TOO_MANY, /* bytes follow the last record */
    FC_RECORD_WITHOUT_KEY,
    FC_RECORD_UNTIMELY
} fc_record_fault;

/* What a topic may demand of each record beside its form. */
struct fc_record_rules {
    bool keyed;
    int64_t base_timestamp_ms; /* of the batch */
    int64_t oldest_ms;         /* timestamps from here ... */
    int64_t newest_ms;         /* ... to here; a record may have none, too */
};

/*
 * count  what the batch's header says, at least 1; the records' offsets count from 0 without a gap.
 * rules  NULL: the form only.
 *
 * *out_index is the record that the fault is of, and set with a fault only.
 */
fc_record_fault fc_record_check(struct fc_slice plain, uint32_t count,
                                const struct fc_record_rules *rules, uint32_t *out_index);

#endif
