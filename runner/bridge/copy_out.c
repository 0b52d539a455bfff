/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our log copied out to a sink. The log is opened for reading only, beside who writes it, and
 * anew when a topic has got more partitions. Where to go on is what the target knows.
 */
#include "runner/bridge/copy_out.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "runner/bridge/origin.h"
#include "runner/log_open.h"

enum {
    FLUSH_BYTES = 4 * 1024 * 1024,
    IDLE_MS = 20,
    CLUSTER_WAIT_MS = 1, /* for a partition of a cluster to give what has come */
    MESSAGES_FIRST = 256
};

static int64_t now(const struct fc_copy_out *out)
{
    return fc_bridge_now(out->bridge);
}

/* --- topics ------------------------------------------------------------------------------- */

struct texts {
    char **items;
    uint32_t count; /* of pairs */
};

static void on_setting(void *ctx, const char *name, const char *value)
{
    struct texts *texts = ctx;
    size_t at = 2 * (size_t)texts->count++;
    texts->items = fc_realloc_array(texts->items, at + 2, sizeof(char *));
    texts->items[at] = fc_strdup(name);
    texts->items[at + 1] = fc_strdup(value);
}

static fc_code prepare(struct fc_copy_out *out, const char *name, const char *copy,
                       uint32_t partitions, struct fc_error *err)
{
    struct fc_message_topic topic = { .name = copy, .partitions = partitions };
    struct texts texts = { 0 };
    fc_code code = fc_stream_settings(out->stream, name, on_setting, &texts, err);
    if (code == FC_ERR_CONFIG) { /* it may be that we may not ask */
        code = FC_OK;
    }
    topic.settings = (const char *const *)texts.items;
    topic.setting_count = texts.count;
    code = code == FC_OK ? out->ops->prepare(out->sink, &topic, err) : code;
    for (uint32_t index = 0; index < 2 * texts.count; index++) {
        free(texts.items[index]);
    }
    free(texts.items);
    return code;
}

static fc_code fail_made_anew(const struct fc_copy_out *out, const char *topic,
                              struct fc_error *err)
{
    if (out->bridge->config.config->skips_gaps) { /* a new start begins with the new one */
        return fc_fail_retriable(err, FC_ERR_REFUSED, "topic %s was made anew in our log",
                                 topic);
    }
    return fc_fail(err, FC_ERR_REFUSED,
                   "topic %s was deleted and made anew in our log; to copy the new one behind "
                   "what there is of the old one, from its beginning, set on-gap: skip",
                   topic);
}

/* Whether the target's position is of this topic, not of one that had its name before. */
static fc_code check_same(struct fc_copy_out *out, struct fc_out_part *part, const char *id,
                          struct fc_error *err)
{
    const char *before = NULL;
    if (out->ops->identity == NULL || out->ops->identify == NULL || *id == '\0') {
        return FC_OK;
    }
    before = out->ops->identity(out->sink, part->copy, part->partition);
    if (before != NULL && strcmp(before, id) != 0) {
        if (!out->bridge->config.config->skips_gaps) {
            return fail_made_anew(out, part->name, err);
        }
        fc_diag_report(out->bridge->config.diag, FC_DIAG_WARN,
                       "%s/%" PRIu32 " skipping a gap: the topic was made anew in our log; "
                       "going on with the beginning of the new one",
                       part->name, part->partition);
        part->made_anew = true;
    }
    out->ops->identify(out->sink, part->copy, part->partition, id);
    return FC_OK;
}

/* Counts from the next flush on. */
static void reach(struct fc_copy_out *out, struct fc_out_part *part, int64_t next)
{
    out->pending_since_ms = out->moved ? out->pending_since_ms : now(out);
    out->moved = true;
    part->next = next;
    out->ops->reached(out->sink, part->copy, part->partition, next);
}

