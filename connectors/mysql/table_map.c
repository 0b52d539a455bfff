/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries are found by table id, in the usual case with equal contents, which is one look-up
 * and one comparison for each statement; else by contents, since servers give tables new ids
 * whenever they open them again. Ids live in two generations so that the thousands that a busy
 * server goes through do not stay: when the younger is full, it becomes the older, and the
 * older is dropped. A statement's maps and rows stand close together, far below one generation.
 */
#include "connectors/mysql/table_map.h"

#include <stdlib.h>

#include "connectors/mysql/table_map_raw.h"
#include "core/base/alloc.h"
#include "core/base/hashmap.h"

enum {
    ID_SLOTS = 16384, /* a power of two */
    IDS_MAX = ID_SLOTS / 2,
    SHAPE_BYTES_MAX = 64 * 1024 * 1024
};

struct entry {
    struct fc_table_map map;
    struct fc_arena arena;
    struct fc_built_table built;
    struct fc_slice content; /* in the arena */
    bool stale;              /* a DDL touched it: ask for a hint again */
    struct entry *next;
};

struct id_slot {
    uint64_t table_id;
    struct entry *entry; /* NULL: free */
};

struct id_table {
    struct id_slot slots[ID_SLOTS];
    uint32_t count;
};

struct fc_table_map_cache {
    struct fc_hashmap by_content;
    struct id_table *young;
    struct id_table *old;
    struct entry *entries; /* every one ever made: shapes live until the cache is freed */
};

struct fc_table_map_cache *fc_table_map_cache_new(void)
{
    struct fc_table_map_cache *cache = fc_new(struct fc_table_map_cache);
    fc_hashmap_init(&cache->by_content);
    cache->young = fc_new(struct id_table);
    cache->old = fc_new(struct id_table);
    return cache;
}

static void free_entry(struct entry *entry)
{
    for (uint32_t index = 0; index < entry->built.converter_count; index++) {
        fc_charset_converter_close(&entry->built.converters[index]);
    }
    fc_arena_release(&entry->arena);
    free(entry);
}

void fc_table_map_cache_free(struct fc_table_map_cache *cache)
{
    if (cache == NULL) {
        return;
    }
    while (cache->entries != NULL) {
        struct entry *next = cache->entries->next;
        free_entry(cache->entries);
        cache->entries = next;
    }
    fc_hashmap_release(&cache->by_content, NULL);
    free(cache->young);
    free(cache->old);
    free(cache);
}

/* The id's slot, or the free one where it would go. */
static struct id_slot *find_slot(struct id_table *ids, uint64_t table_id)
{
    uint64_t at = table_id * 0x9e3779b97f4a7c15U >> 50; /* spreads consecutive ids */
    while (ids->slots[at & (ID_SLOTS - 1)].entry != NULL &&
           ids->slots[at & (ID_SLOTS - 1)].table_id != table_id) {
        at++;
    }
    return &ids->slots[at & (ID_SLOTS - 1)];
}

static struct entry *find_by_id(const struct fc_table_map_cache *cache, uint64_t table_id)
{
    struct entry *entry = find_slot(cache->young, table_id)->entry;
    return entry != NULL ? entry : find_slot(cache->old, table_id)->entry;
}

static void set_id(struct fc_table_map_cache *cache, uint64_t table_id, struct entry *entry)
{
    struct id_slot *slot = find_slot(cache->young, table_id);
    if (slot->entry == NULL) {
        if (cache->young->count == IDS_MAX) {
            struct id_table *emptied = cache->old;
            cache->old = cache->young;
            memset(emptied, 0, sizeof(*emptied));
            cache->young = emptied;
            slot = find_slot(emptied, table_id);
        }
        cache->young->count++;
    }
    slot->table_id = table_id;
    slot->entry = entry;
}

const struct fc_table_map *fc_table_map_cache_get(const struct fc_table_map_cache *cache,
                                                  uint64_t table_id)
{
    struct entry *entry = find_by_id(cache, table_id);
    return entry == NULL ? NULL : &entry->map;
}

