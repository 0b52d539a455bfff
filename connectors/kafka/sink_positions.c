/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "connectors/kafka/sink_state.h"
#include "core/base/alloc.h"
#include "core/cluster/cluster.h"

enum { READ_WAIT_MS = 30000, VALUE_SIZE = 128 };

/* --- whose positions they are -------------------------------------------------------------- */

const char *fc_sink_identity(struct fc_sink *sink, const char *topic, uint32_t partition)
{
    const struct fc_sink_place *place = fc_sink_place(sink, topic, partition);
    return place->id[0] == '\0' ? NULL : place->id;
}

void fc_sink_identify(struct fc_sink *sink, const char *topic, uint32_t partition,
                      const char *id)
{
    struct fc_sink_place *place = fc_sink_place(sink, topic, partition);
    if (place->id[0] != '\0' && strcmp(place->id, id) != 0) { /* points are of the old one */
        fc_offset_map_release(&place->map);
        place->pointed = -1;
    }
    (void)snprintf(place->id, sizeof(place->id), "%s", id);
}

/* --- reading ------------------------------------------------------------------------------ */

static fc_code ensure_topic(struct fc_sink *sink, const char *name, const char *policy,
                            struct fc_error *err)
{
    const struct fc_host *host = sink->client.host;
    int64_t replicas = host->option_int(host, "replication-factor");
    const char *const settings[] = { "cleanup.policy",  policy,    "retention.ms", "-1",
                                     "retention.bytes", "67108864" };
    struct fc_cluster_topic topic = { .name = name,
                                      .partitions = 1,
                                      .replication_factor = replicas == 0 ? -1 : (int)replicas,
                                      .settings = settings,
                                      .setting_count = strcmp(policy, "compact") == 0 ? 1 : 3 };
    uint32_t count = 0;
    fc_code code = fc_cluster_partitions(sink->producer, name, &count, err);
    return code == FC_ERR_NOT_FOUND ? fc_cluster_create(sink->producer, &topic, err) : code;
}

/* While nothing was acknowledged it is not known where the copy begins. */
static void add_point(struct fc_sink_place *place, int64_t next, int64_t copy_end)
{
    if (copy_end > 0) {
        fc_offset_map_add(&place->map, next, copy_end);
    }
}

static fc_code take_position(struct fc_sink *sink, const rd_kafka_message_t *message,
                             bool history, struct fc_error *err)
{
    char key[FC_KAFKA_KEY_SIZE];
    char value[VALUE_SIZE];
    struct fc_sink_place *place;
    char id[FC_KAFKA_ID_SIZE] = "";
    char *slash;
    int64_t next = 0;
    int64_t copy_end = 0;
    if (message->key == NULL || message->payload == NULL) {
        return FC_OK;
    }
    (void)snprintf(key, sizeof(key), "%.*s", (int)message->key_len, (const char *)message->key);
    (void)snprintf(value, sizeof(value), "%.*s", (int)message->len,
                   (const char *)message->payload);
    slash = strrchr(key, '/');
    if (slash == NULL ||
        sscanf(value, "1 %" SCNd64 " %" SCNd64 " %39s", &next, &copy_end, id) < 2) {
        return fc_fail(err, FC_ERR_CORRUPT, "%s at offset %" PRId64 " is no position",
                       rd_kafka_topic_name(message->rkt), message->offset);
    }
    *slash = '\0';
    place = fc_sink_place(sink, key, (uint32_t)strtoul(slash + 1, NULL, 10));
    if (id[0] != '\0') {
        fc_sink_identify(sink, key, place->partition, id);
    }
    if (!history) {
        place->reached = next;
        place->flushed = next;
        place->copy_end = copy_end;
    }
    add_point(place, next, copy_end);
    if (history) {
        place->pointed = next;
    }
    return FC_OK;
}

