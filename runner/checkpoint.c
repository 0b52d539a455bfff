/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/checkpoint.h"

#include <inttypes.h>
#include <stdlib.h>

#include <jansson.h>
#include <openssl/evp.h>

#include "core/base/alloc.h"

#define CHECKPOINT_TOPIC_PREFIX "_fluvio.checkpoint."

enum {
    CHECKPOINT_VERSION = 1,
    CHECKPOINT_BYTES_MAX = 64 * 1024 * 1024,
    CHECKPOINT_PARTITIONS_MAX = 1 << 20,
    CHECKPOINT_SEGMENT_BYTES = 1 << 20
};

void fc_checkpoint_init(struct fc_checkpoint *checkpoint)
{
    memset(checkpoint, 0, sizeof(*checkpoint));
    fc_buf_init(&checkpoint->tx, CHECKPOINT_BYTES_MAX);
    fc_buf_init(&checkpoint->position, CHECKPOINT_BYTES_MAX);
}

void fc_checkpoint_release(struct fc_checkpoint *checkpoint)
{
    for (size_t index = 0; index < checkpoint->topic_count; index++) {
        free(checkpoint->topics[index].ends);
    }
    free(checkpoint->topics);
    fc_buf_release(&checkpoint->tx);
    fc_buf_release(&checkpoint->position);
    fc_checkpoint_init(checkpoint);
}

struct fc_checkpoint_topic *fc_checkpoint_topic(struct fc_checkpoint *checkpoint,
                                                const char *name)
{
    for (size_t index = 0; index < checkpoint->topic_count; index++) {
        if (strcmp(checkpoint->topics[index].name, name) == 0) {
            return &checkpoint->topics[index];
        }
    }
    return NULL;
}

struct fc_checkpoint_topic *fc_checkpoint_add_topic(struct fc_checkpoint *checkpoint,
                                                    const char *name, uint32_t partitions)
{
    struct fc_checkpoint_topic *topic;
    fc_assert(strlen(name) <= FC_TOPIC_NAME_MAX);
    checkpoint->topics = fc_realloc_array(checkpoint->topics, checkpoint->topic_count + 1,
                                          sizeof(*checkpoint->topics));
    topic = &checkpoint->topics[checkpoint->topic_count++];
    (void)snprintf(topic->name, sizeof(topic->name), "%s", name);
    topic->partitions = partitions;
    topic->ends = fc_new_array(int64_t, partitions);
    return topic;
}

void fc_checkpoint_copy_ends(struct fc_checkpoint *to, const struct fc_checkpoint *from)
{
    for (size_t index = 0; index < from->topic_count; index++) {
        const struct fc_checkpoint_topic *source = &from->topics[index];
        struct fc_checkpoint_topic *target = fc_checkpoint_topic(to, source->name);
        if (target == NULL) {
            target = fc_checkpoint_add_topic(to, source->name, source->partitions);
        }
        memcpy(target->ends, source->ends, source->partitions * sizeof(*source->ends));
    }
}

void fc_checkpoint_copy(struct fc_checkpoint *to, const struct fc_checkpoint *from)
{
    to->present = from->present;
    to->seq = from->seq;
    fc_buf_clear(&to->tx);
    fc_buf_append_slice(&to->tx, fc_buf_slice(&from->tx));
    fc_buf_clear(&to->position);
    fc_buf_append_slice(&to->position, fc_buf_slice(&from->position));
    fc_checkpoint_copy_ends(to, from);
}

fc_code fc_checkpoint_enter_topic(struct fc_checkpoint *checkpoint, struct fc_topic *topic,
                                  struct fc_error *err)
{
    struct fc_checkpoint_topic *entry =
        fc_checkpoint_add_topic(checkpoint, fc_topic_name(topic), fc_topic_partitions(topic));
    fc_code code = FC_OK;
    for (uint32_t partition = 0; code == FC_OK && partition < entry->partitions; partition++) {
        struct fc_offsets offsets;
        code = fc_stream_offsets(topic, partition, &offsets, err);
        entry->ends[partition] = code == FC_OK ? offsets.end : 0;
    }
    return code;
}

static void append_base64(struct fc_buf *out, struct fc_slice bytes)
{
    uint8_t *to = fc_buf_reserve(out, (bytes.len + 2) / 3 * 4 + 1);
    if (to != NULL && bytes.len > 0) {
        out->len += (size_t)EVP_EncodeBlock(to, bytes.data, (int)bytes.len);
    }
}

