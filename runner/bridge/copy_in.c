/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/bridge/copy_in.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "runner/bridge/origin.h"

enum { HEADER_BYTES_MAX = 4096, READ_BYTES = 4 * 1024 * 1024, INSIST_MS = 500 };

static int64_t now(const struct fc_copy_in *in)
{
    return fc_bridge_now(in->bridge);
}

/* --- into the log ------------------------------------------------------------------------- */

fc_code fc_in_insist(struct fc_copy_in *in, fc_code (*step)(void *ctx, struct fc_error *err),
                     void *ctx, struct fc_error *err)
{
    bool waited = false;
    fc_code code = step(ctx, err);
    while (code == FC_ERR_FULL || code == FC_ERR_TIMEOUT) {
        if (fc_bridge_stopping(in->bridge)) {
            return FC_ERR_CLOSED; /* what is not there is copied at the next start */
        }
        fc_bridge_waits(in->bridge, err->message, true);
        waited = true;
        fc_bridge_pause(in->bridge, INSIST_MS);
        code = step(ctx, err);
    }
    if (waited && code == FC_OK) {
        fc_bridge_waits(in->bridge, "", false);
    }
    return code;
}

static fc_code append_step(void *ctx, struct fc_error *err)
{
    int64_t base = 0;
    return fc_stream_append(ctx, &base, err);
}

static fc_code append(struct fc_copy_in *in, struct fc_in_part *part, struct fc_error *err)
{
    fc_code code;
    if (part->batch == NULL || fc_stream_batch_count(part->batch) == 0) {
        return FC_OK;
    }
    code = fc_in_verify(in, err);
    if (code != FC_OK) {
        fc_stream_batch_reset(part->batch, part->topic->copy, part->partition);
        return code;
    }
    code = fc_stream_batch_seal(part->batch, err);
    code = code == FC_OK ? fc_in_insist(in, append_step, part->batch, err) : code;
    fc_stream_batch_reset(part->batch, part->topic->copy, part->partition);
    part->touched = true;
    return code == FC_OK
               ? FC_OK
               : fc_wrap(err, "%s/%" PRIu32, fc_topic_name(part->topic->copy), part->partition);
}

static fc_code flush_step(void *ctx, struct fc_error *err)
{
    return fc_stream_flush(ctx, err);
}

/* An append of nothing tells where the copy ends. */
static fc_code note_end(struct fc_in_part *part, struct fc_error *err)
{
    int64_t end = 0;
    fc_code code = fc_stream_batch_seal(part->batch, err);
    code = code == FC_OK ? fc_stream_append(part->batch, &end, err) : code;
    fc_stream_batch_reset(part->batch, part->topic->copy, part->partition);
    if (code == FC_OK) {
        part->copy_end = end > part->copy_end ? end : part->copy_end;
        part->touched = false;
        fc_offset_map_add(&part->map, part->next, part->copy_end);
    }
    return code;
}

/* What was read is in the log, durable; then places can be taken past what is no record. */
static fc_code flush(struct fc_copy_in *in, struct fc_error *err)
{
    fc_code code = FC_OK;
    if (in->pending_records > 0) {
        for (size_t at = 0; at < in->topic_count; at++) {
            for (uint32_t index = 0; code == FC_OK && index < in->topics[at]->count; index++) {
                code = append(in, in->topics[at]->parts[index], err);
            }
        }
        code = code == FC_OK ? fc_in_insist(in, flush_step, in->stream, err) : code;
    }
    for (size_t at = 0; at < in->topic_count; at++) {
        for (uint32_t index = 0; code == FC_OK && index < in->topics[at]->count; index++) {
            struct fc_in_part *part = in->topics[at]->parts[index];
            int64_t place = 0;
            code = part->touched ? note_end(part, err) : FC_OK;
            in->ops->place(in->feed, part->topic->name, index, &place, &part->end);
            in->moved = in->moved || place > part->placed;
            part->placed = place > part->placed ? place : part->placed;
        }
    }
    if (code == FC_OK) {
        fc_bridge_count(in->bridge, 0, in->pending_records, in->pending_bytes);
        in->pending_records = 0;
        in->pending_bytes = 0;
    }
    return code;
}

/* --- one message -------------------------------------------------------------------------- */

