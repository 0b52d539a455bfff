/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exactly once: records and positions go in one transaction, and a new sink of the same name
 * first shuts out the one before it (init_transactions), then reads the positions. A transaction
 * that fails is given up as a whole, and the runner goes on from the positions.
 *
 * At least once: an idempotent producer; positions are written once the records are there.
 */
#include "connectors/kafka/sink.h"

#include <inttypes.h>
#include <stdlib.h>

#include "connectors/kafka/check.h"
#include "connectors/kafka/settings.h"
#include "connectors/kafka/sink_producer.h"
#include "core/base/alloc.h"
#include "core/cluster/cluster.h"

enum { POLL_MS = 100 };

/* --- places ------------------------------------------------------------------------------- */

struct fc_sink_place *fc_sink_place(struct fc_sink *sink, const char *topic, uint32_t partition)
{
    char text[FC_KAFKA_KEY_SIZE];
    struct fc_sink_place *place = sink->last;
    struct fc_slice key;
    if (place != NULL && place->partition == partition && strcmp(place->topic, topic) == 0) {
        return place;
    }
    key = fc_slice_of(text,
                      (size_t)snprintf(text, sizeof(text), "%s/%" PRIu32, topic, partition));
    place = fc_hashmap_get(&sink->places, key);
    if (place == NULL) {
        place = fc_new(struct fc_sink_place);
        place->topic = fc_strdup(topic);
        place->partition = partition;
        place->reached = -1;
        place->flushed = -1;
        place->pointed = -1;
        (void)fc_hashmap_put(&sink->places, key, place);
    }
    sink->last = place;
    return place;
}

static void free_place(void *value)
{
    struct fc_sink_place *place = value;
    if (place->handle != NULL) {
        rd_kafka_topic_destroy(place->handle);
    }
    fc_offset_map_release(&place->map);
    free(place->sent.items);
    free(place->topic);
    free(place);
}

/* --- open and close ----------------------------------------------------------------------- */

