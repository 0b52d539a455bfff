/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/gtid_set.h"

#include <stdlib.h>

#include "core/base/alloc.h"

void fc_gtid_set_init(struct fc_gtid_set *set)
{
    memset(set, 0, sizeof(*set));
}

void fc_gtid_set_release(struct fc_gtid_set *set)
{
    for (uint32_t index = 0; index < set->source_count; index++) {
        free(set->sources[index].intervals);
    }
    free(set->sources);
    fc_gtid_set_init(set);
}

void fc_gtid_set_copy(struct fc_gtid_set *to, const struct fc_gtid_set *from)
{
    fc_gtid_set_init(to);
    if (from->source_count == 0) {
        return;
    }
    to->sources = fc_new_array(struct fc_gtid_source, from->source_count);
    to->source_count = from->source_count;
    to->source_capacity = from->source_count;
    for (uint32_t index = 0; index < from->source_count; index++) {
        const struct fc_gtid_source *source = &from->sources[index];
        struct fc_gtid_source *copy = &to->sources[index];
        *copy = *source;
        copy->interval_capacity = source->interval_count;
        copy->intervals = fc_new_array(struct fc_gtid_interval, source->interval_count);
        memcpy(copy->intervals, source->intervals,
               source->interval_count * sizeof(source->intervals[0]));
    }
}

static int compare_source(const struct fc_gtid_source *source, const uint8_t *uuid,
                          const char *tag)
{
    int order = memcmp(source->uuid, uuid, FC_GTID_UUID_SIZE);
    return order != 0 ? order : strcmp(source->tag, tag);
}

