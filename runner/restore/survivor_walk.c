/* SPDX-License-Identifier: Apache-2.0 */
/* One cursor a partition, and a heap of them by their next record, as in a scan. */
#include "runner/restore/survivor_walk.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/heap.h"

/* Closer than this, reading on is cheaper than looking for the place. */
enum { SEEK_RECORDS_MIN = 2048 };

/* A table's survivors in the cursor's partition. */
struct source {
    const struct fc_offset_set *offsets;
    uint32_t table_index;
    int64_t next; /* INT64_MAX: no more */
};

struct cursor {
    struct fc_stream_reader *reader;
    const struct fc_record *records; /* the batch at hand */
    uint32_t count;
    struct source *sources;
    uint32_t source_count;
    struct fc_survivor head;
};

struct fc_survivor_walk {
    const struct fc_log_view *view;
    struct cursor *cursors; /* one a partition */
    struct fc_heap heap;    /* those that have a head; the lowest first */
    bool head_taken;        /* the lowest cursor's head was given out and must be advanced */
};

/* --- one partition ----------------------------------------------------------------------- */

static fc_code fail_record(const struct fc_survivor_walk *walk, const struct cursor *cursor,
                           int64_t offset, const char *what, struct fc_error *err)
{
    char place[FC_LOG_PLACE_SIZE];
    return fc_fail(err, FC_ERR_CORRUPT, "%s offset %" PRId64 ": %s",
                   fc_log_view_place(walk->view, cursor->head.partition, place), offset, what);
}

/* The record at an offset, which does not lie before the batch at hand. */
static fc_code find_record(const struct fc_survivor_walk *walk, struct cursor *cursor,
                           int64_t offset, struct fc_error *err)
{
    fc_code code = FC_OK;
    if (offset > fc_stream_reader_offset(cursor->reader) + SEEK_RECORDS_MIN) {
        code = fc_stream_reader_seek(cursor->reader, offset, err);
        cursor->count = 0;
    }
    while (code == FC_OK &&
           (cursor->count == 0 || cursor->records[cursor->count - 1].offset < offset)) {
        code = fc_stream_reader_next(cursor->reader, 0, &cursor->records, &cursor->count, err);
        if (code == FC_OK && cursor->count == 0) {
            return fail_record(walk, cursor, offset, "the record is gone", err);
        }
    }
    if (code != FC_OK) {
        return code;
    }
    int64_t index = offset - cursor->records[0].offset; /* or before it, where offsets skip */
    index = index >= cursor->count ? cursor->count - 1 : index;
    while (index > 0 && cursor->records[index].offset > offset) {
        index--;
    }
    if (index < 0 || cursor->records[index].offset != offset) {
        return fail_record(walk, cursor, offset, "the record is gone", err);
    }
    cursor->head.record = &cursor->records[index];
    return FC_OK;
}

/* The source with the lowest next offset; NULL when none has any. */
static struct source *lowest(const struct cursor *cursor)
{
    struct source *found = &cursor->sources[0];
    for (uint32_t index = 1; index < cursor->source_count; index++) {
        if (cursor->sources[index].next < found->next) {
            found = &cursor->sources[index];
        }
    }
    return cursor->source_count == 0 || found->next == INT64_MAX ? NULL : found;
}

static void step(struct source *source, int64_t from)
{
    if (!fc_offset_set_next(source->offsets, from, &source->next)) {
        source->next = INT64_MAX;
    }
}

/* Take the next survivor as head; *out_has is false at the cursor's end. */
static fc_code advance(const struct fc_survivor_walk *walk, struct cursor *cursor,
                       bool *out_has, struct fc_error *err)
{
    const struct fc_log_partition *partition = &walk->view->partitions[cursor->head.partition];
    struct source *source = lowest(cursor);
    fc_code code = FC_OK;
    *out_has = source != NULL;
    if (source == NULL) {
        return FC_OK;
    }
    if (cursor->reader == NULL) {
        code = fc_stream_reader_open(partition->topic, partition->partition, source->next,
                                     &cursor->reader, err);
    }
    if (code == FC_OK) {
        code = find_record(walk, cursor, source->next, err);
    }
    if (code == FC_OK &&
        fc_identity_of(cursor->head.record, &cursor->head.identity, err) != FC_OK) {
        code = fail_record(walk, cursor, source->next, "its header is not a capture's", err);
    }
    cursor->head.table_index = source->table_index;
    step(source, source->next + 1);
    return code;
}

