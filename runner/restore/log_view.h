/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a restore sees of the log: one connector's partitions, table schemas and newest complete
 * transaction, as they were when the view was opened.
 *
 * Thread: after open it only changes in the schema store, which has its own lock; any thread.
 */
#ifndef FC_RESTORE_LOG_VIEW_H
#define FC_RESTORE_LOG_VIEW_H

#include "core/stream/stream.h"
#include "runner/checkpoint.h"
#include "runner/identity.h"
#include "runner/schema_store.h"

struct fc_log_partition {
    struct fc_topic *topic;
    uint32_t partition;
    int64_t start; /* > 0: retention has removed what stood before */
    int64_t end;   /* reading stops here, whatever is appended meanwhile */
    bool ddl;      /* of the topic named as the connector, which holds DDL and markers */
    bool data;     /* of a topic that the connector's rows go to */
};

struct fc_log_view {
    struct fc_stream *stream; /* borrowed */
    char *connector;
    struct fc_schema_store *schemas;
    struct fc_checkpoint checkpoint;
    struct fc_log_partition *partitions;
    uint32_t partition_count;
    struct fc_topic *dead_letters; /* NULL: none */
    uint64_t complete_seq;         /* newest transaction that is known to be whole; 0: none */
};

struct fc_log_view_config {
    struct fc_stream *stream; /* outlives the view */
    const struct fc_clock *clock;
    const char *connector;
    const char *topic; /* where rows go when there is no checkpoint yet; a name or a template */
    const char *dead_letter_topic; /* not read as data; may be NULL */
};

/* Errors: FC_ERR_NOT_FOUND (the log holds nothing of this connector), FC_ERR_CORRUPT. */
FC_MUST_CHECK fc_code fc_log_view_open(const struct fc_log_view_config *config,
                                       struct fc_log_view **out_view, struct fc_error *err);
void fc_log_view_close(struct fc_log_view *view); /* NULL is fine */

/* "shop/0" into `to`, which it returns. */
enum { FC_LOG_PLACE_SIZE = FC_TOPIC_NAME_MAX + 64 };
const char *fc_log_view_place(const struct fc_log_view *view, uint32_t index, char *to);

/* A capture's record as a person may want to know of it. */
struct fc_log_mark {
    bool present;
    uint64_t seq;
    int64_t offset;
    int64_t time_ms; /* commit */
    char op;         /* of struct fc_identity */
    char tx_id[160]; /* cut when longer */
};

/*
 * The first offset of the partition whose record has a number above `seq` (the end when none
 * has), and the connector's record before it.
 */
FC_MUST_CHECK fc_code fc_log_view_seek(const struct fc_log_view *view, uint32_t index,
                                       uint64_t seq, int64_t *out_offset,
                                       struct fc_log_mark *out_before, struct fc_error *err);

/* The connector's first record at or after an offset; not present when there is none. */
FC_MUST_CHECK fc_code fc_log_view_at(const struct fc_log_view *view, uint32_t index,
                                     int64_t offset, struct fc_log_mark *out_mark,
                                     struct fc_error *err);

/* The connector's records with the lowest and, up to the newest complete one, the highest number. */
FC_MUST_CHECK fc_code fc_log_view_range(const struct fc_log_view *view,
                                        struct fc_log_mark *out_first,
                                        struct fc_log_mark *out_last, struct fc_error *err);

/* "number 17, transaction 0-1-42, 2026-11-23 14:03:58 CET" into `to`, which it returns. */
enum { FC_LOG_MARK_TEXT_SIZE = 320 };
const char *fc_log_mark_text(const struct fc_log_mark *mark, char *to);

/* "2026-11-23 14:03:58.120 CET" (fraction only when there is one) into `to`, which it returns. */
enum { FC_TIME_TEXT_SIZE = 64 };
const char *fc_time_text(int64_t time_ms, char *to);

#endif