static fc_code add(struct fc_copy_in *in, struct fc_in_part *part,
                   const struct fc_record *record, struct fc_error *err)
{
    fc_code code;
    if (part->batch == NULL) {
        part->batch = fc_stream_batch_new(part->topic->copy, part->partition);
    }
    code = fc_stream_batch_add(part->batch, record, err);
    if (code == FC_ERR_NOMEM) { /* it is full: another */
        code = append(in, part, err);
        code = code == FC_OK ? fc_stream_batch_add(part->batch, record, err) : code;
    }
    return code;
}

static fc_code put(struct fc_copy_in *in, const struct fc_message *message,
                   struct fc_error *err)
{
    struct fc_in_part *part = fc_in_part_of(in, message->topic, message->partition);
    struct fc_header headers[FC_RECORD_HEADERS_MAX];
    struct fc_record record = { .timestamp_ms = message->timestamp_ms,
                                .key = message->key,
                                .value = message->value,
                                .headers = headers,
                                .header_count = message->header_count };
    fc_code code = FC_OK;
    if (part == NULL || message->offset < part->next) {
        return FC_OK; /* it is there already */
    }
    if (message->header_count >= FC_RECORD_HEADERS_MAX) {
        code = fc_fail(err, FC_ERR_LIMIT, "a record with %" PRIu32 " headers, at most %d",
                       message->header_count, FC_RECORD_HEADERS_MAX - 1);
    }
    for (uint32_t index = 0; code == FC_OK && index < message->header_count; index++) {
        headers[index].key = message->headers[index].key;
        headers[index].value = message->headers[index].value;
    }
    if (code == FC_OK && in->bridge->config.config->exactly_once) {
        fc_buf_clear(&in->text);
        fc_origin_encode(&in->text, in->bridge->config.config->name, message->topic,
                         message->partition, message->offset);
        headers[record.header_count].key = fc_slice_text(FC_ORIGIN_HEADER);
        headers[record.header_count++].value = fc_buf_slice(&in->text);
    }
    code = code == FC_OK ? add(in, part, &record, err) : code;
    if (code != FC_OK) {
        return fc_wrap(err, "%s/%" PRIu32 " offset %" PRId64, message->topic,
                       message->partition, message->offset);
    }
    part->next = message->offset + 1;
    in->newest_ms = message->timestamp_ms;
    in->pending_since_ms = in->pending_records == 0 ? now(in) : in->pending_since_ms;
    in->pending_records++;
    in->pending_bytes += message->key.len + message->value.len;
    if (fc_stream_batch_bytes(part->batch) >= in->bridge->config.config->batch_bytes) {
        code = append(in, part, err);
    }
    return code;
}

/* --- the place ---------------------------------------------------------------------------- */

static bool is_copied(void *ctx, const char *topic)
{
    const struct fc_copy_in *in = ctx;
    for (size_t at = 0; at < in->topic_count; at++) {
        if (strcmp(in->topics[at]->name, topic) == 0) {
            return true;
        }
    }
    return false;
}

static void encode_places(struct fc_copy_in *in, struct fc_buf *out)
{
    fc_buf_append_text(out, "{");
    for (size_t at = 0; at < in->topic_count; at++) {
        const struct fc_in_topic *topic = in->topics[at];
        fc_buf_append_text(out, at == 0 ? "" : ",");
        fc_places_encode_begin(out, topic->name, topic->id);
        for (uint32_t index = 0; index < topic->count; index++) {
            fc_buf_append_fmt(out, "%s%" PRId64, index == 0 ? "" : ",",
                              topic->parts[index]->placed);
        }
        fc_places_encode_end(out, topic->id);
    }
    fc_places_encode_others(in->places, is_copied, in, in->topic_count > 0, out);
    fc_buf_append_text(out, "}");
}

struct checkpointing {
    struct fc_copy_in *in;
    struct fc_checkpoint checkpoint;
};

static fc_code checkpoint_step(void *ctx, struct fc_error *err)
{
    struct checkpointing *checkpointing = ctx;
    const struct fc_bridge_config *config = &checkpointing->in->bridge->config;
    return fc_checkpoint_append(config->stream, config->config->name,
                                &checkpointing->checkpoint, config->clock, err);
}

