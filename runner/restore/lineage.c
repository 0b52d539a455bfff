/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/restore/lineage.h"

#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#include <jansson.h>

#include "core/base/alloc.h"

enum {
    LINEAGE_ARENA_MAX = 64 * 1024 * 1024,
    STATEMENT_HEAD_BYTES = 256 /* where IF NOT EXISTS stands, if it does */
};

void fc_lineage_init(struct fc_lineage *lineage)
{
    memset(lineage, 0, sizeof(*lineage));
    fc_arena_init(&lineage->arena, LINEAGE_ARENA_MAX);
}

static void event_release(struct fc_lineage_event *event)
{
    for (uint32_t index = 0; index < event->table_count; index++) {
        free(event->tables[index].db);
        free(event->tables[index].table);
        free(event->tables[index].new_db);
        free(event->tables[index].new_table);
    }
    free(event->tables);
    free(event->statement);
    memset(event, 0, sizeof(*event));
}

void fc_lineage_release(struct fc_lineage *lineage)
{
    for (uint32_t index = 0; index < lineage->count; index++) {
        event_release(&lineage->events[index]);
    }
    free(lineage->events);
    fc_arena_release(&lineage->arena);
    memset(lineage, 0, sizeof(*lineage));
}

/* --- reading records --------------------------------------------------------------------- */

static char *copy_slice(struct fc_slice slice)
{
    return fc_slice_is_null(slice) ? NULL : fc_strndup((const char *)slice.data, slice.len);
}

static bool says_if_not_exists(struct fc_slice statement)
{
    static const char words[] = "IF NOT EXISTS";
    size_t length = sizeof(words) - 1;
    size_t end = statement.len < STATEMENT_HEAD_BYTES ? statement.len : STATEMENT_HEAD_BYTES;
    for (size_t at = 0; at + length <= end; at++) {
        if (strncasecmp((const char *)statement.data + at, words, length) == 0) {
            return true;
        }
    }
    return false;
}

static fc_code read_ddl(struct fc_lineage *lineage, struct fc_slice value,
                        struct fc_lineage_event *event, struct fc_error *err)
{
    struct fc_ddl ddl;
    struct fc_slice db;
    fc_code code;
    fc_arena_clear(&lineage->arena);
    code = fc_envelope_decode_ddl(value, &lineage->arena, &db, &ddl, err);
    if (code != FC_OK) {
        return code;
    }
    event->kind = ddl.kind;
    event->statement = copy_slice(ddl.statement);
    event->if_not_exists = says_if_not_exists(ddl.statement);
    if (ddl.kind == FC_DDL_DROP_DATABASE) {
        event->tables = fc_new_array(struct fc_lineage_table, 1);
        event->tables[0].db = copy_slice(db);
        event->table_count = event->tables[0].db == NULL ? 0 : 1;
        return FC_OK;
    }
    event->tables = fc_new_array(struct fc_lineage_table, ddl.table_count + 1);
    for (uint32_t index = 0; index < ddl.table_count; index++) {
        const struct fc_ddl_table *from = &ddl.tables[index];
        struct fc_lineage_table *to = &event->tables[event->table_count];
        if (fc_slice_is_null(from->table)) {
            continue;
        }
        to->db = copy_slice(fc_slice_is_null(from->db) ? db : from->db);
        to->table = copy_slice(from->table);
        to->new_table = copy_slice(from->new_table);
        to->new_db = to->new_table == NULL            ? NULL
                     : fc_slice_is_null(from->new_db) ? fc_strdup(to->db == NULL ? "" : to->db)
                                                      : copy_slice(from->new_db);
        to->db = to->db == NULL ? fc_strdup("") : to->db;
        event->table_count++;
    }
    return FC_OK;
}

static fc_code read_marker(struct fc_slice value, struct fc_lineage_event *event,
                           struct fc_error *err)
{
    json_t *root = json_loadb((const char *)value.data, value.len, 0, NULL);
    const char *db = json_string_value(json_object_get(root, "db"));
    const char *table = json_string_value(json_object_get(root, "table"));
    json_t *cut = json_object_get(root, "cut_seq");
    fc_code code = FC_OK;
    event->marker = true;
    if (db == NULL || table == NULL || !json_is_integer(cut) || json_integer_value(cut) < 0 ||
        (uint64_t)json_integer_value(cut) >= event->mark.seq) {
        code = fc_fail(err, FC_ERR_CORRUPT, "a restore marker cannot be read");
    } else {
        event->cut_seq = (uint64_t)json_integer_value(cut);
        event->tables = fc_new_array(struct fc_lineage_table, 1);
        event->tables[0].db = fc_strdup(db);
        event->tables[0].table = fc_strdup(table);
        event->table_count = 1;
    }
    json_decref(root);
    return code;
}

static int compare_place(const struct fc_lineage_event *event,
                         const struct fc_identity *identity)
{
    if (event->mark.seq != identity->seq) {
        return event->mark.seq < identity->seq ? -1 : 1;
    }
    if (event->row != identity->row) {
        return event->row < identity->row ? -1 : 1;
    }
    return event->part == identity->part ? 0 : event->part < identity->part ? -1 : 1;
}

