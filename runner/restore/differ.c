/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three readings: the log's rows of buckets that differ go into a map; the target's are looked up
 * in it and judged; what nothing was found for is missing, and the log is read once more for the
 * texts of the first of them.
 *
 * When the map would outgrow the memory, it keeps to the lower half of the hashes it took so far,
 * and the counts are of those.
 */
#include "runner/restore/differ.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "runner/restore/log_rows.h"

struct entry {
    uint64_t content;
    uint64_t left; /* copies that the target has not shown */
};

struct differ {
    const struct fc_verify_config *config;
    uint32_t table;
    const struct fc_row_forms *forms;
    struct fc_compare *compare;
    struct fc_verify_result *result;
    struct fc_keymap places; /* key -> index of its entry */
    struct entry *entries;
    size_t entry_count;
    size_t entry_capacity;
    size_t entries_max;
    uint64_t high; /* keys up to this are looked at */
    uint64_t named;
};

static bool looks_at(const struct differ *differ, struct fc_key_hash key)
{
    return key.high <= differ->high && fc_compare_differs_at(differ->compare, key);
}

static void name_row(struct differ *differ, fc_difference what, struct fc_slice key)
{
    if (differ->named < differ->config->rows_named_max) {
        differ->named++;
        differ->config->on_difference(differ->config->ctx, differ->table, what, key);
    }
}

/* --- the log's rows ---------------------------------------------------------------------- */

/* Let go of the upper half of the keys until one more fits. */
static void make_room(struct differ *differ)
{
    while (differ->places.count >= differ->entries_max) {
        struct entry *kept;
        size_t count = 0;
        struct fc_key_hash hash;
        uint64_t index;
        uint64_t old;
        differ->high /= 2;
        differ->result->partly = true;
        fc_keymap_keep_up_to(&differ->places, differ->high);
        kept = fc_new_array(struct entry, differ->entry_capacity);
        for (size_t cursor = 0; fc_keymap_next(&differ->places, &cursor, &hash, &index);) {
            kept[count] = differ->entries[index];
            (void)fc_keymap_put(&differ->places, hash, count++, &old);
        }
        free(differ->entries);
        differ->entries = kept;
        differ->entry_count = count;
    }
}

static fc_code on_log_row(void *ctx, const struct fc_row_hashes *hashes, uint64_t copies,
                          struct fc_slice shown, struct fc_error *err)
{
    struct differ *differ = ctx;
    struct entry *entry;
    uint64_t index;
    uint64_t old;
    (void)shown;
    (void)err;
    if (!looks_at(differ, hashes->key)) {
        return FC_OK;
    }
    if (fc_keymap_get(&differ->places, hashes->key, &index)) {
        differ->entries[index].left += copies; /* without key: of another version */
        return FC_OK;
    }
    make_room(differ);
    if (hashes->key.high > differ->high) {
        return FC_OK;
    }
    if (differ->entry_count == differ->entry_capacity) {
        differ->entry_capacity = differ->entry_capacity * 2 + 1024;
        differ->entries =
            fc_realloc_array(differ->entries, differ->entry_capacity, sizeof(*differ->entries));
    }
    if (fc_keymap_is_full(&differ->places)) {
        fc_keymap_grow(&differ->places);
    }
    entry = &differ->entries[differ->entry_count];
    entry->content = hashes->content;
    entry->left = copies;
    (void)fc_keymap_put(&differ->places, hashes->key, differ->entry_count++, &old);
    return FC_OK;
}

static fc_code read_log(struct differ *differ,
                        fc_code (*on_row)(void *ctx, const struct fc_row_hashes *hashes,
                                          uint64_t copies, struct fc_slice shown,
                                          struct fc_error *err),
                        struct fc_error *err)
{
    struct fc_log_rows_config rows;
    memset(&rows, 0, sizeof(rows));
    rows.view = differ->config->view;
    rows.table = differ->config->fold->tables[differ->table];
    rows.forms = differ->forms;
    rows.compare = differ->compare;
    rows.on_row = on_row;
    rows.ctx = differ;
    rows.stop = differ->config->stop;
    return fc_log_rows_run(&rows, err);
}