/* Of topics that are not there any more, or not wanted, for when they come back. */
static void keep_others(const struct fc_copy_in *in, struct fc_checkpoint *checkpoint)
{
    for (size_t at = 0; at < in->checkpoint.topic_count; at++) {
        const struct fc_checkpoint_topic *old = &in->checkpoint.topics[at];
        if (fc_checkpoint_topic(checkpoint, old->name) == NULL) {
            struct fc_checkpoint_topic *entry =
                fc_checkpoint_add_topic(checkpoint, old->name, old->partitions);
            memcpy(entry->ends, old->ends, old->partitions * sizeof(*old->ends));
        }
    }
}

/* Everything is flushed. */
static fc_code keep_place(struct fc_copy_in *in, struct fc_error *err)
{
    struct checkpointing keeping = { .in = in };
    fc_code code;
    fc_checkpoint_init(&keeping.checkpoint);
    encode_places(in, &keeping.checkpoint.position);
    for (size_t at = 0; at < in->topic_count; at++) {
        const struct fc_in_topic *topic = in->topics[at];
        struct fc_checkpoint_topic *entry = fc_checkpoint_add_topic(
            &keeping.checkpoint, fc_topic_name(topic->copy), topic->count);
        for (uint32_t index = 0; index < topic->count; index++) {
            entry->ends[index] = topic->parts[index]->copy_end;
        }
    }
    keep_others(in, &keeping.checkpoint);
    code = fc_in_points_write(in, err);
    code = code == FC_OK ? fc_in_insist(in, checkpoint_step, &keeping, err) : code;
    code = code == FC_OK ? fc_in_insist(in, flush_step, in->stream, err) : code;
    fc_checkpoint_release(&keeping.checkpoint);
    if (code == FC_OK) {
        in->moved = false;
        in->fresh = false;
    }
    return code;
}

/* --- the loop ----------------------------------------------------------------------------- */

static void show(struct fc_copy_in *in)
{
    struct fc_bridge_lag *lags;
    size_t total = 0;
    size_t used = 0;
    for (size_t at = 0; at < in->topic_count; at++) {
        total += in->topics[at]->count;
    }
    lags = fc_new_array(struct fc_bridge_lag, total + 1);
    for (size_t at = 0; at < in->topic_count; at++) {
        for (uint32_t index = 0; index < in->topics[at]->count; index++) {
            const struct fc_in_part *part = in->topics[at]->parts[index];
            struct fc_bridge_lag *lag = &lags[used++];
            (void)snprintf(lag->topic, sizeof(lag->topic), "%s", part->topic->name);
            lag->partition = index;
            lag->next = part->placed;
            lag->end = part->end;
        }
    }
    fc_bridge_show(in->bridge, lags, used, in->topic_count, in->newest_ms);
}

static bool caught_up(const struct fc_copy_in *in)
{
    for (size_t at = 0; at < in->topic_count; at++) {
        for (uint32_t index = 0; index < in->topics[at]->count; index++) {
            const struct fc_in_part *part = in->topics[at]->parts[index];
            if (part->end < 0 || part->placed < part->end) {
                return false;
            }
        }
    }
    return true;
}

static fc_code read_some(struct fc_copy_in *in, struct fc_error *err)
{
    const struct fc_message *messages = NULL;
    uint32_t count = 0;
    int wait_ms = FC_BRIDGE_FLUSH_MS;
    fc_code code;
    if (in->pending_records > 0) {
        int64_t left = in->pending_since_ms + FC_BRIDGE_FLUSH_MS - now(in);
        wait_ms = left < 0 ? 0 : (int)left;
    }
    code = in->ops->read(in->feed, wait_ms, READ_BYTES, &messages, &count, err);
    in->unverified = in->unverified || count > 0;
    for (uint32_t index = 0; code == FC_OK && index < count; index++) {
        code = put(in, &messages[index], err);
    }
    if (code == FC_OK) {
        fc_bridge_count(in->bridge, count, 0, 0);
        fc_bridge_waits(in->bridge, "", false);
    } else if (in->pending_records > 0) {
        struct fc_error ignored; /* the first counts; a new start looks at what is there */
        (void)flush(in, &ignored);
    }
    return code;
}

static bool is_due(struct fc_copy_in *in, int64_t *last_ms, int every_ms)
{
    int64_t time_ms = now(in);
    if (time_ms - *last_ms < every_ms) {
        return false;
    }
    *last_ms = time_ms;
    return true;
}

