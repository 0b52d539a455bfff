/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "runner/bridge/copy_in.h"
#include "runner/bridge/origin.h"

enum {
    HEADER_ROOM = 1024,
    NUMBER_SIZE = 24,
    KEY_SIZE = 300,
    READ_MS = 100,
    EMPTY_MAX = 300 /* reads that give nothing before it is a failure */
};

struct fc_in_part *fc_in_part_of(struct fc_copy_in *in, const char *topic, uint32_t partition)
{
    const struct fc_in_part *last = in->last;
    if (last != NULL && last->partition == partition && strcmp(last->topic->name, topic) == 0) {
        return in->last;
    }
    for (size_t index = 0; index < in->topic_count; index++) {
        struct fc_in_topic *one = in->topics[index];
        if (strcmp(one->name, topic) == 0) {
            in->last = partition < one->count ? one->parts[partition] : NULL;
            return in->last;
        }
    }
    return NULL;
}

/* --- is it the same topic ----------------------------------------------------------------- */

static fc_code fail_made_anew(const struct fc_copy_in *in, const char *topic,
                              struct fc_error *err)
{
    if (in->bridge->config.config->skips_gaps) { /* a new start begins with the new one */
        return fc_fail_retriable(err, FC_ERR_REFUSED, "topic %s was made anew at its origin",
                                 topic);
    }
    return fc_fail(
        err, FC_ERR_REFUSED,
        "topic %s was deleted and made anew at its origin; to copy the new one behind "
        "what there is of the old one, from its beginning, set on-gap: skip",
        topic);
}

fc_code fc_in_verify(struct fc_copy_in *in, struct fc_error *err)
{
    const char *topic = NULL;
    fc_code code;
    if (!in->unverified || in->ops->verify == NULL) {
        return FC_OK;
    }
    code = in->ops->verify(in->feed, &topic, err);
    if (code == FC_OK && topic != NULL) {
        code = fail_made_anew(in, topic, err);
    }
    in->unverified = code != FC_OK;
    return code;
}

static const char *identity_of(const struct fc_copy_in *in, const char *topic)
{
    return in->ops->identity == NULL ? NULL : in->ops->identity(in->feed, topic);
}

/* Of a topic that is copied already. */
static fc_code check_same(struct fc_copy_in *in, struct fc_in_topic *topic,
                          struct fc_error *err)
{
    const char *id = identity_of(in, topic->name);
    if (id != NULL && topic->id == NULL) {
        topic->id = fc_strdup(id);
        in->moved = true; /* to the next checkpoint */
    }
    return id == NULL || strcmp(id, topic->id) == 0 ? FC_OK
                                                    : fail_made_anew(in, topic->name, err);
}

/* Of one that this run has not seen: against what is known of an earlier one. */
static fc_code find_identity(struct fc_copy_in *in, struct fc_in_topic *topic,
                             struct fc_error *err)
{
    const char *id = identity_of(in, topic->name);
    const char *before = fc_places_id(in->places, topic->name);
    topic->made_anew = id != NULL && before != NULL && strcmp(id, before) != 0;
    id = id == NULL ? before : id;
    topic->id = id == NULL ? NULL : fc_strdup(id);
    if (!topic->made_anew) {
        return FC_OK;
    }
    if (!in->bridge->config.config->skips_gaps) {
        return fail_made_anew(in, topic->name, err);
    }
    fc_diag_report(in->bridge->config.diag, FC_DIAG_WARN,
                   "topic %s skipping a gap: it was made anew at its origin; going on with the "
                   "beginning of the new one",
                   topic->name);
    return FC_OK;
}

/* --- where to go on ----------------------------------------------------------------------- */

fc_code fc_in_read(struct fc_topic *topic, uint32_t partition, int64_t from, int64_t end,
                   bool (*on_record)(void *ctx, const struct fc_record *record), void *ctx,
                   struct fc_error *err)
{
    struct fc_stream_reader *reader = NULL;
    fc_code code = fc_stream_reader_open(topic, partition, from, &reader, err);
    bool enough = false;
    int empty = 0;
    while (code == FC_OK && !enough && fc_stream_reader_offset(reader) < end) {
        const struct fc_record *records = NULL;
        int64_t at = fc_stream_reader_offset(reader);
        uint32_t count = 0;
        code = fc_stream_reader_next(reader, READ_MS, &records, &count, err);
        for (uint32_t index = 0; code == FC_OK && !enough && index < count; index++) {
            enough = !on_record(ctx, &records[index]);
        }
        empty = fc_stream_reader_offset(reader) > at ? 0 : empty + 1;
        if (code == FC_OK && empty == EMPTY_MAX) {
            code = fc_fail(err, FC_ERR_TIMEOUT,
                           "%s/%" PRIu32 " does not give what it has from offset %" PRId64,
                           fc_topic_name(topic), partition, at);
        }
    }
    fc_stream_reader_close(reader);
    return code;
}

static bool on_copy(void *ctx, const struct fc_record *record)
{
    struct fc_in_part *part = ctx;
    int64_t offset =
        fc_origin_offset(record, part->connector, part->topic->name, part->partition);
    part->next = offset < 0 ? part->next : offset + 1;
    return true;
}