void fc_checkpoint_encode(const struct fc_checkpoint *checkpoint, struct fc_buf *out)
{
    json_t *tx = json_stringn((const char *)checkpoint->tx.data, checkpoint->tx.len);
    char *tx_text = json_dumps(tx == NULL ? json_null() : tx, JSON_ENCODE_ANY | JSON_COMPACT);
    fc_buf_append_fmt(out, "{\"v\":%d,\"seq\":%" PRIu64 ",\"tx\":%s,\"position\":\"",
                      CHECKPOINT_VERSION, checkpoint->seq, tx_text == NULL ? "null" : tx_text);
    free(tx_text);
    json_decref(tx);
    append_base64(out, fc_buf_slice(&checkpoint->position));
    fc_buf_append_text(out, "\",\"ends\":{");
    for (size_t index = 0; index < checkpoint->topic_count; index++) {
        const struct fc_checkpoint_topic *topic = &checkpoint->topics[index];
        fc_buf_append_fmt(out, "%s\"%s\":[", index == 0 ? "" : ",", topic->name);
        for (uint32_t partition = 0; partition < topic->partitions; partition++) {
            fc_buf_append_fmt(out, "%s%" PRId64, partition == 0 ? "" : ",",
                              topic->ends[partition]);
        }
        fc_buf_append_text(out, "]");
    }
    fc_buf_append_text(out, "}}");
}

static bool decode_base64(const char *text, size_t len, struct fc_buf *out)
{
    uint8_t *to = fc_buf_reserve(out, len / 4 * 3 + 3);
    int got = to == NULL ? -1 : EVP_DecodeBlock(to, (const unsigned char *)text, (int)len);
    if (got < 0) {
        return false;
    }
    out->len += (size_t)got; /* the padding counts as bytes */
    for (size_t index = len; index > 0 && text[index - 1] == '='; index--) {
        out->len--;
    }
    return true;
}

static bool decode_ends(json_t *ends, struct fc_checkpoint *checkpoint)
{
    const char *name;
    json_t *list;
    json_object_foreach(ends, name, list)
    {
        size_t count = json_array_size(list);
        struct fc_checkpoint_topic *topic;
        if (strlen(name) > FC_TOPIC_NAME_MAX || count == 0 ||
            count > CHECKPOINT_PARTITIONS_MAX) {
            return false;
        }
        topic = fc_checkpoint_add_topic(checkpoint, name, (uint32_t)count);
        for (size_t index = 0; index < count; index++) {
            topic->ends[index] = json_integer_value(json_array_get(list, index));
        }
    }
    return true;
}

fc_code fc_checkpoint_decode(struct fc_slice text, struct fc_checkpoint *out_checkpoint,
                             struct fc_error *err)
{
    json_t *root = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    json_t *position = json_object_get(root, "position");
    json_t *tx = json_object_get(root, "tx");
    json_t *ends = json_object_get(root, "ends");
    json_int_t version = json_integer_value(json_object_get(root, "v"));
    fc_code code = FC_OK;
    if (root != NULL && version != CHECKPOINT_VERSION) {
        code = fc_fail(err, FC_ERR_CORRUPT,
                       "checkpoint has version %" JSON_INTEGER_FORMAT
                       ", this program reads version %d",
                       version, CHECKPOINT_VERSION);
    } else if (!json_is_string(position) || !json_is_object(ends) ||
               !json_is_integer(json_object_get(root, "seq"))) {
        code = fc_fail(err, FC_ERR_CORRUPT, "checkpoint is not readable");
    } else {
        out_checkpoint->seq = (uint64_t)json_integer_value(json_object_get(root, "seq"));
        fc_buf_append(&out_checkpoint->tx,
                      json_string_value(tx) == NULL ? "" : json_string_value(tx),
                      json_string_length(tx));
        if (!decode_base64(json_string_value(position), json_string_length(position),
                           &out_checkpoint->position) ||
            !decode_ends(ends, out_checkpoint)) {
            code = fc_fail(err, FC_ERR_CORRUPT, "checkpoint is not readable");
        }
        out_checkpoint->present = code == FC_OK;
    }
    json_decref(root);
    return code;
}

void fc_checkpoint_topic_name(const char *connector, char *to, size_t size)
{
    (void)snprintf(to, size, CHECKPOINT_TOPIC_PREFIX "%s", connector);
}