static fc_code look(struct fc_copy_in *in, struct fc_error *err)
{
    fc_code code = flush(in, err);
    code = code == FC_OK ? fc_in_look(in, err) : code;
    return code == FC_OK && in->fresh ? keep_place(in, err) : code;
}

static fc_code loop(struct fc_copy_in *in, struct fc_error *err)
{
    uint64_t bytes_max = in->bridge->config.config->memory_bytes / 4;
    int64_t looked_ms = now(in);
    int64_t kept_ms = looked_ms;
    int64_t shown_ms = 0;
    int64_t grouped_ms = looked_ms;
    bool done = false;
    fc_code code = look(in, err);
    while (code == FC_OK && !done && !fc_bridge_stopping(in->bridge)) {
        code = read_some(in, err);
        if (code == FC_OK && (in->pending_bytes >= bytes_max ||
                              now(in) - in->pending_since_ms >= FC_BRIDGE_FLUSH_MS)) {
            in->moved = in->moved || in->pending_records > 0;
            code = flush(in, err);
        }
        if (code == FC_OK && in->moved && in->pending_records == 0 &&
            is_due(in, &kept_ms, FC_BRIDGE_CHECKPOINT_MS)) {
            code = keep_place(in, err);
        }
        if (code == FC_OK && is_due(in, &looked_ms, FC_BRIDGE_TOPICS_MS)) {
            code = look(in, err);
        }
        if (code == FC_OK && is_due(in, &grouped_ms, FC_BRIDGE_GROUPS_MS)) {
            code = fc_in_groups(in, false, err);
        }
        if (is_due(in, &shown_ms, FC_BRIDGE_STATUS_MS)) {
            show(in);
        }
        done = in->bridge->config.until_end && in->pending_records == 0 && caught_up(in);
    }
    if (code == FC_OK) {
        code = flush(in, err);
        code = code == FC_OK ? keep_place(in, err) : code;
        code = code == FC_OK ? fc_in_groups(in, true, err) : code;
        show(in);
    }
    return code;
}

/* --- from start to end -------------------------------------------------------------------- */

static void free_points(void *value)
{
    fc_offset_map_release(value);
    free(value);
}

static void release(struct fc_copy_in *in)
{
    for (size_t at = 0; at < in->topic_count; at++) {
        struct fc_in_topic *topic = in->topics[at];
        for (uint32_t index = 0; index < topic->count; index++) {
            fc_stream_batch_free(topic->parts[index]->batch);
            fc_offset_map_release(&topic->parts[index]->map);
            free(topic->parts[index]);
        }
        free(topic->parts);
        free(topic->name);
        free(topic->id);
        free(topic);
    }
    free(in->topics);
    fc_hashmap_release(&in->points, free_points);
    fc_hashmap_release(&in->groups, free);
    fc_places_free(in->places);
    fc_checkpoint_release(&in->checkpoint);
    fc_buf_release(&in->text);
}

fc_code fc_bridge_copy_in(struct fc_bridge *bridge, struct fc_error *err)
{
    struct fc_copy_in in = { .bridge = bridge,
                             .stream = bridge->config.stream,
                             .ops = bridge->config.plugin->feed,
                             .has_groups = true };
    fc_code code;
    fc_checkpoint_init(&in.checkpoint);
    fc_hashmap_init(&in.points);
    fc_hashmap_init(&in.groups);
    fc_buf_init(&in.text, HEADER_BYTES_MAX);
    code = fc_stream_renew(in.stream, err);
    if (code == FC_OK) {
        code = fc_checkpoint_read(in.stream, bridge->config.config->name, &in.checkpoint, err);
    }
    if (code == FC_OK) {
        in.first = !in.checkpoint.present;
        code = fc_places_decode(fc_buf_slice(&in.checkpoint.position), &in.places, err);
    }
    code = code == FC_OK ? fc_in_points_read(&in, err) : code;
    code = code == FC_OK ? in.ops->open(bridge->config.host, &in.feed, err) : code;
    if (code == FC_OK) {
        fc_bridge_open(bridge, in.feed, NULL);
        code = loop(&in, err);
        fc_bridge_open(bridge, NULL, NULL);
        in.ops->close(in.feed);
    }
    release(&in);
    return code;
}
