/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In order: most rows are in the log as they lie in the table, and the fold knows which those
 * are. The others are read first and sorted, then merged with the first as these are read. So
 * what is sorted follows the rows that were changed later and not the table.
 *
 * Where no room is left to sort, what has been sorted is given out at once.
 */
#include "runner/restore/emit.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "runner/restore/row_sort.h"
#include "runner/restore/survivor_walk.h"

enum {
    CHECK_EVERY_ROWS = 4096,
    DRAIN_ROWS = 1024, /* of one table before it is the next one's turn */
    GROUP_BYTES = 4,
    SORT_BYTES_MIN = 64 * 1024
};

struct emitter {
    const struct fc_emit_config *config;
    struct fc_key_order *orders; /* one a table */
    struct fc_row_sort **sorts;  /* one a table; NULL: nothing is out of order */
    uint64_t rows;
    uint8_t order[GROUP_BYTES + FC_KEY_ORDER_BYTES_MAX];
};

static fc_code check_stop(struct emitter *emitter, struct fc_error *err)
{
    const atomic_bool *stop = emitter->config->stop;
    if (++emitter->rows % CHECK_EVERY_ROWS == 0 && stop != NULL && atomic_load(stop)) {
        return fc_fail(err, FC_ERR_CLOSED, "stopped");
    }
    return FC_OK;
}

static fc_code fail_record(const struct emitter *emitter, const struct fc_survivor *survivor,
                           const char *what, struct fc_error *err)
{
    char place[FC_LOG_PLACE_SIZE];
    return fc_fail(err, FC_ERR_CORRUPT, "%s offset %" PRId64 ": %s",
                   fc_log_view_place(emitter->config->view, survivor->partition, place),
                   survivor->record->offset, what);
}

static fc_code read_row(struct emitter *emitter, const struct fc_survivor *survivor,
                        struct fc_emit_row *out_row, struct fc_error *err)
{
    struct fc_fold_table *table = emitter->config->tables[survivor->table_index];
    const struct fc_identity *identity = &survivor->identity;
    struct fc_envelope_parts parts;
    fc_code code = fc_envelope_split(survivor->record->value, &parts, err);
    if (code != FC_OK || fc_slice_is_null(parts.after)) {
        return fail_record(emitter, survivor,
                           code == FC_OK
                               ? "its envelope has no row under \"after\""
                               : "its value is no envelope (a transform that sets the "
                                 "value?), so no row can be restored from it",
                           err);
    }
    out_row->table = table;
    out_row->table_index = survivor->table_index;
    out_row->version = fc_versions_index(&table->versions, identity->seq, identity->schema_id);
    if (!identity->has_schema ||
        table->versions.items[out_row->version].schema->id != identity->schema_id) {
        return fail_record(emitter, survivor, "its table schema is not what the fold saw", err);
    }
    out_row->key = survivor->record->key;
    out_row->image = parts.after;
    out_row->copies = 1;
    if (!table->keyed) {
        uint64_t more;
        out_row->copies +=
            fc_keymap_get(&table->all_copies, fc_key_hash(parts.after), &more) ? more : 0;
    }
    return FC_OK;
}

static fc_code give(struct emitter *emitter, const struct fc_emit_row *row,
                    struct fc_error *err)
{
    return emitter->config->on_row(emitter->config->ctx, row, err);
}

/* Where the row belongs; in the emitter until the next call. */
static struct fc_slice order_of(struct emitter *emitter, const struct fc_emit_row *row)
{
    const struct fc_emit_config *config = emitter->config;
    struct fc_key_order *order = &emitter->orders[row->table_index];
    uint32_t group = config->group_of == NULL
                         ? 0
                         : config->group_of(config->ctx, row->table_index, row->version);
    for (int index = 0; index < GROUP_BYTES; index++) {
        emitter->order[index] = (uint8_t)(group >> (8 * (GROUP_BYTES - 1 - index)));
    }
    fc_key_order_set(order, row->table->versions.items[row->version].schema->shape);
    return fc_slice_of(emitter->order,
                       GROUP_BYTES +
                           fc_key_order_put(order, row->key, emitter->order + GROUP_BYTES));
}

/* --- out of order ------------------------------------------------------------------------ */

/* Give out sorted rows of a table: those that do not lie behind `before` (NULL: all), or as many
 * as count_max. */
static fc_code give_sorted(struct emitter *emitter, uint32_t table_index,
                           const struct fc_slice *before, uint64_t count_max,
                           struct fc_error *err)
{
    struct fc_row_sort *sort = emitter->sorts[table_index];
    const struct fc_sorted_row *head;
    fc_code code = FC_OK;
    while (code == FC_OK && count_max-- > 0 && (head = fc_row_sort_head(sort)) != NULL &&
           (before == NULL || fc_key_order_compare(head->order, *before) <= 0)) {
        struct fc_emit_row row = { .table = emitter->config->tables[table_index],
                                   .table_index = table_index,
                                   .version = head->version,
                                   .copies = 1,
                                   .key = head->key,
                                   .image = head->image };
        code = check_stop(emitter, err);
        if (code == FC_OK) {
            code = give(emitter, &row, err);
        }
        if (code == FC_OK) {
            code = fc_row_sort_step(sort, err);
        }
    }
    return code;
}

static fc_code sort_row(struct emitter *emitter, const struct fc_emit_row *row,
                        struct fc_error *err)
{
    struct fc_row_sort *sort = emitter->sorts[row->table_index];
    struct fc_sorted_row sorted = { order_of(emitter, row), row->key, row->image,
                                    row->version };
    fc_code code = fc_row_sort_add(sort, &sorted, err);
    if (code != FC_ERR_FULL) {
        return code;
    }
    code = fc_row_sort_finish(sort, err);
    if (code == FC_OK) {
        code = give_sorted(emitter, row->table_index, NULL, UINT64_MAX, err);
    }
    fc_row_sort_clear(sort);
    return code == FC_OK ? fc_row_sort_add(sort, &sorted, err) : code;
}