/* A place that is not in our log is a gap, or of another log. */
static fc_code place_part(struct fc_copy_out *out, struct fc_out_part *part,
                          struct fc_error *err)
{
    struct fc_offsets offsets = { 0 };
    fc_code code = fc_stream_offsets(part->topic, part->partition, &offsets, err);
    part->next =
        part->made_anew ? -1 : out->ops->position(out->sink, part->copy, part->partition);
    part->flushed = part->next;
    if (code == FC_OK &&
        part->next < 0) { /* told from now on: what goes before it is copied is a gap */
        reach(out, part, offsets.start);
    }
    if (code == FC_OK && part->next > offsets.end) {
        return fc_fail(err, FC_ERR_REFUSED,
                       "%s/%" PRIu32 " ends at offset %" PRId64 ", but the target has it up to "
                       "%" PRId64 ": this is another log, or it was made anew",
                       part->name, part->partition, offsets.end, part->next);
    }
    if (code == FC_OK && part->next < offsets.start) {
        if (!out->bridge->config.config->skips_gaps) {
            return fc_fail(err, FC_ERR_REFUSED,
                           "%s/%" PRIu32 " begins at offset %" PRId64 ", but %" PRId64
                           " was the next to be copied: %" PRId64 " offsets are gone "
                           "(retention); to go on without them, set on-gap: skip",
                           part->name, part->partition, offsets.start, part->next,
                           offsets.start - part->next);
        }
        fc_diag_report(out->bridge->config.diag, FC_DIAG_WARN,
                       "%s/%" PRIu32 " skipping a gap: from offset %" PRId64 " to %" PRId64,
                       part->name, part->partition, part->next, offsets.start);
        part->next = offsets.start;
    }
    return code;
}

static fc_code begin_topic(struct fc_copy_out *out, const char *name, uint32_t partitions,
                           struct fc_error *err)
{
    char copy[FC_TOPIC_NAME_MAX + 1];
    char id[FC_TOPIC_ID_SIZE] = "";
    struct fc_topic *topic = NULL;
    fc_code code;
    fc_bridge_name(out->bridge, name, copy);
    code = fc_stream_topic(out->stream, name, &topic, err);
    code = code == FC_OK ? fc_log_ids_of(out->ids, name, id, err) : code;
    code = code == FC_OK ? prepare(out, name, copy, partitions, err) : code;
    if (code != FC_OK) {
        return code;
    }
    partitions = fc_topic_partitions(topic); /* more come when the log is opened again */
    out->parts =
        fc_realloc_array(out->parts, out->part_count + partitions, sizeof(struct fc_out_part));
    for (uint32_t index = 0; code == FC_OK && index < partitions; index++) {
        struct fc_out_part *part = &out->parts[out->part_count++];
        memset(part, 0, sizeof(*part));
        part->name = fc_strdup(name);
        part->copy = fc_strdup(copy);
        part->partition = index;
        part->topic = topic;
        code = check_same(out, part, id, err);
        code = code == FC_OK ? place_part(out, part, err) : code;
        code = code == FC_OK
                   ? fc_stream_reader_open(topic, index, part->next, &part->reader, err)
                   : code;
    }
    out->topics =
        fc_realloc_array(out->topics, out->topic_count + 1, sizeof(struct fc_out_topic));
    out->topics[out->topic_count++] = (struct fc_out_topic){ fc_strdup(name), partitions };
    return code;
}

static fc_code on_name(void *ctx, const char *name, uint32_t partitions, struct fc_error *err)
{
    struct fc_copy_out *out = ctx;
    if (fc_out_is_internal(name) || !out->ops->wants(out->sink, name)) {
        return FC_OK;
    }
    for (size_t index = 0; index < out->topic_count; index++) {
        if (strcmp(out->topics[index].name, name) == 0) {
            out->grown = out->grown || partitions > out->topics[index].partitions;
            return FC_OK;
        }
    }
    return begin_topic(out, name, partitions, err);
}

/* --- records ------------------------------------------------------------------------------ */

static void make_room(struct fc_copy_out *out, const struct fc_record *records, uint32_t count)
{
    size_t headers = 0;
    for (uint32_t index = 0; index < count; index++) {
        headers += records[index].header_count;
    }
    if (headers > out->header_capacity) {
        out->header_capacity = headers;
        out->headers = fc_realloc_array(out->headers, headers, sizeof(*out->headers));
    }
    if (count > out->message_capacity) {
        out->message_capacity = count < MESSAGES_FIRST ? MESSAGES_FIRST : count;
        out->messages =
            fc_realloc_array(out->messages, out->message_capacity, sizeof(*out->messages));
    }
}

