/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partitions are assigned one by one at the places that the runner says, so no group is joined
 * and nothing is committed at the source. Control records and aborted records are left out by
 * librdkafka (read_committed); the end of a partition tells how far it was read past them.
 */
#include "connectors/kafka/feed.h"

#include <inttypes.h>
#include <stdlib.h>

#include "connectors/kafka/check.h"
#include "connectors/kafka/feed_state.h"
#include "connectors/kafka/settings.h"
#include "core/base/alloc.h"
#include "core/cluster/cluster.h"

enum {
    READ_COUNT_MAX = 10000,
    WATERMARK_MS = 10000,
    KEY_SIZE = 300, /* of "<topic>/<partition>" */
    GROUP_SIZE = 256
};

static struct fc_slice part_key(char to[KEY_SIZE], const char *topic, uint32_t partition)
{
    int length = snprintf(to, KEY_SIZE, "%s/%" PRIu32, topic, partition);
    return fc_slice_of(to, (size_t)length);
}

static struct fc_feed_part *part_of(struct fc_feed *feed, const char *topic, uint32_t partition)
{
    char key[KEY_SIZE];
    if (feed->last == NULL || feed->last->partition != partition ||
        strcmp(feed->last->topic, topic) != 0) {
        feed->last = fc_hashmap_get(&feed->parts, part_key(key, topic, partition));
    }
    return feed->last;
}

static void free_part(void *value)
{
    struct fc_feed_part *part = value;
    free(part->topic);
    free(part);
}

/* --- open and close ----------------------------------------------------------------------- */

static void release_messages(struct fc_feed *feed)
{
    for (uint32_t index = 0; index < feed->count; index++) {
        rd_kafka_message_destroy(feed->taken[index]);
    }
    feed->count = 0;
}

static void feed_close(struct fc_feed *feed)
{
    if (feed == NULL) {
        return;
    }
    release_messages(feed);
    if (feed->consumer != NULL) {
        fc_cluster_destroy(feed->consumer);
    }
    if (feed->questions != NULL) {
        rd_kafka_destroy(feed->questions);
    }
    fc_hashmap_release(&feed->parts, free_part);
    fc_hashmap_release(&feed->known, fc_feed_topic_free);
    fc_topic_ids_free(feed->ids);
    fc_kafka_client_release(&feed->client);
    free(feed->taken);
    free(feed->messages);
    free(feed->headers);
    free(feed);
}

static fc_code feed_open(const struct fc_host *host, struct fc_feed **out_feed,
                         struct fc_error *err)
{
    char group[GROUP_SIZE];
    const char *const ours[] = { "group.id",
                                 group, /* a handle needs one; it is never joined */
                                 "enable.partition.eof",
                                 "true",
                                 "enable.auto.commit",
                                 "false",
                                 "enable.auto.offset.store",
                                 "false",
                                 "auto.offset.reset",
                                 "error",
                                 "check.crcs",
                                 "true",
                                 NULL };
    struct fc_feed *feed = fc_new(struct fc_feed);
    uint32_t brokers = 0;
    fc_code code = fc_kafka_client_init(&feed->client, host, err);
    (void)snprintf(group, sizeof(group), "fluvio-connect.%s", host->connector_name(host));
    fc_hashmap_init(&feed->parts);
    fc_hashmap_init(&feed->known);
    feed->taken = fc_new_array(rd_kafka_message_t *, READ_COUNT_MAX);
    feed->messages = fc_new_array(struct fc_message, READ_COUNT_MAX);
    feed->skips_gaps = host->skips_gaps;
    feed->starts_at_end = strcmp(host->option_text(host, "start"), "end") == 0;
    if (code == FC_OK) {
        code = fc_kafka_client_handle(&feed->client, RD_KAFKA_CONSUMER, ours, NULL,
                                      &feed->consumer, err);
    }
    if (code == FC_OK) {
        code = fc_kafka_client_handle(&feed->client, RD_KAFKA_CONSUMER, ours, NULL,
                                      &feed->questions, err);
    }
    if (code == FC_OK) {
        code = fc_kafka_client_reach(&feed->client, feed->questions, &brokers, err);
    }
    if (code != FC_OK) {
        feed_close(feed);
        return code;
    }
    (void)rd_kafka_poll_set_consumer(feed->consumer); /* it has a group.id */
    feed->ids = fc_kafka_client_topic_ids(&feed->client);
    *out_feed = feed;
    return FC_OK;
}

static void feed_interrupt(struct fc_feed *feed)
{
    feed->client.interrupted = true;
}