static fc_code sort_displaced(struct emitter *emitter, struct fc_error *err)
{
    const struct fc_emit_config *config = emitter->config;
    struct fc_survivor_walk *walk = NULL;
    const struct fc_survivor *survivor = NULL;
    fc_code code = fc_survivor_walk_open(config->view, config->tables, config->table_count,
                                         FC_SURVIVORS_DISPLACED, &walk, err);
    if (code == FC_OK) {
        code = fc_survivor_walk_next(walk, &survivor, err);
    }
    while (code == FC_OK && survivor != NULL) {
        struct fc_emit_row row = { 0 };
        code = check_stop(emitter, err);
        if (code == FC_OK) {
            code = read_row(emitter, survivor, &row, err);
        }
        if (code == FC_OK) {
            code = sort_row(emitter, &row, err);
        }
        if (code == FC_OK) {
            code = fc_survivor_walk_next(walk, &survivor, err);
        }
    }
    fc_survivor_walk_close(walk);
    for (uint32_t index = 0; code == FC_OK && index < config->table_count; index++) {
        if (emitter->sorts[index] != NULL) {
            code = fc_row_sort_finish(emitter->sorts[index], err);
        }
    }
    return code;
}

/* What is left when the log is at its end, table by table in turn, as the loaders run together. */
static fc_code give_rest(struct emitter *emitter, struct fc_error *err)
{
    bool left = true;
    fc_code code = FC_OK;
    while (code == FC_OK && left) {
        left = false;
        for (uint32_t index = 0; code == FC_OK && index < emitter->config->table_count;
             index++) {
            if (emitter->sorts[index] != NULL) {
                code = give_sorted(emitter, index, NULL, DRAIN_ROWS, err);
                left = left || fc_row_sort_head(emitter->sorts[index]) != NULL;
            }
        }
    }
    return code;
}

/* --- all of it --------------------------------------------------------------------------- */

static fc_code give_in_turn(struct emitter *emitter, const struct fc_survivor *survivor,
                            struct fc_error *err)
{
    struct fc_row_sort *sort = emitter->sorts[survivor->table_index];
    struct fc_emit_row row = { 0 };
    fc_code code = read_row(emitter, survivor, &row, err);
    if (code == FC_OK && sort != NULL && fc_row_sort_head(sort) != NULL) {
        struct fc_slice order = order_of(emitter, &row);
        code = give_sorted(emitter, survivor->table_index, &order, UINT64_MAX, err);
    }
    return code == FC_OK ? give(emitter, &row, err) : code;
}

static fc_code walk_rows(struct emitter *emitter, fc_survivor_kind kind, struct fc_error *err)
{
    const struct fc_emit_config *config = emitter->config;
    struct fc_survivor_walk *walk = NULL;
    const struct fc_survivor *survivor = NULL;
    fc_code code = fc_survivor_walk_open(config->view, config->tables, config->table_count,
                                         kind, &walk, err);
    if (code == FC_OK) {
        code = fc_survivor_walk_next(walk, &survivor, err);
    }
    while (code == FC_OK && survivor != NULL) {
        code = check_stop(emitter, err);
        if (code == FC_OK) {
            code = give_in_turn(emitter, survivor, err);
        }
        if (code == FC_OK) {
            code = fc_survivor_walk_next(walk, &survivor, err);
        }
    }
    fc_survivor_walk_close(walk);
    return code;
}

static uint64_t displaced_count(const struct fc_fold_table *table)
{
    uint64_t count = 0;
    for (uint32_t index = 0; index < table->survivor_count; index++) {
        count += table->survivors[index].displaced.count;
    }
    return count;
}

/* A sort for each table that needs one; they share the memory. */
static bool open_sorts(struct emitter *emitter)
{
    const struct fc_emit_config *config = emitter->config;
    uint32_t wanted = 0;
    size_t each;
    for (uint32_t index = 0; index < config->table_count; index++) {
        wanted += displaced_count(config->tables[index]) > 0 ? 1 : 0;
    }
    if (config->sort_bytes == 0 || wanted == 0) {
        return false;
    }
    each = config->sort_bytes / wanted;
    each = each < SORT_BYTES_MIN ? SORT_BYTES_MIN : each;
    for (uint32_t index = 0; index < config->table_count; index++) {
        if (displaced_count(config->tables[index]) > 0) {
            emitter->sorts[index] = fc_row_sort_new(each, config->sort_dir);
        }
    }
    return true;
}

fc_code fc_emit(const struct fc_emit_config *config, struct fc_error *err)
{
    struct emitter emitter;
    bool sorting;
    fc_code code = FC_OK;
    memset(&emitter, 0, sizeof(emitter));
    emitter.config = config;
    emitter.orders = fc_new_array(struct fc_key_order, config->table_count + 1);
    emitter.sorts = fc_new_array(struct fc_row_sort *, config->table_count + 1);
    sorting = open_sorts(&emitter);
    if (sorting) {
        code = sort_displaced(&emitter, err);
    }
    if (code == FC_OK) {
        code = walk_rows(&emitter, sorting ? FC_SURVIVORS_ASCENDING : FC_SURVIVORS_ALL, err);
    }
    if (code == FC_OK) {
        code = give_rest(&emitter, err);
    }
    for (uint32_t index = 0; index < config->table_count; index++) {
        fc_row_sort_free(emitter.sorts[index]);
    }
    free(emitter.sorts);
    free(emitter.orders);
    return code;
}