static fc_code read_records(struct fc_sink *sink, rd_kafka_t *consumer, const char *topic,
                            bool history, struct fc_error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_error_t *error;
    fc_code code = FC_OK;
    bool at_end = false;
    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
    error = rd_kafka_incremental_assign(consumer, list);
    if (error != NULL) {
        code = fc_fail_retriable(err, FC_ERR_IO, "read %s: %s", topic,
                                 rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
    }
    while (code == FC_OK && !at_end) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, READ_WAIT_MS);
        if (message == NULL) {
            return fc_fail_retriable(err, FC_ERR_TIMEOUT, "Kafka: %s does not come", topic);
        }
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            at_end = true;
        } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            code = take_position(sink, message, history, err);
        } else if (message->err != RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED) {
            code = fc_kafka_client_fail(&sink->client, message->err, topic, err);
        } /* else it is of the group that is never joined */
        rd_kafka_message_destroy(message);
    }
    if (code == FC_OK) {
        error = rd_kafka_incremental_unassign(consumer, list);
        if (error != NULL) {
            rd_kafka_error_destroy(error); /* the handle goes away with it */
        }
    }
    rd_kafka_topic_partition_list_destroy(list);
    return code;
}

fc_code fc_sink_positions_read(struct fc_sink *sink, struct fc_error *err)
{
    char group[FC_KAFKA_NAME_SIZE];
    const char *const ours[] = { "group.id",
                                 group, /* a handle needs one; it is never joined */
                                 "enable.partition.eof",
                                 "true",
                                 "enable.auto.commit",
                                 "false",
                                 "isolation.level",
                                 "read_committed",
                                 "auto.offset.reset",
                                 "earliest",
                                 NULL };
    rd_kafka_t *consumer = NULL;
    fc_code code = ensure_topic(sink, sink->names.positions, "compact", err);
    (void)snprintf(group, sizeof(group), "fluvio-connect.%s",
                   sink->client.host->connector_name(sink->client.host));
    if (code == FC_OK && sink->keeps_history) {
        code = ensure_topic(sink, sink->names.offsets, "delete", err);
    }
    code = code == FC_OK ? fc_kafka_client_handle(&sink->client, RD_KAFKA_CONSUMER, ours, NULL,
                                                  &consumer, err)
                         : code;
    if (code == FC_OK) {
        (void)rd_kafka_poll_set_consumer(consumer); /* it has a group.id */
    }
    if (code == FC_OK && sink->keeps_history) { /* first: points come in order */
        code = read_records(sink, consumer, sink->names.offsets, true, err);
    }
    code =
        code == FC_OK ? read_records(sink, consumer, sink->names.positions, false, err) : code;
    if (consumer != NULL) {
        rd_kafka_destroy(consumer);
    }
    return code;
}

/* --- writing ------------------------------------------------------------------------------ */

static fc_code put(struct fc_sink *sink, const char *topic, struct fc_slice key, const char *id,
                   struct fc_offset_point point, struct fc_error *err)
{
    char value[VALUE_SIZE];
    struct fc_sink_place *last = sink->last;
    struct fc_sink_place *place = fc_sink_place(sink, topic, 0);
    struct fc_message message = { .topic = topic, .key = key };
    message.value = fc_slice_of(
        value, (size_t)snprintf(value, sizeof(value), "1 %" PRId64 " %" PRId64 "%s%s",
                                point.from, point.to, *id == '\0' ? "" : " ", id));
    sink->last = last;
    return fc_sink_produce(sink, place, &message, err);
}

/* Those that are far enough from the one before. */
static fc_code put_points(struct fc_sink *sink, struct fc_slice key,
                          struct fc_sink_place *place, struct fc_error *err)
{
    struct fc_offset_point newest = { place->reached, place->copy_end };
    size_t index = place->map.count;
    fc_code code = FC_OK;
    if (place->copy_end == 0) {
        return FC_OK;
    }
    while (index > 0 && place->map.points[index - 1].from > place->pointed) {
        index--;
    }
    for (; code == FC_OK && index <= place->map.count; index++) {
        struct fc_offset_point point =
            index < place->map.count ? place->map.points[index] : newest;
        if (place->pointed < 0 || point.from - place->pointed >= FC_KAFKA_POINT_RECORDS) {
            code = put(sink, sink->names.offsets, key, place->id, point, err);
            place->pointed = point.from;
        }
    }
    return code;
}