fc_code fc_lineage_note(struct fc_lineage *lineage, const struct fc_scan_item *item,
                        const struct fc_lineage_event **out_event, struct fc_error *err)
{
    const struct fc_identity *identity = &item->identity;
    struct fc_lineage_event event;
    uint32_t at = lineage->count;
    fc_code code;
    while (at > 0 && compare_place(&lineage->events[at - 1], identity) >= 0) {
        at--;
    }
    if (at < lineage->count && compare_place(&lineage->events[at], identity) == 0) {
        *out_event = &lineage->events[at];
        return FC_OK;
    }
    memset(&event, 0, sizeof(event));
    event.mark.present = true;
    event.mark.seq = identity->seq;
    event.mark.offset = item->record->offset;
    event.mark.time_ms = item->record->timestamp_ms;
    (void)snprintf(event.mark.tx_id, sizeof(event.mark.tx_id), "%.*s", (int)identity->tx_id.len,
                   (const char *)identity->tx_id.data);
    event.row = identity->row;
    event.part = identity->part;
    code = identity->op == 'm' ? read_marker(item->record->value, &event, err)
                               : read_ddl(lineage, item->record->value, &event, err);
    if (code != FC_OK) {
        event_release(&event);
        return fc_wrap(err, "record of number %" PRIu64, identity->seq);
    }
    if (lineage->count == lineage->capacity) {
        lineage->capacity = lineage->capacity * 2 + 16;
        lineage->events =
            fc_realloc_array(lineage->events, lineage->capacity, sizeof(*lineage->events));
    }
    memmove(&lineage->events[at + 1], &lineage->events[at],
            (lineage->count - at) * sizeof(*lineage->events));
    lineage->events[at] = event;
    lineage->count++;
    *out_event = &lineage->events[at];
    return FC_OK;
}

/* --- paths ------------------------------------------------------------------------------- */

/*
 * The name before the statement of what is called db.table after it. A statement may rename
 * several tables, one after another, so it is followed backwards; a name that was only given away
 * belongs to nothing after it.
 */
static bool name_before(const struct fc_lineage_event *event, const char **db,
                        const char **table)
{
    bool renamed = false;
    for (uint32_t index = event->table_count; index-- > 0;) {
        const struct fc_lineage_table *pair = &event->tables[index];
        if (pair->new_table == NULL) {
            continue;
        }
        if (strcmp(pair->new_table, *table) == 0 && strcmp(pair->new_db, *db) == 0) {
            *db = pair->db;
            *table = pair->table;
            renamed = true;
        } else if (!renamed && strcmp(pair->table, *table) == 0 && strcmp(pair->db, *db) == 0) {
            return false;
        }
    }
    return renamed;
}

static void add_stretch(struct fc_lineage_path *path, const char *db, const char *table,
                        uint64_t from, uint64_t to)
{
    struct fc_lineage_stretch *stretch;
    path->stretches =
        fc_realloc_array(path->stretches, path->count + 1, sizeof(*path->stretches));
    stretch = &path->stretches[path->count++];
    stretch->db = fc_strdup(db);
    stretch->table = fc_strdup(table);
    stretch->from = from;
    stretch->to = to;
}

void fc_lineage_resolve(const struct fc_lineage *lineage, const char *db, const char *table,
                        uint64_t seq, struct fc_lineage_path *out_path)
{
    uint64_t to = seq;
    memset(out_path, 0, sizeof(*out_path));
    for (uint32_t index = lineage->count; index-- > 0;) {
        const struct fc_lineage_event *event = &lineage->events[index];
        const char *now_db = db;
        const char *now_table = table;
        if (event->mark.seq > to) {
            continue;
        }
        if (event->marker && strcmp(event->tables[0].db, db) == 0 &&
            strcmp(event->tables[0].table, table) == 0) {
            add_stretch(out_path, db, table, event->mark.seq, to);
            to = event->cut_seq;
        } else if (!event->marker && name_before(event, &db, &table)) {
            add_stretch(out_path, now_db, now_table, event->mark.seq, to);
            to = event->mark.seq - 1;
        }
    }
    add_stretch(out_path, db, table, 0, to);
    for (uint32_t low = 0, high = out_path->count - 1; low < high; low++, high--) {
        struct fc_lineage_stretch moved = out_path->stretches[low];
        out_path->stretches[low] = out_path->stretches[high];
        out_path->stretches[high] = moved;
    }
}

void fc_lineage_path_release(struct fc_lineage_path *path)
{
    for (uint32_t index = 0; index < path->count; index++) {
        free(path->stretches[index].db);
        free(path->stretches[index].table);
    }
    free(path->stretches);
    memset(path, 0, sizeof(*path));
}

bool fc_lineage_path_equal(const struct fc_lineage_path *a, const struct fc_lineage_path *b)
{
    bool equal = a->count == b->count;
    for (uint32_t index = 0; equal && index < a->count; index++) {
        const struct fc_lineage_stretch *x = &a->stretches[index];
        const struct fc_lineage_stretch *y = &b->stretches[index];
        equal = x->from == y->from && x->to == y->to && strcmp(x->db, y->db) == 0 &&
                strcmp(x->table, y->table) == 0;
    }
    return equal;
}

const struct fc_lineage_stretch *fc_lineage_path_at(const struct fc_lineage_path *path,
                                                    uint64_t seq)
{
    for (uint32_t index = path->count; index-- > 0;) {
        const struct fc_lineage_stretch *stretch = &path->stretches[index];
        if (seq >= stretch->from) {
            return seq <= stretch->to ? stretch : NULL;
        }
    }
    return NULL;
}
