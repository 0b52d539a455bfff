/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a sink, for this folder only.
 *
 * Two topics of the sink's own stand at the target, both with one partition, the key
 * "<topic>/<partition>" and the value "1 <next offset in our log> <end of the copy> <id>", the id
 * being of the topic in our log, or missing:
 *   _fluvio.sink.<name>      compacted: the newest position of each partition
 *   _fluvio.offsets.<name>   the history of positions, by which groups' offsets are translated
 * With transactions they are written in the one that holds the records, so the two never differ.
 */
#ifndef FC_KAFKA_SINK_STATE_H
#define FC_KAFKA_SINK_STATE_H

#include "connectors/kafka/client.h"
#include "connectors/kafka/sink_names.h"
#include "core/base/hashmap.h"
#include "core/base/offset_map.h"

enum {
    FC_KAFKA_KEY_SIZE = 300,
    FC_KAFKA_NAME_SIZE = 256,
    FC_KAFKA_POINT_RECORDS = 100, /* between two points of the history */
    FC_KAFKA_ID_SIZE = 40
};

/* The records that are on their way, whose reports come in order: a ring. */
struct fc_sink_sent {
    struct {
        int64_t offset; /* in our log */
        size_t bytes;
    } * items;
    size_t capacity; /* a power of two, or 0 */
    size_t first;
    size_t count;
    size_t bytes; /* of all of them */
};

/* A partition at the target. */
struct fc_sink_place {
    char *topic;
    uint32_t partition;
    char id[FC_KAFKA_ID_SIZE]; /* of the topic in our log; "": not known */
    rd_kafka_topic_t *handle;
    int64_t reached;  /* next offset in our log, as the runner said; -1: nothing yet */
    int64_t flushed;  /* what the target knows of that; -1: nothing */
    int64_t copy_end; /* one past the newest record acknowledged there */
    int64_t pointed;  /* `from` of the newest point in the history; -1: none */
    size_t batch_max; /* bytes that the topic takes at once; 0: as many as a producer sends */
    struct fc_sink_sent sent;
    struct fc_offset_map map;
};

struct fc_sink {
    struct fc_kafka_client client;
    rd_kafka_t *producer;
    rd_kafka_t *questions; /* about groups; NULL: none yet */
    bool exactly_once;
    int64_t begun_ms;   /* the open transaction, fc_clock_boot_ms; 0: none is open */
    bool keeps_history; /* groups are wanted */
    struct fc_sink_names names;
    struct fc_hashmap places; /* "<topic>/<partition>" -> struct fc_sink_place */
    struct fc_hashmap groups; /* "<group>/<topic>/<partition>" -> offset committed, int64_t */
    struct fc_sink_place *last;
    uint64_t written; /* records since the last flush */
    bool failed;      /* a record was not delivered */
    struct fc_error failure;
};

struct fc_sink_place *fc_sink_place(struct fc_sink *sink, const char *topic,
                                    uint32_t partition);

/* Create both topics, and read from them where the target is. */
FC_MUST_CHECK fc_code fc_sink_positions_read(struct fc_sink *sink, struct fc_error *err);

/* Hand over a record for each position that has moved, and the points of the history that are
 * new. */
FC_MUST_CHECK fc_code fc_sink_positions_write(struct fc_sink *sink, struct fc_error *err);

/* The ops.identity and ops.identify slots. */
const char *fc_sink_identity(struct fc_sink *sink, const char *topic, uint32_t partition);
void fc_sink_identify(struct fc_sink *sink, const char *topic, uint32_t partition,
                      const char *id);

/* What was handed over is durable. */
void fc_sink_positions_settle(struct fc_sink *sink);

/* The ops.group slot. */
FC_MUST_CHECK fc_code fc_sink_group(struct fc_sink *sink, const struct fc_group_offset *offset,
                                    struct fc_error *err);

/* Hand a message over, waiting while the queue is full. */
FC_MUST_CHECK fc_code fc_sink_produce(struct fc_sink *sink, struct fc_sink_place *place,
                                      const struct fc_message *message, struct fc_error *err);

#endif
