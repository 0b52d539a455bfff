/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/setting_docs.h"

#include <inttypes.h>

#define KEPT "Kept for what names it; nothing depends on it here."

static const struct fc_setting_doc TOPIC_DOCS[] = {
    { "cleanup.policy", FC_SETTING_LIST,
      "What happens to old records: \"delete\" removes segments by age and size, \"compact\" "
      "keeps the last record of each key.",
      "log.cleanup.policy" },
    { "compression.type", FC_SETTING_STRING,
      "The codec that batches are stored with; \"producer\" keeps what the producer chose.",
      "compression.type" },
    { "delete.retention.ms", FC_SETTING_LONG,
      "How long a tombstone stays in a compacted topic.", "log.cleaner.delete.retention.ms" },
    { "flush.policy", FC_SETTING_STRING,
      "\"durable\": acknowledged when the disk has it; \"os\": when the operating system has "
      "it.",
      "flush.policy" },
    { "max.compaction.lag.ms", FC_SETTING_LONG,
      "A record is subject to compaction at the latest after this time.",
      "log.cleaner.max.compaction.lag.ms" },
    { "max.message.bytes", FC_SETTING_INT, "The largest batch that is taken.",
      "message.max.bytes" },
    { "message.timestamp.after.max.ms", FC_SETTING_LONG,
      "How far a record's timestamp may be ahead of the clock.",
      "log.message.timestamp.after.max.ms" },
    { "message.timestamp.before.max.ms", FC_SETTING_LONG,
      "How far a record's timestamp may be behind the clock.",
      "log.message.timestamp.before.max.ms" },
    { "message.timestamp.type", FC_SETTING_STRING,
      "Whether timestamps are the producer's (CreateTime) or the log's (LogAppendTime).",
      "log.message.timestamp.type" },
    { "min.cleanable.dirty.ratio", FC_SETTING_DOUBLE,
      "What part of the log must be new since the last compaction for another one.",
      "log.cleaner.min.cleanable.ratio" },
    { "min.compaction.lag.ms", FC_SETTING_LONG,
      "A record is not subject to compaction before this time.",
      "log.cleaner.min.compaction.lag.ms" },
    { "min.insync.replicas", FC_SETTING_INT,
      "How many replicas must have a batch that is written with acks=all.",
      "min.insync.replicas" },
    { "record.bytes.max", FC_SETTING_LONG,
      "The largest record that this process writes itself.", "record.bytes.max" },
    { "retention.bytes", FC_SETTING_LONG,
      "Oldest segments are removed above this size of a partition; -1: never.",
      "log.retention.bytes" },
    { "retention.ms", FC_SETTING_LONG,
      "Segments are removed when their newest record is older; -1: never.",
      "log.retention.ms" },
    { "segment.bytes", FC_SETTING_INT, "A segment ends at this size.", "log.segment.bytes" },
    { "segment.ms", FC_SETTING_LONG, "A segment ends at this age; -1: only by size.",
      "log.roll.ms" },
    { "compression.gzip.level", FC_SETTING_INT, KEPT, "compression.gzip.level" },
    { "compression.lz4.level", FC_SETTING_INT, KEPT, "compression.lz4.level" },
    { "compression.zstd.level", FC_SETTING_INT, KEPT, "compression.zstd.level" },
    { "file.delete.delay.ms", FC_SETTING_LONG, KEPT, "log.segment.delete.delay.ms" },
    { "flush.messages", FC_SETTING_LONG, KEPT, "log.flush.interval.messages" },
    { "flush.ms", FC_SETTING_LONG, KEPT, "log.flush.interval.ms" },
    { "follower.replication.throttled.replicas", FC_SETTING_LIST, KEPT,
      "follower.replication.throttled.replicas" },
    { "index.interval.bytes", FC_SETTING_INT, KEPT, "log.index.interval.bytes" },
    { "leader.replication.throttled.replicas", FC_SETTING_LIST, KEPT,
      "leader.replication.throttled.replicas" },
    { "local.retention.bytes", FC_SETTING_LONG, KEPT, "log.local.retention.bytes" },
    { "local.retention.ms", FC_SETTING_LONG, KEPT, "log.local.retention.ms" },
    { "preallocate", FC_SETTING_BOOLEAN, KEPT, "log.preallocate" },
    { "remote.log.copy.disable", FC_SETTING_BOOLEAN, KEPT, "remote.log.copy.disable" },
    { "remote.log.delete.on.disable", FC_SETTING_BOOLEAN, KEPT,
      "remote.log.delete.on.disable" },
    { "remote.storage.enable", FC_SETTING_BOOLEAN, KEPT, "remote.storage.enable" },
    { "segment.index.bytes", FC_SETTING_INT, KEPT, "log.index.size.max.bytes" },
    { "segment.jitter.ms", FC_SETTING_LONG, KEPT, "log.roll.jitter.ms" },
    { "unclean.leader.election.enable", FC_SETTING_BOOLEAN, KEPT,
      "unclean.leader.election.enable" },
};

const struct fc_setting_doc *fc_setting_doc(const char *key)
{
    for (size_t index = 0; index < sizeof(TOPIC_DOCS) / sizeof(TOPIC_DOCS[0]); index++) {
        if (strcmp(TOPIC_DOCS[index].key, key) == 0) {
            return &TOPIC_DOCS[index];
        }
    }
    return NULL;
}

