/* SPDX-License-Identifier: Apache-2.0 */
/* Where a group's offsets are moved to. */
#ifndef FC_CLI_RESET_TARGET_H
#define FC_CLI_RESET_TARGET_H

#include "core/base/clock.h"
#include "core/base/error.h"

typedef enum fc_reset_kind {
    FC_RESET_EARLIEST,
    FC_RESET_LATEST,
    FC_RESET_OFFSET,
    FC_RESET_TIME,
    FC_RESET_SHIFT
} fc_reset_kind;

struct fc_reset_target {
    fc_reset_kind kind;
    int64_t number; /* offset, milliseconds since 1970, or how far */
};

/*
 * to     earliest, latest, an offset, a time ("2026-11-23T14:03:58Z") or 15m (ago)
 * shift  "-10", "5": relative to what is committed
 * One of them is NULL. FC_ERR_CONFIG.
 */
FC_MUST_CHECK fc_code fc_reset_target_parse(const char *to, const char *shift,
                                            const struct fc_clock *clock,
                                            struct fc_reset_target *out_target,
                                            struct fc_error *err);

/* The new offset: within [first, next]. by_time: what the look-up gave, negative for none. committed:
 * negative for none, which a shift takes for `first`. */
int64_t fc_reset_target_offset(const struct fc_reset_target *target, int64_t committed,
                               int64_t first, int64_t next, int64_t by_time);

/* "orders" or "orders:0,3" into its topic, to be freed, and partitions; *out_count 0: all. */
enum { FC_RESET_PARTITIONS_MAX = 1000 };
FC_MUST_CHECK fc_code fc_reset_topic_parse(const char *text, char **out_topic,
                                           int32_t *partitions, size_t *out_count,
                                           struct fc_error *err);

#endif
