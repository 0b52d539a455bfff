/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cut: the point that a restore goes to, always between two transactions.
 *
 *   TIME    all transactions before the first one, in commit order, that was committed after it
 *   TX      up to and with that transaction (a GTID, or file:pos); with `before`, without it
 *   OFFSET  up to the transaction that ends at or before that record
 *   end     everything that is complete
 *
 * A point outside of what was captured is an error that names what was.
 */
#ifndef FC_RESTORE_CUT_H
#define FC_RESTORE_CUT_H

#include "runner/restore/log_view.h"

typedef enum fc_cut_kind { FC_CUT_END, FC_CUT_TIME, FC_CUT_TX, FC_CUT_OFFSET } fc_cut_kind;

struct fc_cut_spec {
    fc_cut_kind kind;
    bool before;                       /* TX: without it */
    int64_t time_us;                   /* TIME */
    bool local;                        /* TIME: was given without zone */
    char text[256];                    /* as it was given; TX: the id */
    char topic[FC_TOPIC_NAME_MAX + 1]; /* OFFSET; "": the only partition */
    uint32_t partition;
    int64_t offset;
};

/*
 * to: "2026-11-23 14:03:58.5" (local time zone), "2026-11-23T14:03:58Z", "0-1-42", "shop/0/8123",
 * "8123", "end", or NULL. before: a transaction id, or NULL; not both. FC_ERR_CONFIG when it is
 * none of these.
 */
FC_MUST_CHECK fc_code fc_cut_parse(const char *to, const char *before,
                                   struct fc_cut_spec *out_spec, struct fc_error *err);

struct fc_cut {
    uint64_t seq;            /* transactions up to this number */
    struct fc_log_mark last; /* the newest of them */
    int64_t *offsets;        /* for each of the view's partitions: the first record after it */
};

/* Errors: FC_ERR_NOT_FOUND (outside what was captured), FC_ERR_CONFIG. */
FC_MUST_CHECK fc_code fc_cut_resolve(const struct fc_log_view *view,
                                     const struct fc_cut_spec *spec, struct fc_cut *out_cut,
                                     struct fc_error *err);
void fc_cut_release(struct fc_cut *cut);

#endif