static fc_code make_entry(const struct fc_binlog_format *format,
                          const struct fc_binlog_event *event, const struct fc_shape *hint,
                          struct entry **out_entry, struct fc_error *err)
{
    struct entry *entry = fc_new(struct entry);
    struct fc_raw_table raw;
    fc_code code;
    fc_arena_init(&entry->arena, SHAPE_BYTES_MAX);
    code = fc_table_map_raw_parse(format, event, &entry->arena, &raw, err);
    if (code == FC_OK) {
        code = fc_table_map_build(&raw, hint, &entry->arena, &entry->built, err);
    }
    if (code == FC_OK) {
        entry->content = fc_arena_copy(&entry->arena, raw.content);
        code = fc_arena_check(&entry->arena, "a table's shape", err);
    }
    if (code != FC_OK) {
        free_entry(entry);
        return code;
    }
    entry->map.shape = entry->built.shape;
    entry->map.row_columns = entry->built.row_columns;
    entry->map.scratch_size = entry->built.scratch_size;
    entry->map.json_count = entry->built.json_count;
    entry->map.has_names = raw.has_names;
    *out_entry = entry;
    return FC_OK;
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Two entries of the same event contents came out the same, whatever the hints were. */
static bool same_outcome(const struct entry *a, const struct entry *b)
{
    const struct fc_shape *x = a->map.shape;
    const struct fc_shape *y = b->map.shape;
    if (!same_text(x->create_sql, y->create_sql) || x->column_count != y->column_count) {
        return false;
    }
    for (uint32_t index = 0; index < x->column_count; index++) {
        const struct fc_column *m = &x->columns[index];
        const struct fc_column *n = &y->columns[index];
        if (!same_text(m->name, n->name) || !same_text(m->native_type, n->native_type) ||
            !same_text(m->charset, n->charset) || m->type != n->type ||
            m->key_index != n->key_index) {
            return false;
        }
    }
    return true;
}

/* An entry for contents that are new, or whose entry is stale. */
static fc_code learn(struct fc_table_map_cache *cache, const struct fc_binlog_format *format,
                     const struct fc_binlog_event *event, const struct fc_shape *hint,
                     struct entry *stale, struct entry **out_entry, struct fc_error *err)
{
    struct entry *fresh = NULL;
    fc_code code = make_entry(format, event, hint, &fresh, err);
    if (code != FC_OK) {
        return code;
    }
    if (stale != NULL && same_outcome(stale, fresh)) {
        free_entry(fresh);
        stale->stale = false;
        *out_entry = stale;
        return FC_OK;
    }
    fresh->next = cache->entries;
    cache->entries = fresh;
    (void)fc_hashmap_put(&cache->by_content, fresh->content,
                         fresh); /* a replaced one stays in the list */
    *out_entry = fresh;
    return FC_OK;
}

fc_code fc_table_map_cache_put(struct fc_table_map_cache *cache,
                               const struct fc_binlog_format *format,
                               const struct fc_binlog_event *event, fc_table_map_hint hint,
                               void *hint_ctx, const struct fc_table_map **out_map,
                               struct fc_error *err)
{
    struct fc_raw_table head;
    struct entry *entry;
    fc_code code = fc_table_map_raw_head(format, event, &head, err);
    if (code != FC_OK) {
        return code;
    }
    entry = find_by_id(cache, head.table_id);
    if (entry != NULL && !entry->stale && entry->content.len == head.content.len &&
        memcmp(entry->content.data, head.content.data, head.content.len) == 0) {
        *out_map = &entry->map;
        return FC_OK;
    }
    entry = fc_hashmap_get(&cache->by_content, head.content);
    if (entry == NULL || entry->stale) {
        const struct fc_shape *hinted =
            hint == NULL ? NULL : hint(hint_ctx, head.db, head.table);
        code = learn(cache, format, event, hinted, entry, &entry, err);
        if (code != FC_OK) {
            return code;
        }
    }
    set_id(cache, head.table_id, entry);
    *out_map = &entry->map;
    return FC_OK;
}

void fc_table_map_cache_forget(struct fc_table_map_cache *cache, struct fc_slice db,
                               struct fc_slice table)
{
    for (struct entry *entry = cache->entries; entry != NULL; entry = entry->next) {
        if ((db.len == 0 || fc_slice_equal_text(db, entry->map.shape->db)) &&
            (table.len == 0 || fc_slice_equal_text(table, entry->map.shape->table))) {
            entry->stale = true;
        }
    }
}

fc_code fc_table_map_names(const struct fc_binlog_format *format,
                           const struct fc_binlog_event *event, uint64_t *out_table_id,
                           struct fc_slice *out_db, struct fc_slice *out_table,
                           struct fc_error *err)
{
    struct fc_raw_table head;
    fc_code code = fc_table_map_raw_head(format, event, &head, err);
    if (code == FC_OK) {
        *out_table_id = head.table_id;
        *out_db = head.db;
        *out_table = head.table;
    }
    return code;
}