/* --- the target's rows ------------------------------------------------------------------- */

static fc_code on_target_row(void *ctx, const struct fc_row_hashes *hashes,
                             struct fc_slice shown, struct fc_error *err)
{
    struct differ *differ = ctx;
    struct entry *entry;
    uint64_t index;
    (void)err;
    if (!looks_at(differ, hashes->key)) {
        return FC_OK;
    }
    if (!fc_keymap_get(&differ->places, hashes->key, &index)) {
        differ->result->extra++;
        name_row(differ, FC_ROW_EXTRA, shown);
        return FC_OK;
    }
    entry = &differ->entries[index];
    if (entry->left == 0) {
        differ->result->extra++;
        name_row(differ, FC_ROW_EXTRA, shown);
        return FC_OK;
    }
    entry->left--;
    if (entry->content != hashes->content) {
        differ->result->different++;
        name_row(differ, FC_ROW_DIFFERENT, shown);
    }
    return FC_OK;
}

static fc_code scan_target(struct differ *differ, struct fc_error *err)
{
    struct fc_compare_scan scan;
    memset(&scan, 0, sizeof(scan));
    scan.ops = differ->config->ops;
    scan.target = differ->config->target;
    scan.db = differ->config->places[differ->table].db;
    scan.table = differ->config->places[differ->table].table;
    scan.on_row = on_target_row;
    scan.ctx = differ;
    return fc_compare_scan(differ->compare, &scan, err);
}

/* --- what is missing --------------------------------------------------------------------- */

static fc_code on_missing_row(void *ctx, const struct fc_row_hashes *hashes, uint64_t copies,
                              struct fc_slice shown, struct fc_error *err)
{
    struct differ *differ = ctx;
    uint64_t index;
    (void)copies;
    if (differ->named >= differ->config->rows_named_max) {
        return fc_fail(err, FC_ERR_LIMIT, "enough");
    }
    if (looks_at(differ, hashes->key) && fc_keymap_get(&differ->places, hashes->key, &index) &&
        differ->entries[index].left > 0) {
        name_row(differ, FC_ROW_MISSING, shown);
        differ->entries[index].left = 0;
    }
    return FC_OK;
}

static fc_code name_missing(struct differ *differ, struct fc_error *err)
{
    fc_code code;
    for (size_t index = 0; index < differ->entry_count; index++) {
        differ->result->missing += differ->entries[index].left;
    }
    if (differ->result->missing == 0 || differ->named >= differ->config->rows_named_max) {
        return FC_OK;
    }
    code = read_log(differ, on_missing_row, err);
    return code == FC_ERR_LIMIT && differ->named >= differ->config->rows_named_max ? FC_OK
                                                                                   : code;
}

fc_code fc_differ_run(const struct fc_verify_config *config, uint32_t table,
                      const struct fc_row_forms *forms, struct fc_compare *compare,
                      struct fc_verify_result *result, struct fc_error *err)
{
    struct differ differ;
    fc_code code;
    memset(&differ, 0, sizeof(differ));
    differ.config = config;
    differ.table = table;
    differ.forms = forms;
    differ.compare = compare;
    differ.result = result;
    differ.high = UINT64_MAX;
    /* A slot of the map at two thirds full, and an entry. */
    differ.entries_max =
        config->memory_bytes / (sizeof(struct fc_keymap_slot) * 3 / 2 + sizeof(struct entry));
    differ.entries_max = differ.entries_max < 1024 ? 1024 : differ.entries_max;
    fc_keymap_init(&differ.places);
    code = read_log(&differ, on_log_row, err);
    if (code == FC_OK) {
        code = scan_target(&differ, err);
    }
    if (code == FC_OK) {
        code = name_missing(&differ, err);
    }
    fc_keymap_release(&differ.places);
    free(differ.entries);
    return code;
}