static void convert(struct fc_copy_out *out, const struct fc_out_part *part,
                    const struct fc_record *records, uint32_t count)
{
    size_t used = 0;
    make_room(out, records, count);
    for (uint32_t index = 0; index < count; index++) {
        const struct fc_record *record = &records[index];
        struct fc_message *message = &out->messages[index];
        message->topic = part->copy;
        message->partition = part->partition;
        message->offset = record->offset;
        message->timestamp_ms = record->timestamp_ms;
        message->key = record->key;
        message->value = record->value;
        message->headers = out->headers + used;
        message->header_count = fc_origin_own_headers(record);
        for (uint32_t at = 0; at < message->header_count; at++) {
            out->headers[used].key = record->headers[at].key;
            out->headers[used++].value = record->headers[at].value;
        }
        out->pending_bytes += record->key.len + record->value.len;
        out->newest_ms = record->timestamp_ms;
    }
}

static fc_code copy_some(struct fc_copy_out *out, struct fc_out_part *part, bool *any,
                         struct fc_error *err)
{
    int wait_ms = out->bridge->config.config->kafka == NULL ? 0 : CLUSTER_WAIT_MS;
    const struct fc_record *records = NULL;
    uint32_t count = 0;
    fc_code code = fc_stream_reader_next(part->reader, wait_ms, &records, &count, err);
    if (code == FC_OK && count > 0) {
        out->pending_since_ms = out->moved ? out->pending_since_ms : now(out);
        convert(out, part, records, count);
        code = out->ops->write(out->sink, out->messages, count, err);
        out->pending_records += count;
        out->moved = true;
        *any = true;
    }
    if (code == FC_OK && fc_stream_reader_offset(part->reader) > part->next) {
        *any = true; /* there may be gaps only, and more behind them */
        reach(out, part, fc_stream_reader_offset(part->reader));
    }
    return code;
}

/* What was read is of the topics that it seems to be; then it can be made durable. */
static fc_code verify(struct fc_copy_out *out, struct fc_error *err)
{
    const char *topic = NULL;
    fc_code code = fc_log_ids_verify(out->ids, &topic, err);
    return code == FC_OK && topic != NULL ? fail_made_anew(out, topic, err) : code;
}

static fc_code flush(struct fc_copy_out *out, struct fc_error *err)
{
    fc_code code = out->moved ? verify(out, err) : FC_OK;
    code = code == FC_OK && out->moved ? out->ops->flush(out->sink, err) : code;
    if (code == FC_OK && out->moved) {
        for (size_t index = 0; index < out->part_count; index++) {
            out->parts[index].flushed = out->parts[index].next;
        }
        fc_bridge_count(out->bridge, out->pending_records, out->pending_records,
                        out->pending_bytes);
        out->pending_records = 0;
        out->pending_bytes = 0;
        out->moved = false;
    }
    return code;
}

/* Once around all partitions. */
static fc_code go_round(struct fc_copy_out *out, bool *any, struct fc_error *err)
{
    fc_code code = FC_OK;
    for (size_t index = 0; code == FC_OK && index < out->part_count; index++) {
        code = copy_some(out, &out->parts[index], any, err);
        if (code == FC_OK && out->moved &&
            (out->pending_bytes >= FLUSH_BYTES ||
             now(out) - out->pending_since_ms >= FC_BRIDGE_FLUSH_MS)) {
            code = flush(out, err);
        }
    }
    if (code == FC_OK && !*any) {
        code = flush(out, err);
    }
    return code;
}

/* --- the loop ----------------------------------------------------------------------------- */

