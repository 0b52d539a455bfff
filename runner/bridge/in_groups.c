/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which offset of the copy stands for one of the origin is kept in topic
 * `_fluvio.offsets.<connector>`: key "<topic>/<partition>", value "1 <from> <to>" (see
 * core/base/offset_map.h), a point a second and partition at most. "1 -1 -1" ends what came before
 * it: the topic was made anew at its origin.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/spu/local_groups.h"
#include "runner/bridge/copy_in.h"
#include "runner/bridge/origin.h"

enum {
    KEY_SIZE = 300,
    VALUE_SIZE = 64,
    POINTS_SEGMENT = 8 << 20,
    POINTS_BYTES = 64 << 20,
    PASSED_MAX = 1000000 /* at a time: copying waits for it */
};

static void points_topic(const struct fc_copy_in *in, char to[FC_TOPIC_NAME_MAX + 1])
{
    (void)snprintf(to, FC_TOPIC_NAME_MAX + 1, FC_BRIDGE_POINTS_PREFIX "%s",
                   in->bridge->config.config->name);
}

/* --- points ------------------------------------------------------------------------------- */

static bool take_point(void *ctx, const struct fc_record *record)
{
    struct fc_copy_in *in = ctx;
    char value[VALUE_SIZE];
    int64_t from = 0;
    int64_t to = 0;
    struct fc_offset_map *map = fc_hashmap_get(&in->points, record->key);
    (void)snprintf(value, sizeof(value), "%.*s", (int)record->value.len,
                   (const char *)record->value.data);
    if (sscanf(value, "1 %" SCNd64 " %" SCNd64, &from, &to) != 2) {
        return true; /* without it, there is a little more to look through */
    }
    if (map == NULL) {
        map = fc_new(struct fc_offset_map);
        (void)fc_hashmap_put(&in->points, record->key, map);
    }
    if (from < 0) {
        fc_offset_map_release(map);
    } else {
        fc_offset_map_add(map, from, to);
    }
    return true;
}

fc_code fc_in_points_read(struct fc_copy_in *in, struct fc_error *err)
{
    char name[FC_TOPIC_NAME_MAX + 1];
    struct fc_topic *topic = NULL;
    struct fc_offsets offsets = { 0 };
    fc_code code;
    points_topic(in, name);
    code = fc_stream_topic(in->stream, name, &topic, err);
    if (code == FC_ERR_NOT_FOUND) {
        return FC_OK;
    }
    code = code == FC_OK ? fc_stream_offsets(topic, 0, &offsets, err) : code;
    return code == FC_OK ? fc_in_read(topic, 0, offsets.start, offsets.end, take_point, in, err)
                         : code;
}

static fc_code add_point(struct fc_copy_in *in, struct fc_in_part *part,
                         struct fc_stream_batch *batch, struct fc_error *err)
{
    const struct fc_offset_map *map = &part->map;
    static const struct fc_offset_point none = { -1, -1 };
    const struct fc_offset_point *newest =
        map->count == 0 ? NULL : &map->points[map->count - 1];
    bool renewed = part->renewed;
    char key[KEY_SIZE];
    char value[VALUE_SIZE];
    struct fc_record record = { .timestamp_ms = fc_clock_wall_ms(in->bridge->config.clock) };
    if (!renewed && (newest == NULL || newest->from <= part->pointed)) {
        return FC_OK;
    }
    part->renewed = false;
    newest = renewed ? &none : newest;
    record.key = fc_slice_of(key, (size_t)snprintf(key, sizeof(key), "%s/%" PRIu32,
                                                   part->topic->name, part->partition));
    record.value =
        fc_slice_of(value, (size_t)snprintf(value, sizeof(value), "1 %" PRId64 " %" PRId64,
                                            newest->from, newest->to));
    part->pointed = newest->from;
    return fc_stream_batch_add(batch, &record, err);
}

static fc_code append_step(void *ctx, struct fc_error *err)
{
    int64_t base = 0;
    return fc_stream_append(ctx, &base, err);
}

static fc_code open_points(struct fc_copy_in *in, struct fc_topic **out_topic,
                           struct fc_error *err)
{
    char name[FC_TOPIC_NAME_MAX + 1];
    struct fc_topic_config config;
    fc_code code;
    points_topic(in, name);
    fc_topic_config_init(&config);
    config.segment_bytes = POINTS_SEGMENT;
    config.retention_bytes = POINTS_BYTES;
    code = fc_stream_topic(in->stream, name, out_topic, err);
    return code == FC_ERR_NOT_FOUND
               ? fc_stream_topic_ensure(in->stream, name, &config, out_topic, err)
               : code;
}