/* --- topics ------------------------------------------------------------------------------- */

struct found {
    char *name;
    uint32_t partitions;
};

struct finding {
    struct fc_feed *feed;
    struct found *items;
    size_t count;
};

static fc_code on_found(void *ctx, const char *name, uint32_t partitions, struct fc_error *err)
{
    struct finding *finding = ctx;
    (void)err;
    if (fc_kafka_client_wants(&finding->feed->client, name)) {
        finding->items =
            fc_realloc_array(finding->items, finding->count + 1, sizeof(struct found));
        finding->items[finding->count++] = (struct found){ fc_strdup(name), partitions };
    }
    return FC_OK;
}

static fc_code give_topic(struct fc_feed *feed, const struct found *found,
                          fc_code (*on_topic)(void *ctx, const struct fc_message_topic *topic,
                                              struct fc_error *err),
                          void *ctx, struct fc_error *err)
{
    struct fc_message_topic topic = { .name = found->name, .partitions = found->partitions };
    struct fc_feed_topic *known = fc_feed_topic_of(feed, found->name);
    struct fc_kafka_settings settings = { 0 };
    fc_code code = FC_OK;
    if (!known->told) {
        code = fc_kafka_settings_read(feed->questions, found->name, &settings, err);
        if (code == FC_ERR_CONFIG) { /* it may be that we may not ask */
            fc_kafka_client_tell(&feed->client, 1, "%s; a copy gets the defaults",
                                 err->message);
            code = FC_OK;
        }
        topic.settings = (const char *const *)settings.texts;
        topic.setting_count = settings.count;
    }
    code = code == FC_OK ? on_topic(ctx, &topic, err) : code;
    known->told = known->told || code == FC_OK;
    fc_kafka_settings_release(&settings);
    return code;
}

static fc_code identify(struct finding *finding, struct fc_error *err)
{
    const char **names = fc_new_array(const char *, finding->count + 1);
    fc_code code;
    for (size_t index = 0; index < finding->count; index++) {
        names[index] = finding->items[index].name;
    }
    code = fc_feed_identify(finding->feed, names, finding->count, err);
    free(names);
    return code;
}

static fc_code feed_topics(struct fc_feed *feed,
                           fc_code (*on_topic)(void *ctx, const struct fc_message_topic *topic,
                                               struct fc_error *err),
                           void *ctx, struct fc_error *err)
{
    struct finding finding = { .feed = feed };
    fc_code code;
    release_messages(feed);
    code = fc_cluster_topics(feed->questions, on_found, &finding, err);
    code = code == FC_OK ? identify(&finding, err) : code;
    for (size_t index = 0; index < finding.count; index++) {
        if (code == FC_OK) {
            code = give_topic(feed, &finding.items[index], on_topic, ctx, err);
        }
        free(finding.items[index].name);
    }
    free(finding.items);
    return code;
}

/* --- places ------------------------------------------------------------------------------- */

static fc_code fail_gap(const char *topic, uint32_t partition, int64_t offset, int64_t low,
                        int64_t high, struct fc_error *err)
{
    if (offset > high) {
        return fc_fail(err, FC_ERR_REFUSED,
                       "%s/%" PRIu32 " ends at offset %" PRId64 ", but %" PRId64
                       " was the next to be read: the topic was made anew or cut; to go on "
                       "from its beginning, set on-gap: skip",
                       topic, partition, high, offset);
    }
    return fc_fail(err, FC_ERR_REFUSED,
                   "%s/%" PRIu32 " begins at offset %" PRId64 ", but %" PRId64
                   " was the next to be read: %" PRId64 " offsets are gone there (retention); "
                   "to go on without them, set on-gap: skip",
                   topic, partition, low, offset, low - offset);
}

/* Where to read: what was asked for, or what is said about a gap. */
static fc_code resolve(struct fc_feed *feed, const char *topic, uint32_t partition,
                       int64_t offset, int64_t *out_offset, struct fc_error *err)
{
    int64_t low = 0;
    int64_t high = 0;
    rd_kafka_resp_err_t answer =
        fc_cluster_watermarks(feed->questions, topic, partition, WATERMARK_MS, &low, &high);
    if (answer != RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)fc_kafka_client_fail(&feed->client, answer, "ask for offsets", err);
        return fc_wrap(err, "%s/%" PRIu32, topic, partition);
    }
    if (offset == FC_FEED_BEGINNING || offset == FC_FEED_START) {
        *out_offset = offset == FC_FEED_START && feed->starts_at_end ? high : low;
        return FC_OK;
    }
    if (offset >= low && offset <= high) {
        *out_offset = offset;
        return FC_OK;
    }
    if (!feed->skips_gaps) {
        return fail_gap(topic, partition, offset, low, high, err);
    }
    fc_kafka_client_tell(&feed->client, 2,
                         "%s/%" PRIu32 " skipping a gap: at offset %" PRId64 ", going on at "
                         "%" PRId64,
                         topic, partition, offset, low);
    *out_offset = low;
    return FC_OK;
}

