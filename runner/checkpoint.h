/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connector's checkpoint: where its source is and what the log held then.
 *
 * The last record of topic `_fluvio.checkpoint.<connector>` (one partition) counts. Its value is
 * JSON:
 *
 *   {"v":1,"seq":1042,"tx":"0-1-42","position":"<base64>",
 *    "ends":{"shop":[8123,0],"shop.dead-letter":[3]}}
 *
 * Meaning: every change up to `position` is durable in the log, the newest complete transaction has
 * number `seq` and id `tx`; records of later transactions stand only in the named topics, at or after
 * the offsets in `ends`. A topic is checkpointed here before its first record is written.
 */
#ifndef FC_RUNNER_CHECKPOINT_H
#define FC_RUNNER_CHECKPOINT_H

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/stream/stream.h"

struct fc_checkpoint_topic {
    char name[FC_TOPIC_NAME_MAX + 1];
    uint32_t partitions;
    int64_t *ends;
};

struct fc_checkpoint {
    bool present; /* false: the connector has never written one */
    uint64_t seq;
    struct fc_buf tx;       /* text */
    struct fc_buf position; /* the source's opaque bytes; empty before its first one */
    struct fc_checkpoint_topic *topics;
    size_t topic_count;
};

/* The name of its topic. */
void fc_checkpoint_topic_name(const char *connector, char *to, size_t size);

void fc_checkpoint_init(struct fc_checkpoint *checkpoint);
void fc_checkpoint_release(struct fc_checkpoint *checkpoint);

/* NULL when the topic is not in it. */
struct fc_checkpoint_topic *fc_checkpoint_topic(struct fc_checkpoint *checkpoint,
                                                const char *name);
/* Add a topic that is not in it, all ends 0. */
struct fc_checkpoint_topic *fc_checkpoint_add_topic(struct fc_checkpoint *checkpoint,
                                                    const char *name, uint32_t partitions);

/* Add a topic that is not in it, with its ends as they are now. */
FC_MUST_CHECK fc_code fc_checkpoint_enter_topic(struct fc_checkpoint *checkpoint,
                                                struct fc_topic *topic, struct fc_error *err);

/* Take over the ends of all topics of `from`; topics that only `to` has stay. */
void fc_checkpoint_copy_ends(struct fc_checkpoint *to, const struct fc_checkpoint *from);
/* Take over everything in that way. */
void fc_checkpoint_copy(struct fc_checkpoint *to, const struct fc_checkpoint *from);

void fc_checkpoint_encode(const struct fc_checkpoint *checkpoint, struct fc_buf *out);
/* out_checkpoint is initialised; FC_ERR_CORRUPT when text is not a checkpoint. */
FC_MUST_CHECK fc_code fc_checkpoint_decode(struct fc_slice text,
                                           struct fc_checkpoint *out_checkpoint,
                                           struct fc_error *err);

/* The connector's newest checkpoint; present = false when there is none. out_checkpoint is initialised. */
FC_MUST_CHECK fc_code fc_checkpoint_read(struct fc_stream *stream, const char *connector,
                                         struct fc_checkpoint *out_checkpoint,
                                         struct fc_error *err);

/* Append it; durable after the next flush. The topic is created at the first. */
FC_MUST_CHECK fc_code fc_checkpoint_append(struct fc_stream *stream, const char *connector,
                                           const struct fc_checkpoint *checkpoint,
                                           const struct fc_clock *clock, struct fc_error *err);

#endif