/* The newest origin among what stands at or after `from` in the copy. */
static fc_code scan(struct fc_in_part *part, int64_t from, struct fc_error *err)
{
    struct fc_offsets offsets = { 0 };
    fc_code code = fc_stream_offsets(part->topic->copy, part->partition, &offsets, err);
    if (code == FC_OK && from > offsets.end) {
        return fc_fail(err, FC_ERR_CORRUPT,
                       "%s/%" PRIu32 " ends at %" PRId64
                       " but the checkpoint says it reached %" PRId64 ": records are missing",
                       fc_topic_name(part->topic->copy), part->partition, offsets.end, from);
    }
    part->copy_end = offsets.end;
    from = from < offsets.start ? offsets.start : from;
    return code == FC_OK ? fc_in_read(part->topic->copy, part->partition, from, offsets.end,
                                      on_copy, part, err)
                         : code;
}

/* Without a header there is only the checkpoint to go by. */
static fc_code find_next(struct fc_copy_in *in, struct fc_in_part *part, struct fc_error *err)
{
    const struct fc_checkpoint_topic *entry =
        fc_checkpoint_topic(&in->checkpoint, fc_topic_name(part->topic->copy));
    struct fc_offsets offsets = { 0 };
    fc_code code;
    part->next = part->topic->made_anew
                     ? -1
                     : fc_places_get(in->places, part->topic->name, part->partition);
    if (entry != NULL && part->partition < entry->partitions && part->next >= 0) {
        return scan(part, entry->ends[part->partition], err);
    }
    in->fresh = true;
    code = fc_stream_offsets(part->topic->copy, part->partition, &offsets, err);
    part->copy_end = offsets.end;
    return code;
}

static fc_code begin_part(struct fc_copy_in *in, struct fc_in_topic *topic, uint32_t partition,
                          struct fc_error *err)
{
    char key[KEY_SIZE];
    struct fc_in_part *part = fc_new(struct fc_in_part);
    struct fc_offset_map *points;
    int64_t from;
    fc_code code;
    topic->parts[partition] = part;
    part->topic = topic;
    part->connector = in->bridge->config.config->name;
    part->partition = partition;
    part->pointed = -1;
    part->end = -1;
    (void)snprintf(key, sizeof(key), "%s/%" PRIu32, topic->name, partition);
    points = fc_hashmap_remove(&in->points, fc_slice_text(key));
    if (points != NULL && topic->made_anew) { /* they are of the old one */
        fc_offset_map_release(points);
        part->renewed = true;
        free(points);
    } else if (points != NULL) {
        part->map = *points;
        free(points);
    }
    code = find_next(in, part, err);
    from = in->first ? FC_FEED_START : FC_FEED_BEGINNING;
    from = part->next >= 0 ? part->next : from;
    if (code == FC_OK) {
        code = in->ops->assign(in->feed, topic->name, partition, from, &part->next, err);
    }
    part->placed = part->next;
    if (code == FC_OK) {
        fc_offset_map_add(&part->map, part->next, part->copy_end);
    }
    return code;
}

/* --- topics ------------------------------------------------------------------------------- */

/* The header makes records a little larger. */
static fc_code create(struct fc_copy_in *in, const struct fc_message_topic *given,
                      const char *name, struct fc_topic **out_topic, struct fc_error *err)
{
    const char **settings = fc_new_array(const char *, 2 * (size_t)given->setting_count + 1);
    char limit[NUMBER_SIZE];
    fc_code code;
    for (uint32_t index = 0; index < 2 * given->setting_count; index++) {
        settings[index] = given->settings[index];
        if (index % 2 == 1 && strcmp(settings[index - 1], "max.message.bytes") == 0) {
            (void)snprintf(limit, sizeof(limit), "%lld",
                           strtoll(given->settings[index], NULL, 10) + HEADER_ROOM);
            settings[index] = limit;
        }
    }
    code = fc_stream_create(in->stream, name, given->partitions, settings, given->setting_count,
                            out_topic, err);
    free(settings);
    return code;
}

static struct fc_in_topic *find_topic(const struct fc_copy_in *in, const char *name)
{
    for (size_t index = 0; index < in->topic_count; index++) {
        if (strcmp(in->topics[index]->name, name) == 0) {
            return in->topics[index];
        }
    }
    return NULL;
}

static fc_code on_topic(void *ctx, const struct fc_message_topic *given, struct fc_error *err)
{
    struct fc_copy_in *in = ctx;
    struct fc_in_topic *topic = find_topic(in, given->name);
    char name[FC_TOPIC_NAME_MAX + 1];
    fc_code code = FC_OK;
    if (topic != NULL) {
        code = check_same(in, topic, err);
    }
    if (topic != NULL && (code != FC_OK || topic->count >= given->partitions)) {
        return code;
    }
    if (topic == NULL) {
        struct fc_topic *copy = NULL;
        fc_bridge_name(in->bridge, given->name, name);
        code = create(in, given, name, &copy, err);
        if (code != FC_OK) {
            return fc_wrap(err, "topic %s", name);
        }
        topic = fc_new(struct fc_in_topic);
        topic->name = fc_strdup(given->name);
        topic->copy = copy;
        in->topics =
            fc_realloc_array(in->topics, in->topic_count + 1, sizeof(struct fc_in_topic *));
        in->topics[in->topic_count++] = topic;
        code = find_identity(in, topic, err);
        if (code != FC_OK) {
            return code;
        }
    }
    code = fc_stream_grow(topic->copy, given->partitions, err);
    if (code == FC_OK) {
        topic->parts =
            fc_realloc_array(topic->parts, given->partitions, sizeof(struct fc_in_part *));
    }
    while (code == FC_OK && topic->count < given->partitions) {
        code = begin_part(in, topic, topic->count, err);
        topic->count++;
    }
    return code;
}

fc_code fc_in_look(struct fc_copy_in *in, struct fc_error *err)
{
    fc_code code = in->ops->topics(in->feed, on_topic, in, err);
    in->first = false;
    return code;
}