fc_code fc_in_points_write(struct fc_copy_in *in, struct fc_error *err)
{
    struct fc_stream_batch *batch;
    struct fc_topic *topic = NULL;
    fc_code code = open_points(in, &topic, err);
    if (code != FC_OK) {
        return code;
    }
    batch = fc_stream_batch_new(topic, 0);
    for (size_t at = 0; at < in->topic_count; at++) {
        for (uint32_t index = 0; code == FC_OK && index < in->topics[at]->count; index++) {
            code = add_point(in, in->topics[at]->parts[index], batch, err);
        }
    }
    code = code == FC_OK ? fc_stream_batch_seal(batch, err) : code;
    if (code == FC_OK && fc_stream_batch_count(batch) > 0) {
        code = fc_in_insist(in, append_step, batch, err);
    }
    fc_stream_batch_free(batch);
    return code;
}

/* --- groups ------------------------------------------------------------------------------- */

/* What is known of a group in a partition; -1: nothing. */
struct known {
    int64_t seen;       /* what it had committed at the origin when it was last asked for */
    int64_t committed;  /* in the copy, by us */
    int64_t looked_for; /* the offset of the origin that the copy was looked through for */
    int64_t looked_to;  /* and all before this in the copy is before it */
    bool found;         /* there is no need to look further */
};

struct wanted {
    char *group;
    struct fc_in_part *part;
    struct known *known;
    int64_t from;   /* at the origin */
    int64_t offset; /* in the copy */
    int64_t until;  /* it cannot be beyond this */
    int64_t there; /* what the group has committed in the copy; -1: nothing, or not asked for */
};

struct translating {
    struct fc_copy_in *in;
    bool ending;
    struct wanted *items;
    size_t count;
    size_t at; /* which of them is looked for */
};

static struct known *known_of(struct fc_copy_in *in, const char *group,
                              const struct fc_in_part *part)
{
    char *key = fc_asprintf("%s/%s/%" PRIu32, group, part->topic->name, part->partition);
    struct known *known = fc_hashmap_get(&in->groups, fc_slice_text(key));
    if (known == NULL) {
        known = fc_new(struct known);
        *known = (struct known){ -1, -1, -1, -1, false };
        (void)fc_hashmap_put(&in->groups, fc_slice_text(key), known);
    }
    free(key);
    return known;
}

/* A group that goes on at the origin is translated by the points alone, every time anew; one that
 * rests there, or when nobody will come after, exactly: it may be about to move. */
static void on_offset(void *ctx, const struct fc_group_offset *offset)
{
    struct translating *translating = ctx;
    struct fc_in_part *part = fc_in_part_of(translating->in, offset->topic, offset->partition);
    const struct fc_offset_point *point =
        part == NULL ? NULL : fc_offset_map_point(&part->map, offset->offset);
    struct known *known;
    struct wanted wanted = { .part = part, .from = offset->offset, .there = -1 };
    bool rests;
    if (point == NULL) {
        return;
    }
    known = known_of(translating->in, offset->group, part);
    rests = translating->ending || known->seen == offset->offset;
    known->seen = offset->offset;
    wanted.known = known;
    wanted.offset = point->to;
    wanted.until = point->to;
    if (rests && point->from < offset->offset &&
        point + 1 < part->map.points + part->map.count) {
        wanted.until = point[1].to;
    }
    if (known->looked_for == offset->offset && known->looked_to >= wanted.offset) {
        wanted.offset = known->looked_to;
        wanted.until = known->found ? known->looked_to : wanted.until;
    }
    if (wanted.until <= known->committed) {
        return;
    }
    wanted.group = fc_strdup(offset->group);
    translating->items = fc_realloc_array(translating->items, translating->count + 1,
                                          sizeof(*translating->items));
    translating->items[translating->count++] = wanted;
}

struct passing {
    const struct fc_in_part *part;
    int64_t before; /* at the origin */
    int64_t to;     /* in the copy */
    uint32_t count;
    bool found;
};

/* Nothing is passed over that the group is not known to have read. */
static bool pass(void *ctx, const struct fc_record *record)
{
    struct passing *passing = ctx;
    int64_t origin = fc_origin_offset(record, passing->part->connector,
                                      passing->part->topic->name, passing->part->partition);
    passing->to = record->offset;
    passing->found = origin < 0 || origin >= passing->before;
    passing->count++;
    return !passing->found && passing->count < PASSED_MAX;
}