static bool is_ours(const struct fc_sink *sink, const struct fc_sink_place *place)
{
    return strcmp(place->topic, sink->names.positions) == 0 ||
           strcmp(place->topic, sink->names.offsets) == 0;
}

fc_code fc_sink_positions_write(struct fc_sink *sink, struct fc_error *err)
{
    size_t cursor = 0;
    struct fc_slice key;
    void *value = NULL;
    fc_code code = FC_OK;
    /* so that no place is added while they are walked over */
    (void)fc_sink_place(sink, sink->names.positions, 0);
    (void)fc_sink_place(sink, sink->names.offsets, 0);
    while (code == FC_OK && fc_hashmap_next(&sink->places, &cursor, &key, &value)) {
        struct fc_sink_place *place = value;
        if (is_ours(sink, place) || place->reached == place->flushed) {
            continue;
        }
        code = put(sink, sink->names.positions, key, place->id,
                   (struct fc_offset_point){ place->reached, place->copy_end }, err);
        if (code == FC_OK && sink->keeps_history) {
            code = put_points(sink, key, place, err);
        }
    }
    return code;
}

void fc_sink_positions_settle(struct fc_sink *sink)
{
    size_t cursor = 0;
    struct fc_slice key;
    void *value = NULL;
    while (fc_hashmap_next(&sink->places, &cursor, &key, &value)) {
        struct fc_sink_place *place = value;
        if (place->reached != place->flushed) {
            place->flushed = place->reached;
            add_point(place, place->reached, place->copy_end);
        }
    }
}

/* --- groups ------------------------------------------------------------------------------- */

struct looking {
    const char *topic;
    uint32_t partition;
    int64_t offset; /* -1: none */
};

static void on_committed(void *ctx, const char *topic, uint32_t partition, int64_t offset)
{
    struct looking *looking = ctx;
    if (partition == looking->partition && strcmp(topic, looking->topic) == 0) {
        looking->offset = offset;
    }
}

static fc_code commit(struct fc_sink *sink, const char *group, const struct looking *wanted,
                      struct fc_error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    fc_code code;
    rd_kafka_topic_partition_list_add(list, wanted->topic, (int32_t)wanted->partition)->offset =
        wanted->offset;
    code = fc_cluster_commit(sink->producer, group, list, err);
    rd_kafka_topic_partition_list_destroy(list);
    return code == FC_ERR_REJECTED ? FC_OK
                                   : code; /* it is used there: it has its own offsets */
}

static fc_code ask_committed(struct fc_sink *sink, const char *group, struct looking *there,
                             struct fc_error *err)
{
    static const char *const ours[] = { "group.id", "fluvio-connect", NULL };
    fc_code code = FC_OK;
    if (sink->questions == NULL) {
        code = fc_kafka_client_handle(&sink->client, RD_KAFKA_CONSUMER, ours, NULL,
                                      &sink->questions, err);
    }
    return code == FC_OK
               ? fc_cluster_committed(sink->questions, group, on_committed, there, err)
               : code;
}

/* Only ever forward: who has gone on at the target is not sent back. */
fc_code fc_sink_group(struct fc_sink *sink, const struct fc_group_offset *offset,
                      struct fc_error *err)
{
    const struct fc_sink_place *place = fc_sink_place(sink, offset->topic, offset->partition);
    struct looking there = { offset->topic, offset->partition, -1 };
    struct looking wanted = there;
    char *text = fc_asprintf("%s/%s/%" PRIu32, offset->group, offset->topic, offset->partition);
    int64_t *known = fc_hashmap_get(&sink->groups, fc_slice_text(text));
    fc_code code = FC_OK;
    if (fc_offset_map_find(&place->map, offset->offset, &wanted.offset) &&
        (known == NULL || *known < wanted.offset)) {
        code = ask_committed(sink, offset->group, &there, err);
        if (code == FC_OK && there.offset < wanted.offset) {
            code = commit(sink, offset->group, &wanted, err);
        }
        if (code == FC_OK && known == NULL) {
            known = fc_new(int64_t);
            (void)fc_hashmap_put(&sink->groups, fc_slice_text(text), known);
        }
        if (code == FC_OK) {
            *known = wanted.offset;
        }
    }
    free(text);
    return code;
}