static void sink_close(struct fc_sink *sink)
{
    if (sink == NULL) {
        return;
    }
    if (sink->producer != NULL) {
        fc_sink_producer_leave(sink);
        (void)rd_kafka_purge(sink->producer, /* what is not flushed is given up */
                             RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        sink->failed = true;
        (void)rd_kafka_flush(sink->producer, POLL_MS); /* serves the reports */
    }
    fc_hashmap_release(&sink->places, free_place);
    fc_hashmap_release(&sink->groups, free);
    if (sink->producer != NULL) {
        rd_kafka_destroy_flags(sink->producer, 0);
    }
    if (sink->questions != NULL) {
        rd_kafka_destroy(sink->questions);
    }
    fc_kafka_client_release(&sink->client);
    free(sink);
}

static fc_code sink_open(const struct fc_host *host, struct fc_sink **out_sink,
                         struct fc_error *err)
{
    struct fc_sink *sink = fc_new(struct fc_sink);
    fc_code code = fc_kafka_client_init(&sink->client, host, err);
    fc_hashmap_init(&sink->places);
    fc_hashmap_init(&sink->groups);
    sink->exactly_once = host->exactly_once;
    sink->keeps_history = sink->client.groups.count > 0;
    fc_sink_names(host->connector_name(host), &sink->names);
    code = code == FC_OK ? fc_sink_producer_open(sink, err) : code;
    code = code == FC_OK ? fc_sink_positions_read(sink, err) : code;
    if (code != FC_OK) {
        sink_close(sink);
        return code;
    }
    *out_sink = sink;
    return FC_OK;
}

static void sink_interrupt(struct fc_sink *sink)
{
    sink->client.interrupted = true;
}

/* --- topics ------------------------------------------------------------------------------- */

static bool sink_wants(struct fc_sink *sink, const char *topic)
{
    return fc_kafka_client_wants(&sink->client, topic);
}

static bool sink_wants_group(struct fc_sink *sink, const char *group)
{
    return fc_patterns_match(&sink->client.groups, group);
}

static fc_code create(struct fc_sink *sink, const struct fc_message_topic *topic,
                      struct fc_error *err)
{
    const struct fc_host *host = sink->client.host;
    int64_t replicas = host->option_int(host, "replication-factor");
    const char **settings = fc_new_array(const char *, 2 * (size_t)topic->setting_count + 1);
    struct fc_cluster_topic wanted = { .name = topic->name,
                                       .partitions = topic->partitions,
                                       .replication_factor = replicas == 0 ? -1 : (int)replicas,
                                       .settings = settings };
    fc_code code;
    for (uint32_t index = 0; index < topic->setting_count; index++) {
        const char *name = topic->settings[(size_t)2 * index];
        const char *value = topic->settings[(size_t)2 * index + 1];
        if (fc_kafka_settings_copied(name, value)) {
            settings[(size_t)2 * wanted.setting_count] = name;
            settings[(size_t)2 * wanted.setting_count + 1] = value;
            wanted.setting_count++;
        }
    }
    code = fc_cluster_create(sink->producer, &wanted, err);
    free(settings);
    return code;
}

static void on_setting(void *ctx, const char *name, const char *value)
{
    size_t *limit = ctx;
    if (strcmp(name, "max.message.bytes") == 0) {
        *limit = strtoul(value, NULL, 10);
    }
}

/* A batch that is larger is refused, although each of its records may fit. When it cannot be asked
 * for (it takes DESCRIBE_CONFIGS), batches are as large as ever, and the refusal says why. */
static fc_code note_limit(struct fc_sink *sink, const struct fc_message_topic *topic,
                          struct fc_error *err)
{
    size_t limit = 0;
    fc_code code = fc_cluster_settings(sink->producer, topic->name, on_setting, &limit, err);
    if (code == FC_ERR_CONFIG) {
        return FC_OK;
    }
    if (code == FC_ERR_NOT_FOUND && err != NULL) {
        err->retriable =
            true; /* it was just made, and the broker that was asked knows it soon */
    }
    if (limit >= fc_sink_producer_batch_bytes(sink)) {
        limit = 0;
    }
    for (uint32_t index = 0; code == FC_OK && index < topic->partitions; index++) {
        fc_sink_place(sink, topic->name, index)->batch_max = limit;
    }
    return code;
}

static fc_code sink_prepare(struct fc_sink *sink, const struct fc_message_topic *topic,
                            struct fc_error *err)
{
    uint32_t has = 0;
    fc_code code = fc_cluster_partitions(sink->producer, topic->name, &has, err);
    if (code == FC_ERR_NOT_FOUND) {
        code = create(sink, topic, err);
    } else if (code == FC_OK && has < topic->partitions) {
        code = fc_cluster_grow(sink->producer, topic->name, topic->partitions, err);
    }
    return code == FC_OK ? note_limit(sink, topic, err) : code;
}

static int64_t sink_position(struct fc_sink *sink, const char *topic, uint32_t partition)
{
    return fc_sink_place(sink, topic, partition)->flushed;
}

static void sink_reached(struct fc_sink *sink, const char *topic, uint32_t partition,
                         int64_t offset)
{
    fc_sink_place(sink, topic, partition)->reached = offset;
}

/* --- writing ------------------------------------------------------------------------------ */

static fc_code sink_write(struct fc_sink *sink, const struct fc_message *messages,
                          uint32_t count, struct fc_error *err)
{
    fc_code code = fc_sink_producer_begin(sink, err);
    for (uint32_t index = 0; code == FC_OK && index < count; index++) {
        struct fc_sink_place *place =
            fc_sink_place(sink, messages[index].topic, messages[index].partition);
        code = fc_sink_produce(sink, place, &messages[index], err);
        sink->written++;
    }
    (void)rd_kafka_poll(sink->producer, 0);
    code = code == FC_OK ? fc_sink_producer_check(sink, err) : code;
    return code == FC_OK ? code : fc_sink_producer_give_up(sink, code, err);
}

static bool has_moved(const struct fc_sink *sink)
{
    size_t cursor = 0;
    struct fc_slice key;
    void *value = NULL;
    while (fc_hashmap_next(&sink->places, &cursor, &key, &value)) {
        const struct fc_sink_place *place = value;
        if (place->reached != place->flushed) {
            return true;
        }
    }
    return false;
}

static fc_code sink_flush(struct fc_sink *sink, struct fc_error *err)
{
    fc_code code;
    if (sink->written == 0 && !has_moved(sink)) {
        return FC_OK;
    }
    sink->client.down = false; /* it is said again when it still is so */
    code = fc_sink_producer_begin(sink, err);
    code = code == FC_OK ? fc_sink_producer_drain(sink, err) : code;
    code = code == FC_OK ? fc_sink_positions_write(sink, err) : code;
    code = code == FC_OK ? fc_sink_producer_drain(sink, err) : code;
    code = code == FC_OK && sink->exactly_once ? fc_sink_producer_commit(sink, err) : code;
    if (code != FC_OK) {
        return fc_sink_producer_give_up(sink, code, err);
    }
    sink->written = 0;
    fc_sink_positions_settle(sink);
    return FC_OK;
}

const struct fc_sink_ops fc_kafka_sink_ops = {
    .size = sizeof(struct fc_sink_ops),
    .open = sink_open,
    .wants = sink_wants,
    .prepare = sink_prepare,
    .position = sink_position,
    .write = sink_write,
    .reached = sink_reached,
    .flush = sink_flush,
    .group = fc_sink_group,
    .wants_group = sink_wants_group,
    .interrupt = sink_interrupt,
    .close = sink_close,
    .check = fc_kafka_check_sink,
    .identity = fc_sink_identity,
    .identify = fc_sink_identify,
    .check_copies = fc_kafka_check_copies,
};