/* Where the source is, or where it would be inserted. */
static uint32_t find_source(const struct fc_gtid_set *set, const uint8_t *uuid, const char *tag,
                            bool *out_found)
{
    uint32_t low = 0;
    uint32_t high = set->source_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (compare_source(&set->sources[middle], uuid, tag) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *out_found = low < set->source_count && compare_source(&set->sources[low], uuid, tag) == 0;
    return low;
}

/* Index of the first interval whose end is at or past `value`. */
static uint32_t find_interval(const struct fc_gtid_source *source, int64_t value)
{
    uint32_t low = 0;
    uint32_t high = source->interval_count;
    if (high > 0 && source->intervals[high - 1].end == value) {
        return high - 1; /* the next number of the newest interval: the usual case */
    }
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (source->intervals[middle].end < value) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static uint32_t grown(uint32_t capacity)
{
    return capacity == 0 ? 4 : capacity * 2;
}

static fc_code insert_interval(struct fc_gtid_source *source, uint32_t at, int64_t first,
                               int64_t end, struct fc_error *err)
{
    if (source->interval_count == FC_GTID_INTERVALS_MAX) {
        return fc_fail(err, FC_ERR_LIMIT, "GTID set with more than %d intervals of one source",
                       FC_GTID_INTERVALS_MAX);
    }
    if (source->interval_count == source->interval_capacity) {
        source->interval_capacity = grown(source->interval_capacity);
        source->intervals = fc_realloc_array(source->intervals, source->interval_capacity,
                                             sizeof(source->intervals[0]));
    }
    memmove(source->intervals + at + 1, source->intervals + at,
            (source->interval_count - at) * sizeof(source->intervals[0]));
    source->intervals[at].first = first;
    source->intervals[at].end = end;
    source->interval_count++;
    return FC_OK;
}

/* Add [first, end), joining what it touches. */
static fc_code add_interval(struct fc_gtid_source *source, int64_t first, int64_t end,
                            struct fc_error *err)
{
    uint32_t at = find_interval(source, first);
    uint32_t last = at;
    struct fc_gtid_interval *joined;
    if (at == source->interval_count || source->intervals[at].first > end) {
        return insert_interval(source, at, first, end, err);
    }
    joined = &source->intervals[at];
    joined->first = joined->first < first ? joined->first : first;
    while (last + 1 < source->interval_count && source->intervals[last + 1].first <= end) {
        last++;
    }
    end = end > source->intervals[last].end ? end : source->intervals[last].end;
    joined->end = joined->end > end ? joined->end : end;
    memmove(source->intervals + at + 1, source->intervals + last + 1,
            (source->interval_count - last - 1) * sizeof(source->intervals[0]));
    source->interval_count -= last - at;
    return FC_OK;
}

fc_code fc_gtid_set_add_range(struct fc_gtid_set *set, const uint8_t *uuid, const char *tag,
                              struct fc_gtid_interval range, struct fc_error *err)
{
    bool found;
    uint32_t at = find_source(set, uuid, tag, &found);
    if (range.first < 1 || range.end <= range.first) {
        return fc_fail(err, FC_ERR_PROTOCOL,
                       "GTID interval from %lld up to, without, %lld is not possible",
                       (long long)range.first, (long long)range.end);
    }
    if (!found) {
        struct fc_gtid_source *source;
        if (set->source_count == FC_GTID_SOURCES_MAX) {
            return fc_fail(err, FC_ERR_LIMIT, "GTID set with more than %d sources",
                           FC_GTID_SOURCES_MAX);
        }
        if (set->source_count == set->source_capacity) {
            set->source_capacity = grown(set->source_capacity);
            set->sources =
                fc_realloc_array(set->sources, set->source_capacity, sizeof(set->sources[0]));
        }
        source = set->sources + at;
        memmove(source + 1, source, (set->source_count - at) * sizeof(*source));
        memset(source, 0, sizeof(*source));
        memcpy(source->uuid, uuid, FC_GTID_UUID_SIZE);
        memcpy(source->tag, tag, strlen(tag) + 1);
        set->source_count++;
    }
    return add_interval(&set->sources[at], range.first, range.end, err);
}

fc_code fc_gtid_set_add(struct fc_gtid_set *set, const uint8_t *uuid, const char *tag,
                        int64_t gno, struct fc_error *err)
{
    struct fc_gtid_interval range = { gno, gno };
    if (gno < 1 || gno == INT64_MAX || strlen(tag) > FC_GTID_TAG_MAX) {
        return fc_fail(err, FC_ERR_PROTOCOL, "GTID number %lld is not possible",
                       (long long)gno);
    }
    range.end++;
    return fc_gtid_set_add_range(set, uuid, tag, range, err);
}

fc_code fc_gtid_set_union(struct fc_gtid_set *set, const struct fc_gtid_set *other,
                          struct fc_error *err)
{
    for (uint32_t index = 0; index < other->source_count; index++) {
        const struct fc_gtid_source *source = &other->sources[index];
        for (uint32_t at = 0; at < source->interval_count; at++) {
            fc_code code = fc_gtid_set_add_range(set, source->uuid, source->tag,
                                                 source->intervals[at], err);
            if (code != FC_OK) {
                return code;
            }
        }
    }
    return FC_OK;
}

bool fc_gtid_set_contains(const struct fc_gtid_set *set, const uint8_t *uuid, const char *tag,
                          int64_t gno)
{
    bool found;
    uint32_t index = find_source(set, uuid, tag, &found);
    const struct fc_gtid_source *source;
    uint32_t at;
    if (!found || gno < 1 || gno == INT64_MAX) {
        return false;
    }
    source = &set->sources[index];
    at = find_interval(source, gno + 1);
    return at < source->interval_count && source->intervals[at].first <= gno;
}

bool fc_gtid_set_is_subset(const struct fc_gtid_set *inner, const struct fc_gtid_set *outer)
{
    for (uint32_t index = 0; index < inner->source_count; index++) {
        const struct fc_gtid_source *source = &inner->sources[index];
        bool found;
        uint32_t other = find_source(outer, source->uuid, source->tag, &found);
        if (!found) {
            return false;
        }
        for (uint32_t at = 0; at < source->interval_count; at++) {
            const struct fc_gtid_interval *interval = &source->intervals[at];
            uint32_t in = find_interval(&outer->sources[other], interval->end);
            if (in == outer->sources[other].interval_count ||
                outer->sources[other].intervals[in].first > interval->first) {
                return false;
            }
        }
    }
    return true;
}

bool fc_gtid_set_equal(const struct fc_gtid_set *a, const struct fc_gtid_set *b)
{
    if (a->source_count != b->source_count) {
        return false;
    }
    for (uint32_t index = 0; index < a->source_count; index++) {
        const struct fc_gtid_source *x = &a->sources[index];
        const struct fc_gtid_source *y = &b->sources[index];
        if (compare_source(x, y->uuid, y->tag) != 0 || x->interval_count != y->interval_count ||
            memcmp(x->intervals, y->intervals, x->interval_count * sizeof(x->intervals[0])) !=
                0) {
            return false;
        }
    }
    return true;
}

uint64_t fc_gtid_set_count(const struct fc_gtid_set *set)
{
    uint64_t count = 0;
    for (uint32_t index = 0; index < set->source_count; index++) {
        const struct fc_gtid_source *source = &set->sources[index];
        for (uint32_t at = 0; at < source->interval_count; at++) {
            uint64_t more = (uint64_t)(source->intervals[at].end - source->intervals[at].first);
            count = count > UINT64_MAX - more ? UINT64_MAX : count + more;
        }
    }
    return count;
}

/* Add to `out` what of `interval` is not in `without` (NULL: nothing is). */
static fc_code add_difference(struct fc_gtid_set *out, const struct fc_gtid_source *source,
                              struct fc_gtid_interval interval,
                              const struct fc_gtid_source *without, struct fc_error *err)
{
    uint32_t at = without == NULL ? 0 : find_interval(without, interval.first + 1);
    fc_code code = FC_OK;
    while (code == FC_OK && interval.first < interval.end) {
        struct fc_gtid_interval piece = interval;
        if (without != NULL && at < without->interval_count) {
            const struct fc_gtid_interval *hole = &without->intervals[at++];
            piece.end = hole->first < piece.end ? hole->first : piece.end;
            interval.first = hole->end;
        } else {
            interval.first = interval.end;
        }
        if (piece.first < piece.end) {
            code = fc_gtid_set_add_range(out, source->uuid, source->tag, piece, err);
        }
    }
    return code;
}

fc_code fc_gtid_set_subtract(struct fc_gtid_set *out, const struct fc_gtid_set *set,
                             const struct fc_gtid_set *without, struct fc_error *err)
{
    fc_code code = FC_OK;
    fc_gtid_set_init(out);
    for (uint32_t index = 0; code == FC_OK && index < set->source_count; index++) {
        const struct fc_gtid_source *source = &set->sources[index];
        bool found;
        uint32_t other = find_source(without, source->uuid, source->tag, &found);
        for (uint32_t at = 0; code == FC_OK && at < source->interval_count; at++) {
            code = add_difference(out, source, source->intervals[at],
                                  found ? &without->sources[other] : NULL, err);
        }
    }
    if (code != FC_OK) {
        fc_gtid_set_release(out);
    }
    return code;
}