/*
 * Between two points the records themselves tell where they come from. All before the first
 * point is before what the group wants next, and so is what is passed over behind it; so wherever
 * this ends, nothing that the group has not read is before it. Without our header (at least once)
 * it ends at once.
 */
static fc_code look_through(struct wanted *wanted, struct fc_error *err)
{
    struct fc_topic *copy = wanted->part->topic->copy;
    uint32_t partition = wanted->part->partition;
    struct passing passing = { .part = wanted->part,
                               .before = wanted->from,
                               .to = wanted->offset };
    struct fc_offsets offsets = { 0 };
    fc_code code = fc_stream_offsets(copy, partition, &offsets, err);
    if (code == FC_OK && passing.to < offsets.start) { /* what was before it is gone */
        passing.to = offsets.start < wanted->until ? offsets.start : wanted->until;
    }
    if (code == FC_OK) {
        code = fc_in_read(copy, partition, passing.to, wanted->until, pass, &passing, err);
    }
    if (code == FC_ERR_NOT_FOUND) { /* it went just now */
        return FC_OK;
    }
    if (code == FC_OK) {
        if (!passing.found && passing.count < PASSED_MAX) {
            passing.found = true;
            passing.to = wanted->until;
        }
        wanted->offset = passing.to;
        wanted->known->looked_for = wanted->from;
        wanted->known->looked_to = passing.to;
        wanted->known->found = passing.found;
    }
    return code;
}

static void on_committed(void *ctx, const char *topic, uint32_t partition, int64_t offset)
{
    struct translating *translating = ctx;
    struct wanted *wanted = &translating->items[translating->at];
    if (partition == wanted->part->partition &&
        strcmp(topic, fc_topic_name(wanted->part->topic->copy)) == 0) {
        wanted->there = offset;
    }
}

/* Groups of a cluster are the cluster's; those of a log in this process are kept by who serves
 * it. Only ever forward: who has gone on in the copy is not sent back. */
static fc_code commit(struct translating *translating, struct fc_error *err)
{
    const struct fc_bridge_config *config = &translating->in->bridge->config;
    struct wanted *wanted = &translating->items[translating->at];
    struct fc_topic *copy = wanted->part->topic->copy;
    uint32_t partition = wanted->part->partition;
    fc_code code;
    if (config->spu != NULL) {
        return fc_spu_commit_forward(config->spu, wanted->group, fc_topic_name(copy), partition,
                                     wanted->offset, err);
    }
    code = fc_stream_committed(config->stream, wanted->group, on_committed, translating, err);
    return code == FC_OK && wanted->there < wanted->offset
               ? fc_stream_commit(copy, partition, wanted->group, wanted->offset, err)
               : code;
}

static fc_code translate(struct translating *translating, struct fc_error *err)
{
    struct wanted *wanted = &translating->items[translating->at];
    fc_code code = wanted->offset < wanted->until ? look_through(wanted, err) : FC_OK;
    if (code != FC_OK || wanted->offset <= wanted->known->committed) {
        return code;
    }
    code = commit(translating, err);
    if (code == FC_ERR_REJECTED) { /* it is used there: it has its own offsets */
        return FC_OK;
    }
    wanted->known->committed = code == FC_OK ? wanted->offset : wanted->known->committed;
    return code;
}

fc_code fc_in_groups(struct fc_copy_in *in, bool ending, struct fc_error *err)
{
    struct translating translating = { .in = in, .ending = ending };
    fc_code code = FC_OK;
    if (!in->has_groups) {
        return FC_OK;
    }
    code = in->ops->groups(in->feed, on_offset, &translating, err);
    if (code == FC_OK && translating.count > 0 && in->bridge->config.config->kafka == NULL &&
        in->bridge->config.spu == NULL) {
        in->has_groups = false;
        fc_diag_report(in->bridge->config.diag, FC_DIAG_WARN,
                       "%s: groups: nobody serves this log, so it has no consumer groups; "
                       "their offsets stay behind (log.embedded.listen serves it)",
                       in->bridge->config.config->name);
    }
    for (; translating.at < translating.count; translating.at++) {
        if (code == FC_OK && in->has_groups) {
            code = translate(&translating, err);
        }
        free(translating.items[translating.at].group);
    }
    free(translating.items);
    return code;
}