static const struct fc_setting_doc BROKER_DOCS[] = {
    { "advertised.listeners", FC_SETTING_STRING, "What clients are told to connect to.", NULL },
    { "auto.create.topics.enable", FC_SETTING_BOOLEAN,
      "Whether a topic that is asked for is made.", NULL },
    { "broker.id", FC_SETTING_INT, "The node's number.", NULL },
    { "connections.max.idle.ms", FC_SETTING_LONG, "When an idle connection is closed.", NULL },
    { "default.replication.factor", FC_SETTING_INT, "Replicas of a new topic.", NULL },
    { "delete.topic.enable", FC_SETTING_BOOLEAN, "Whether topics can be deleted.", NULL },
    { "group.initial.rebalance.delay.ms", FC_SETTING_INT,
      "How long the first rebalance of a group waits for more members.", NULL },
    { "group.max.session.timeout.ms", FC_SETTING_INT, "The longest session of a member.",
      NULL },
    { "group.max.size", FC_SETTING_INT, "Members of a group at most.", NULL },
    { "group.min.session.timeout.ms", FC_SETTING_INT, "The shortest session of a member.",
      NULL },
    { "inter.broker.protocol.version", FC_SETTING_STRING,
      "The version of Kafka's protocol that this can be taken for.", NULL },
    { "log.dirs", FC_SETTING_STRING, "Where the log is.", NULL },
    { "max.connections", FC_SETTING_INT, "Connections at most.", NULL },
    { "max.incremental.fetch.session.cache.slots", FC_SETTING_INT,
      "Incremental fetch sessions at most.", NULL },
    { "node.id", FC_SETTING_INT, "The node's number.", NULL },
    { "num.partitions", FC_SETTING_INT,
      "Partitions of a topic whose creator does not say how many.", NULL },
    { "offset.metadata.max.bytes", FC_SETTING_INT,
      "The longest text that is kept with a committed offset.", NULL },
    { "offsets.retention.minutes", FC_SETTING_INT,
      "How long the offsets of an empty group are kept.", NULL },
    { "offsets.topic.num.partitions", FC_SETTING_INT, "Partitions of __consumer_offsets.",
      NULL },
    { "socket.request.max.bytes", FC_SETTING_INT, "The largest request.", NULL },
    { "transaction.max.timeout.ms", FC_SETTING_INT, "The longest time-out of a transaction.",
      NULL },
    { "transaction.state.log.min.isr", FC_SETTING_INT,
      "In-sync replicas that __transaction_state needs.", NULL },
    { "transaction.state.log.num.partitions", FC_SETTING_INT,
      "Partitions of __transaction_state.", NULL },
    { "transaction.state.log.replication.factor", FC_SETTING_INT,
      "Replicas of __transaction_state.", NULL },
};

const struct fc_setting_doc *fc_broker_setting(size_t index)
{
    return index < sizeof(BROKER_DOCS) / sizeof(BROKER_DOCS[0]) ? &BROKER_DOCS[index] : NULL;
}

struct number {
    const char *key;
    int64_t value;
};

static const char *text_value(const struct fc_spu *spu, const char *key)
{
    if (strcmp(key, "auto.create.topics.enable") == 0) {
        return spu->config.auto_create_topics ? "true" : "false";
    }
    if (strcmp(key, "delete.topic.enable") == 0) {
        return "true";
    }
    if (strcmp(key, "inter.broker.protocol.version") == 0) {
        return "3.9";
    }
    return strcmp(key, "log.dirs") == 0 ? fc_data_dir_path(spu->data) : NULL;
}

void fc_broker_setting_value(const struct fc_spu *spu, const struct fc_request *request,
                             const char *key, char out[FC_BROKER_SETTING_TEXT_SIZE])
{
    const struct fc_spu_config *config = &spu->config;
    const struct fc_listener *listener = fc_connection_listener(request->connection);
    const struct number numbers[] = {
        { "broker.id", config->node_id },
        { "connections.max.idle.ms", config->net.idle_ms },
        { "default.replication.factor", 1 },
        { "group.initial.rebalance.delay.ms", config->group_initial_delay_ms },
        { "group.max.session.timeout.ms", config->group_session_max_ms },
        { "group.max.size", config->group_size_max },
        { "group.min.session.timeout.ms", config->group_session_min_ms },
        { "max.connections", (int64_t)config->net.connections_max },
        { "max.incremental.fetch.session.cache.slots", config->fetch_sessions_max },
        { "node.id", config->node_id },
        { "num.partitions", config->partitions_default },
        { "offset.metadata.max.bytes", config->offset_metadata_max },
        { "offsets.retention.minutes", config->offsets_retention_ms / 60000 },
        { "offsets.topic.num.partitions", config->offsets_partitions },
        { "socket.request.max.bytes", (int64_t)config->net.frame_max },
        { "transaction.max.timeout.ms", config->transaction_timeout_max_ms },
        { "transaction.state.log.min.isr", 1 },
        { "transaction.state.log.num.partitions", config->transactions_partitions },
        { "transaction.state.log.replication.factor", 1 },
    };
    const char *text = text_value(spu, key);
    if (strcmp(key, "advertised.listeners") == 0) {
        (void)snprintf(out, FC_BROKER_SETTING_TEXT_SIZE, "%s://%s:%u", listener->name,
                       listener->advertised_host, listener->advertised_port);
        return;
    }
    (void)snprintf(out, FC_BROKER_SETTING_TEXT_SIZE, "%s", text == NULL ? "" : text);
    for (size_t index = 0; text == NULL && index < sizeof(numbers) / sizeof(numbers[0]);
         index++) {
        if (strcmp(numbers[index].key, key) == 0) {
            (void)snprintf(out, FC_BROKER_SETTING_TEXT_SIZE, "%" PRId64, numbers[index].value);
        }
    }
}