/* The last record from `offset` on into out_text, which stays as it is when there is none. */
static fc_code read_last(struct fc_topic *topic, int64_t offset, int64_t end,
                         struct fc_buf *out_text, struct fc_error *err)
{
    struct fc_stream_reader *reader = NULL;
    fc_code code = fc_stream_reader_open(topic, 0, offset, &reader, err);
    while (code == FC_OK && fc_stream_reader_offset(reader) < end) {
        const struct fc_record *records = NULL;
        uint32_t count = 0;
        code = fc_stream_reader_next(reader, 0, &records, &count, err);
        if (code == FC_OK && count == 0) {
            break;
        }
        if (code == FC_OK) {
            fc_buf_clear(out_text);
            fc_buf_append_slice(out_text, records[count - 1].value);
            code = fc_buf_check(out_text, "checkpoint", err);
        }
    }
    fc_stream_reader_close(reader);
    return code;
}

/* The newest record is the last one, or stands before what is no record: look further back each
 * time. */
static fc_code find_last(const struct fc_stream *stream, struct fc_topic *topic,
                         const struct fc_offsets *offsets, struct fc_checkpoint *out_checkpoint,
                         struct fc_error *err)
{
    struct fc_buf text;
    int64_t back = 1;
    int64_t from = offsets->end;
    fc_code code = FC_OK;
    fc_buf_init(&text, CHECKPOINT_BYTES_MAX);
    while (code == FC_OK && text.len == 0 && from > offsets->start) {
        from = offsets->end - offsets->start > back ? offsets->end - back : offsets->start;
        back *= 4;
        code = read_last(topic, from, offsets->end, &text, err);
    }
    if (code == FC_OK && text.len == 0 && fc_stream_is_dense(stream) &&
        offsets->end > offsets->start) {
        code = fc_fail(err, FC_ERR_CORRUPT,
                       "the newest checkpoint cannot be read at offset %" PRId64,
                       offsets->end - 1);
    }
    if (code == FC_OK && text.len > 0) {
        code = fc_checkpoint_decode(fc_buf_slice(&text), out_checkpoint, err);
    }
    fc_buf_release(&text);
    return code;
}

fc_code fc_checkpoint_read(struct fc_stream *stream, const char *connector,
                           struct fc_checkpoint *out_checkpoint, struct fc_error *err)
{
    char name[FC_TOPIC_NAME_MAX + 1];
    struct fc_topic *topic = NULL;
    struct fc_offsets offsets;
    fc_code code;
    fc_checkpoint_topic_name(connector, name, sizeof(name));
    code = fc_stream_topic(stream, name, &topic, err);
    if (code == FC_ERR_NOT_FOUND) {
        return FC_OK;
    }
    if (code == FC_OK) {
        code = fc_stream_offsets(topic, 0, &offsets, err);
    }
    if (code == FC_OK) {
        code = find_last(stream, topic, &offsets, out_checkpoint, err);
    }
    return code == FC_OK ? FC_OK
                         : fc_wrap(err, "read the checkpoint of connector %s", connector);
}

fc_code fc_checkpoint_append(struct fc_stream *stream, const char *connector,
                             const struct fc_checkpoint *checkpoint,
                             const struct fc_clock *clock, struct fc_error *err)
{
    char name[FC_TOPIC_NAME_MAX + 1];
    struct fc_topic_config config;
    struct fc_topic *topic = NULL;
    struct fc_record record;
    struct fc_buf text;
    fc_code code;
    fc_checkpoint_topic_name(connector, name, sizeof(name));
    fc_topic_config_init(&config);
    config.segment_bytes = CHECKPOINT_SEGMENT_BYTES;
    config.retention_bytes =
        CHECKPOINT_SEGMENT_BYTES; /* the newest stands in the active segment */
    memset(&record, 0, sizeof(record));
    fc_buf_init(&text, CHECKPOINT_BYTES_MAX);
    fc_checkpoint_encode(checkpoint, &text);
    code = fc_buf_check(&text, "checkpoint", err);
    if (code == FC_OK) {
        code = fc_stream_topic(stream, name, &topic, err);
        if (code == FC_ERR_NOT_FOUND) {
            code = fc_stream_topic_ensure(stream, name, &config, &topic, err);
        }
    }
    if (code == FC_OK) {
        record.timestamp_ms = fc_clock_wall_ms(clock);
        record.key = fc_slice_text(connector);
        record.value = fc_buf_slice(&text);
        code = fc_stream_append_one(topic, 0, &record, err);
    }
    fc_buf_release(&text);
    return code;
}