static fc_code start_at(struct fc_feed *feed, struct fc_feed_part *part, int64_t offset,
                        struct fc_error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_error_t *error = NULL;
    fc_code code = FC_OK;
    rd_kafka_topic_partition_list_add(list, part->topic, (int32_t)part->partition)->offset =
        offset;
    if (part->assigned) {
        error = rd_kafka_incremental_unassign(feed->consumer, list);
    }
    error = error == NULL ? rd_kafka_incremental_assign(feed->consumer, list) : error;
    if (error != NULL) {
        code = fc_fail_retriable(err, FC_ERR_IO, "%s/%" PRIu32 ": assign: %s", part->topic,
                                 part->partition, rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
    } else {
        part->next = offset;
        part->assigned = true;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return code;
}

static fc_code feed_assign(struct fc_feed *feed, const char *topic, uint32_t partition,
                           int64_t offset, int64_t *out_offset, struct fc_error *err)
{
    char key[KEY_SIZE];
    struct fc_feed_part *part = part_of(feed, topic, partition);
    fc_code code = resolve(feed, topic, partition, offset, &offset, err);
    if (part == NULL) {
        part = fc_new(struct fc_feed_part);
        part->topic = fc_strdup(topic);
        part->partition = partition;
        (void)fc_hashmap_put(&feed->parts, part_key(key, topic, partition), part);
    }
    code = code == FC_OK ? start_at(feed, part, offset, err) : code;
    if (code == FC_OK) {
        *out_offset = offset;
    }
    return code;
}

static void feed_place(struct fc_feed *feed, const char *topic, uint32_t partition,
                       int64_t *out_next, int64_t *out_end)
{
    const struct fc_feed_part *part = part_of(feed, topic, partition);
    int64_t low = 0;
    int64_t high = 0;
    *out_next = part == NULL ? 0 : part->next;
    *out_end = -1;
    if (rd_kafka_get_watermark_offsets(feed->consumer, topic, (int32_t)partition, &low,
                                       &high) == RD_KAFKA_RESP_ERR_NO_ERROR &&
        high >= 0) {
        *out_end = high < *out_next ? *out_next : high;
    }
}

/* --- reading ------------------------------------------------------------------------------ */

/* What a message says that is no record. */
static fc_code on_event(struct fc_feed *feed, const rd_kafka_message_t *message,
                        struct fc_error *err)
{
    const char *topic = message->rkt == NULL ? NULL : rd_kafka_topic_name(message->rkt);
    struct fc_feed_part *part =
        topic == NULL ? NULL : part_of(feed, topic, (uint32_t)message->partition);
    int64_t offset = 0;
    fc_code code;
    switch ((int)message->err) {
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED: /* of the group that is never joined */
        return FC_OK;
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        if (part != NULL && message->offset > part->next) {
            part->next = message->offset; /* what stood before is no record */
        }
        return FC_OK;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        if (part == NULL) {
            return FC_OK;
        }
        code = resolve(feed, part->topic, part->partition, part->next, &offset, err);
        if (code == FC_OK && offset < part->next) { /* who reads must go back with us */
            return fc_fail_retriable(err, FC_ERR_REFUSED,
                                     "%s/%" PRIu32 " does not reach offset %" PRId64
                                     " any more",
                                     part->topic, part->partition, part->next);
        }
        return code == FC_OK ? start_at(feed, part, offset, err) : code;
    default:
        break;
    }
    if (fc_cluster_is_transient(message->err)) {
        return FC_OK; /* librdkafka goes on by itself, or all brokers are down */
    }
    (void)fc_kafka_client_fail(&feed->client, message->err, "read", err);
    code = topic == NULL ? err->code : fc_wrap(err, "%s/%" PRId32, topic, message->partition);
    if (code == FC_ERR_NOT_FOUND) { /* a topic that was deleted; it may come back */
        fc_kafka_client_tell(&feed->client, 2, "%s", err->message);
        return FC_OK;
    }
    return code;
}

static size_t header_count_of(const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = NULL;
    return rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR
               ? rd_kafka_header_cnt(headers)
               : 0;
}

static struct fc_slice slice_of(const void *data, size_t len)
{
    return data == NULL ? fc_slice_null() : fc_slice_of(data, len);
}

/* Room for all headers first: messages point at theirs. */
static void convert(struct fc_feed *feed)
{
    size_t used = 0;
    size_t total = 0;
    for (uint32_t index = 0; index < feed->count; index++) {
        total += header_count_of(feed->taken[index]);
    }
    if (total > feed->header_capacity) {
        feed->headers = fc_realloc_array(feed->headers, total, sizeof(*feed->headers));
        feed->header_capacity = total;
    }
    for (uint32_t index = 0; index < feed->count; index++) {
        const rd_kafka_message_t *message = feed->taken[index];
        struct fc_message *to = &feed->messages[index];
        rd_kafka_headers_t *headers = NULL;
        rd_kafka_timestamp_type_t kind;
        const char *name = NULL;
        const void *content = NULL;
        size_t size = 0;
        to->topic = rd_kafka_topic_name(message->rkt);
        to->partition = (uint32_t)message->partition;
        to->offset = message->offset;
        to->timestamp_ms = rd_kafka_message_timestamp(message, &kind);
        to->key = slice_of(message->key, message->key_len);
        to->value = slice_of(message->payload, message->len);
        to->headers = feed->headers + used;
        to->header_count = 0;
        if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
            continue;
        }
        while (rd_kafka_header_get_all(headers, to->header_count, &name, &content, &size) ==
               RD_KAFKA_RESP_ERR_NO_ERROR) {
            feed->headers[used].key = fc_slice_text(name);
            feed->headers[used++].value = slice_of(content, size);
            to->header_count++;
        }
    }
}

static fc_code take(struct fc_feed *feed, rd_kafka_message_t *message, size_t *bytes,
                    struct fc_error *err)
{
    struct fc_feed_part *part;
    fc_code code = FC_OK;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        code = on_event(feed, message, err);
        rd_kafka_message_destroy(message);
        return code;
    }
    feed->client.down = false;
    part = part_of(feed, rd_kafka_topic_name(message->rkt), (uint32_t)message->partition);
    if (part == NULL || message->offset < part->next) { /* of an assignment that was left */
        rd_kafka_message_destroy(message);
        return FC_OK;
    }
    part->next = message->offset + 1;
    *bytes += message->len + message->key_len;
    feed->taken[feed->count++] = message;
    return FC_OK;
}