static void show(struct fc_copy_out *out)
{
    struct fc_bridge_lag *lags = fc_new_array(struct fc_bridge_lag, out->part_count + 1);
    for (size_t index = 0; index < out->part_count; index++) {
        const struct fc_out_part *part = &out->parts[index];
        struct fc_offsets offsets = { 0 };
        struct fc_error ignored; /* the next read will say it */
        (void)snprintf(lags[index].topic, sizeof(lags[index].topic), "%s", part->name);
        lags[index].partition = part->partition;
        lags[index].next = part->flushed < 0 ? 0 : part->flushed;
        lags[index].end =
            fc_stream_offsets(part->topic, part->partition, &offsets, &ignored) == FC_OK
                ? offsets.end
                : -1;
    }
    fc_bridge_show(out->bridge, lags, out->part_count, out->topic_count, out->newest_ms);
}

static bool is_due(struct fc_copy_out *out, int64_t *last_ms, int every_ms)
{
    int64_t time_ms = now(out);
    if (time_ms - *last_ms < every_ms) {
        return false;
    }
    *last_ms = time_ms;
    return true;
}

static fc_code loop(struct fc_copy_out *out, struct fc_error *err)
{
    int64_t looked_ms = now(out);
    int64_t grouped_ms = looked_ms;
    int64_t shown_ms = 0;
    bool done = false;
    fc_code code = fc_stream_names(out->stream, on_name, out, err);
    while (code == FC_OK && !done && !out->grown && !fc_bridge_stopping(out->bridge)) {
        bool any = false;
        code = go_round(out, &any, err);
        if (code == FC_OK) {
            fc_bridge_waits(out->bridge, "", false);
        }
        if (code == FC_OK && is_due(out, &looked_ms, FC_BRIDGE_TOPICS_MS)) {
            code = fc_stream_names(out->stream, on_name, out, err);
        }
        if (code == FC_OK && is_due(out, &grouped_ms, FC_BRIDGE_GROUPS_MS)) {
            code = flush(out, err);
            code = code == FC_OK ? fc_out_groups(out, err) : code;
        }
        if (is_due(out, &shown_ms, FC_BRIDGE_STATUS_MS)) {
            show(out);
        }
        done = out->bridge->config.until_end && !any && !out->moved;
        if (code == FC_OK && !any && !done) {
            fc_bridge_pause(out->bridge, IDLE_MS);
        }
    }
    if (code == FC_OK) {
        code = flush(out, err);
        code = code == FC_OK ? fc_out_groups(out, err) : code;
        show(out);
    }
    return code;
}

/* --- from start to end -------------------------------------------------------------------- */

static void release(struct fc_copy_out *out)
{
    for (size_t index = 0; index < out->part_count; index++) {
        fc_stream_reader_close(out->parts[index].reader);
        free(out->parts[index].name);
        free(out->parts[index].copy);
    }
    for (size_t index = 0; index < out->topic_count; index++) {
        free(out->topics[index].name);
    }
    free(out->parts);
    free(out->topics);
    free(out->messages);
    free(out->headers);
    fc_log_ids_free(out->ids);
    fc_stream_close(out->stream);
}

static fc_code copy_once(struct fc_bridge *bridge, bool *out_grown, struct fc_error *err)
{
    struct fc_copy_out out = { .bridge = bridge, .ops = bridge->config.plugin->sink };
    fc_code code =
        fc_log_open_reader(bridge->config.config, bridge->config.clock, &out.stream, err);
    code = code == FC_OK ? out.ops->open(bridge->config.host, &out.sink, err) : code;
    if (code == FC_OK) {
        out.ids = fc_log_ids_new(bridge, out.stream);
        fc_bridge_open(bridge, NULL, out.sink);
        code = loop(&out, err);
        if (code == FC_ERR_NOT_FOUND) { /* what is there is looked up anew, and a gap is told */
            err->retriable = true;
        }
        fc_bridge_open(bridge, NULL, NULL);
        out.ops->close(out.sink);
    }
    *out_grown = out.grown;
    release(&out);
    return code;
}

fc_code fc_bridge_copy_out(struct fc_bridge *bridge, struct fc_error *err)
{
    bool grown = true;
    fc_code code = FC_OK;
    while (code == FC_OK && grown && !fc_bridge_stopping(bridge)) {
        code = copy_once(bridge, &grown, err);
    }
    return code;
}