/* --- open, next, close ------------------------------------------------------------------- */

static bool is_before(const void *a, const void *b)
{
    const struct cursor *x = a;
    const struct cursor *y = b;
    return fc_identity_is_before(&x->head.identity, &y->head.identity);
}

static void add_source(struct cursor *cursor, const struct fc_offset_set *offsets,
                       uint32_t table_index)
{
    struct source *source = &cursor->sources[cursor->source_count];
    source->offsets = offsets;
    source->table_index = table_index;
    step(source, 0);
    cursor->source_count += source->next == INT64_MAX ? 0 : 1;
}

static fc_code open_cursor(struct fc_survivor_walk *walk, uint32_t partition,
                           struct fc_fold_table *const *tables, uint32_t table_count,
                           fc_survivor_kind kind, struct fc_error *err)
{
    struct cursor *cursor = &walk->cursors[partition];
    bool has = false;
    fc_code code;
    cursor->head.partition = partition;
    cursor->sources = fc_new_array(struct source, (size_t)table_count * 2 + 1);
    for (uint32_t index = 0; index < table_count; index++) {
        const struct fc_survivors *survivors =
            fc_fold_table_survivors(tables[index], partition);
        if (survivors != NULL && (kind & FC_SURVIVORS_ASCENDING) != 0) {
            add_source(cursor, &survivors->ascending, index);
        }
        if (survivors != NULL && (kind & FC_SURVIVORS_DISPLACED) != 0) {
            add_source(cursor, &survivors->displaced, index);
        }
    }
    code = advance(walk, cursor, &has, err);
    if (code == FC_OK && has) {
        fc_heap_add(&walk->heap, cursor);
    }
    return code;
}

fc_code fc_survivor_walk_open(const struct fc_log_view *view,
                              struct fc_fold_table *const *tables, uint32_t table_count,
                              fc_survivor_kind kind, struct fc_survivor_walk **out_walk,
                              struct fc_error *err)
{
    struct fc_survivor_walk *walk = fc_new(struct fc_survivor_walk);
    fc_code code = FC_OK;
    walk->view = view;
    walk->cursors = fc_new_array(struct cursor, view->partition_count + 1);
    fc_heap_init(&walk->heap, is_before);
    for (uint32_t index = 0; code == FC_OK && index < view->partition_count; index++) {
        code = open_cursor(walk, index, tables, table_count, kind, err);
    }
    if (code != FC_OK) {
        fc_survivor_walk_close(walk);
        return code;
    }
    fc_heap_order(&walk->heap);
    *out_walk = walk;
    return FC_OK;
}

void fc_survivor_walk_close(struct fc_survivor_walk *walk)
{
    if (walk != NULL) {
        for (uint32_t index = 0; index < walk->view->partition_count; index++) {
            fc_stream_reader_close(walk->cursors[index].reader);
            free(walk->cursors[index].sources);
        }
        free(walk->cursors);
        fc_heap_release(&walk->heap);
        free(walk);
    }
}

fc_code fc_survivor_walk_next(struct fc_survivor_walk *walk,
                              const struct fc_survivor **out_survivor, struct fc_error *err)
{
    const struct cursor *first;
    fc_code code = FC_OK;
    if (walk->head_taken) {
        bool has;
        walk->head_taken = false;
        code = advance(walk, fc_heap_first(&walk->heap), &has, err);
        if (code != FC_OK) {
            return code;
        }
        if (has) {
            fc_heap_first_changed(&walk->heap);
        } else {
            fc_heap_drop_first(&walk->heap);
        }
    }
    first = fc_heap_first(&walk->heap);
    walk->head_taken = first != NULL;
    *out_survivor = first == NULL ? NULL : &first->head;
    return FC_OK;
}