static fc_code feed_read(struct fc_feed *feed, int wait_ms, size_t limit,
                         const struct fc_message **out_messages, uint32_t *out_count,
                         struct fc_error *err)
{
    rd_kafka_message_t *message;
    size_t bytes = 0;
    fc_code code = FC_OK;
    release_messages(feed);
    if (feed->has_failed) {
        *err = feed->failure;
        return err->code;
    }
    message = rd_kafka_consumer_poll(feed->consumer, wait_ms);
    while (message != NULL && code == FC_OK) {
        code = take(feed, message, &bytes, err);
        message = code == FC_OK && bytes < limit && feed->count < READ_COUNT_MAX
                      ? rd_kafka_consumer_poll(feed->consumer, 0)
                      : NULL;
    }
    if (code != FC_OK && feed->count > 0) { /* what came before it is given first */
        feed->has_failed = true;
        feed->failure = *err;
        code = FC_OK;
    }
    if (code == FC_OK && feed->client.interrupted) {
        code = fc_fail(err, FC_ERR_CLOSED, "interrupted");
    }
    if (code == FC_OK && feed->count == 0 && feed->client.down) {
        code = fc_kafka_client_fail(&feed->client, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "read",
                                    err);
    }
    if (code == FC_OK) {
        convert(feed);
        *out_messages = feed->messages;
        *out_count = feed->count;
    }
    return code;
}

const struct fc_feed_ops fc_kafka_feed_ops = {
    .size = sizeof(struct fc_feed_ops),
    .open = feed_open,
    .topics = feed_topics,
    .assign = feed_assign,
    .read = feed_read,
    .place = feed_place,
    .groups = fc_feed_groups,
    .interrupt = feed_interrupt,
    .close = feed_close,
    .check = fc_kafka_check_feed,
    .identity = fc_feed_identity,
    .verify = fc_feed_verify,
    .look = fc_kafka_look_feed,
};
