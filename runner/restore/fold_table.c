/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/restore/fold_table.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "runner/restore/recode.h"

/* A place: 16 bits of partition, 3 of ascent, the rest is the offset. */
enum { PLACE_OFFSET_BITS = 45, PLACE_PARTITION_BIT = 48, PLACE_ASCENT_MASK = 7 };

static uint64_t place_of(const struct fc_scan_item *item, uint32_t ascent)
{
    return (uint64_t)item->partition << PLACE_PARTITION_BIT |
           (uint64_t)ascent << PLACE_OFFSET_BITS | (uint64_t)item->record->offset;
}

static uint32_t ascent_of(uint64_t place)
{
    return (uint32_t)(place >> PLACE_OFFSET_BITS) & PLACE_ASCENT_MASK;
}

struct fc_fold_table *fc_fold_table_new(const char *db, const char *table,
                                        struct fc_fold_room *room)
{
    struct fc_fold_table *made = fc_new(struct fc_fold_table);
    made->db = fc_strdup(db);
    made->table = fc_strdup(table);
    made->name = fc_asprintf("%s.%s", db, table);
    fc_versions_init(&made->versions);
    fc_keymap_init(&made->places);
    fc_keymap_init(&made->copies);
    fc_keymap_init(&made->all_copies);
    fc_fold_room_add(room, &made->places);
    fc_fold_room_add(room, &made->copies);
    return made;
}

void fc_fold_table_free(struct fc_fold_table *table)
{
    if (table != NULL) {
        for (uint32_t index = 0; index < table->survivor_count; index++) {
            fc_offset_set_release(&table->survivors[index].ascending);
            fc_offset_set_release(&table->survivors[index].displaced);
        }
        free(table->survivors);
        fc_lineage_path_release(&table->path);
        fc_versions_release(&table->versions);
        fc_keymap_release(&table->places);
        fc_keymap_release(&table->copies);
        fc_keymap_release(&table->all_copies);
        free(table->gone_how);
        free(table->db);
        free(table->table);
        free(table->name);
        free(table);
    }
}

static void clear_rows(struct fc_fold_table *table)
{
    fc_keymap_clear(&table->places);
    fc_keymap_clear(&table->copies);
    table->ascents.count = 0;
}

void fc_fold_table_begin(struct fc_fold_table *table, uint64_t lost_seq)
{
    clear_rows(table);
    fc_versions_release(&table->versions);
    table->base = FC_BASE_UNKNOWN;
    table->met = false;
    table->trusted = lost_seq == 0;
    table->keyed = false;
    table->gone.present = false;
    free(table->gone_how);
    table->gone_how = NULL;
    table->moved.present = false;
}

/* --- rows -------------------------------------------------------------------------------- */

static uint32_t join_ascent(struct fc_fold_table *table, const struct fc_shape *shape,
                            struct fc_slice key)
{
    uint8_t order[FC_KEY_ORDER_BYTES_MAX];
    size_t size;
    fc_key_order_set(&table->key_order, shape);
    size = fc_key_order_put(&table->key_order, key, order);
    return fc_ascents_join(&table->ascents, fc_slice_of(order, size));
}

static fc_code put_key(struct fc_fold_table *table, struct fc_fold_room *room,
                       const struct fc_scan_item *item, const struct fc_shape *shape,
                       struct fc_error *err)
{
    struct fc_key_hash hash = fc_key_hash(item->record->key);
    /* Also for keys of another pass: each must see the same ascents. */
    uint32_t ascent = join_ascent(table, shape, item->record->key);
    uint64_t old;
    if (!fc_fold_room_takes(room, hash)) {
        return FC_OK;
    }
    if (fc_keymap_is_full(&table->places)) {
        fc_code code = fc_fold_room_make(room, &table->places, err);
        if (code != FC_OK || !fc_fold_room_takes(room, hash)) {
            return code;
        }
    }
    (void)fc_keymap_put(&table->places, hash, place_of(item, ascent), &old);
    return FC_OK;
}

static fc_code apply_keyed(struct fc_fold_table *table, struct fc_fold_room *room,
                           const struct fc_scan_item *item, const struct fc_shape *shape,
                           struct fc_error *err)
{
    uint64_t old;
    if (fc_slice_is_null(item->record->key)) {
        return fc_fail(err, FC_ERR_CORRUPT,
                       "%s: record of number %" PRIu64
                       " has no key, but its schema has one (a transform that takes it away?)",
                       table->name, item->identity.seq);
    }
    if (item->identity.op != 'd') {
        return put_key(table, room, item, shape, err);
    }
    (void)fc_keymap_remove(&table->places, fc_key_hash(item->record->key), &old);
    return FC_OK;
}

/* One more of a row image. */
static fc_code add_image(struct fc_fold_table *table, struct fc_fold_room *room,
                         const struct fc_scan_item *item, struct fc_slice image,
                         struct fc_error *err)
{
    struct fc_key_hash hash = fc_key_hash(image);
    uint64_t more = 0;
    uint64_t old;
    bool present;
    fc_code code = FC_OK;
    if (!fc_fold_room_takes(room, hash)) {
        return FC_OK;
    }
    present = fc_keymap_get(&table->places, hash, &old);
    struct fc_keymap *map = present ? &table->copies : &table->places;
    if (fc_keymap_is_full(map)) {
        code = fc_fold_room_make(room, map, err);
    }
    if (code != FC_OK || !fc_fold_room_takes(room, hash)) {
        return code;
    }
    if (present) {
        (void)fc_keymap_get(&table->copies, hash, &more);
        (void)fc_keymap_put(&table->copies, hash, more + 1, &old);
    } else {
        (void)fc_keymap_put(&table->places, hash, place_of(item, 0), &old);
    }
    return FC_OK;
}

/* One less of a row image; false when there is none. */
static bool take_image(struct fc_fold_table *table, struct fc_slice image)
{
    struct fc_key_hash hash = fc_key_hash(image);
    uint64_t more;
    uint64_t old;
    if (fc_keymap_get(&table->copies, hash, &more)) {
        if (more == 1) {
            return fc_keymap_remove(&table->copies, hash, &old);
        }
        return fc_keymap_put(&table->copies, hash, more - 1, &old);
    }
    return fc_keymap_remove(&table->places, hash, &old);
}

/* The image may have been written when the table had other columns. */
static fc_code take_older_image(struct fc_fold_table *table, const struct fc_fold_room *room,
                                const struct fc_scan_item *item, struct fc_slice image,
                                struct fc_error *err)
{
    struct fc_buf text;
    bool taken = false;
    fc_code code = FC_OK;
    if (room->low != 0 || room->high != UINT64_MAX) {
        return fc_fail(
            err, FC_ERR_LIMIT,
            "%s has no key and changed its columns: folding it needs all its rows in "
            "memory; give more with --memory",
            table->name);
    }
    fc_buf_init(&text, FC_RECORD_BYTES_MAX);
    for (uint32_t index = table->versions.count - 1; code == FC_OK && !taken && index-- > 0;) {
        fc_buf_clear(&text);
        code = fc_recode_image(&table->versions, table->versions.count - 1, index, image, &text,
                               err);
        taken = code == FC_OK && take_image(table, fc_buf_slice(&text));
    }
    fc_buf_release(&text);
    if (code == FC_OK && !taken) {
        code = fc_fail(err, FC_ERR_CORRUPT,
                       "%s: the row that number %" PRIu64
                       " takes away is not there; its history in the log is not whole",
                       table->name, item->identity.seq);
    }
    return code;
}

static fc_code apply_unkeyed(struct fc_fold_table *table, struct fc_fold_room *room,
                             const struct fc_scan_item *item, struct fc_error *err)
{
    struct fc_envelope_parts parts;
    char op = item->identity.op;
    bool before = op == 'd' || op == 'u';
    bool after = op != 'd';
    fc_code code;
    if (table->base == FC_BASE_UNKNOWN) {
        return FC_OK; /* its snapshot will hold it */
    }
    code = fc_envelope_split(item->record->value, &parts, err);
    if (code == FC_OK && ((before && fc_slice_is_null(parts.before)) ||
                          (after && fc_slice_is_null(parts.after)))) {
        code = fc_fail(err, FC_ERR_CORRUPT, "the row image is missing");
    }
    if (code != FC_OK) {
        return fc_wrap(err, "%s: record of number %" PRIu64, table->name, item->identity.seq);
    }
    if (before && fc_fold_room_takes(room, fc_key_hash(parts.before)) &&
        !take_image(table, parts.before)) {
        code = take_older_image(table, room, item, parts.before, err);
    }
    return code == FC_OK && after ? add_image(table, room, item, parts.after, err) : code;
}

/* --- what the table is ------------------------------------------------------------------- */

/* All rows are known from here on, and there are none. */
static void found_anew(struct fc_fold_table *table, uint64_t seq, uint64_t lost_seq)
{
    clear_rows(table);
    table->base = FC_BASE_COMPLETE;
    table->trusted = lost_seq == 0 || seq > lost_seq;
    table->gone.present = false;
    table->moved.present = false;
}

/* Rows came or went that the log does not have: from here on only a snapshot that follows knows. */
static void note_moved(struct fc_fold_table *table, const struct fc_lineage_event *event,
                       uint64_t lost_seq)
{
    if (table->base == FC_BASE_GONE) {
        return;
    }
    found_anew(table, event->mark.seq, lost_seq);
    table->met = true;
    table->base = FC_BASE_UNKNOWN;
    table->moved = event->mark;
}

/*
 * Rows of a snapshot. Those of a table with a key add to what is known: they were read from the
 * table as it was at this place in the log. Without a key a snapshot is read in one go, so its
 * first row (number 0) starts over, also after an attempt that was cut short. Where retention
 * removed the log's beginning, only a snapshot that began after a whole one can be trusted.
 */
static void note_snapshot(struct fc_fold_table *table, const struct fc_identity *identity,
                          uint64_t lost_seq)
{
    bool starts = table->base != FC_BASE_SNAPSHOT;
    bool renews =
        table->base == FC_BASE_COMPLETE && !table->trusted && identity->seq > lost_seq;
    if (renews || (!table->keyed && (starts || (identity->row == 0 && identity->part == 0)))) {
        clear_rows(table);
    }
    table->trusted = table->trusted || renews;
    table->base = identity->op == 'E' ? FC_BASE_COMPLETE : FC_BASE_SNAPSHOT;
}

fc_code fc_fold_table_row(struct fc_fold_table *table, struct fc_fold_room *room,
                          const struct fc_scan_item *item, bool late,
                          const struct fc_schema *schema, uint64_t lost_seq,
                          struct fc_error *err)
{
    char op = item->identity.op;
    fc_code code = fc_versions_note(&table->versions, table->name, schema, item->identity.seq,
                                    table->places.count > 0, err);
    if (code != FC_OK) {
        return code;
    }
    table->met = true;
    table->keyed = schema->shape->key_count > 0;
    if (table->base == FC_BASE_GONE) {
        table->base = FC_BASE_UNKNOWN; /* it is there again, and nothing says how it came */
    }
    if ((op == 'r' && !(late && table->keyed)) || op == 'e' || op == 'E') {
        note_snapshot(table, &item->identity, lost_seq);
    }
    if (op != 'E') {
        code = table->keyed ? apply_keyed(table, room, item, schema->shape, err)
                            : apply_unkeyed(table, room, item, err);
    }
    if (op == 'e') {
        table->base = FC_BASE_COMPLETE;
    }
    return code;
}

void fc_fold_table_truncate(struct fc_fold_table *table, uint64_t seq, uint64_t lost_seq)
{
    table->met = true;
    found_anew(table, seq, lost_seq);
}

static void note_gone(struct fc_fold_table *table, const struct fc_lineage_event *event,
                      char *how)
{
    clear_rows(table);
    fc_versions_release(&table->versions);
    table->base = FC_BASE_GONE;
    table->gone = event->mark;
    table->moved.present = false;
    free(table->gone_how);
    table->gone_how = how;
}

/* Whether the statement gave the name to another table; how the one that had it went. */
static char *went_how(const struct fc_lineage_event *event,
                      const struct fc_lineage_stretch *stretch)
{
    char *how = NULL;
    for (uint32_t index = 0; index < event->table_count; index++) {
        const struct fc_lineage_table *pair = &event->tables[index];
        if (how == NULL && pair->new_table != NULL && pair->table != NULL &&
            strcmp(pair->db, stretch->db) == 0 && strcmp(pair->table, stretch->table) == 0) {
            how = fc_asprintf("renamed to %s.%s", pair->new_db, pair->new_table);
        }
    }
    return how;
}

static void apply_ddl(struct fc_fold_table *table, const struct fc_lineage_event *event,
                      const struct fc_lineage_stretch *stretch, bool settled, uint64_t lost_seq)
{
    switch (event->kind) {
    case FC_DDL_CREATE_TABLE:
        if (!event->if_not_exists || table->base == FC_BASE_GONE ||
            (table->base == FC_BASE_UNKNOWN && settled)) {
            fc_versions_release(&table->versions);
            found_anew(table, event->mark.seq, lost_seq);
            table->met = true;
        }
        break;
    case FC_DDL_DROP_TABLE:
    case FC_DDL_DROP_DATABASE:
        note_gone(table, event, fc_strdup("dropped"));
        break;
    case FC_DDL_ALTER_ROWS:
        note_moved(table, event, lost_seq);
        break;
    case FC_DDL_ALTER_TABLE:
    case FC_DDL_RENAME_TABLE:
    case FC_DDL_OTHER:
        break;
    }
    if (event->kind != FC_DDL_CREATE_TABLE && table->base != FC_BASE_GONE &&
        stretch->from < event->mark.seq) {
        char *how = went_how(event, stretch);
        if (how != NULL) {
            note_gone(table, event, how);
            return;
        }
    }
    if (event->kind == FC_DDL_ALTER_TABLE || event->kind == FC_DDL_ALTER_ROWS ||
        event->kind == FC_DDL_OTHER) {
        fc_versions_note_ddl(&table->versions, &event->mark, event->statement);
    }
}

void fc_fold_table_ddl(struct fc_fold_table *table, const struct fc_lineage_event *event,
                       bool settled, uint64_t lost_seq)
{
    const struct fc_lineage_stretch *stretch =
        event->marker ? NULL : fc_lineage_path_at(&table->path, event->mark.seq);
    bool named = false;
    if (stretch == NULL) {
        return;
    }
    for (uint32_t index = 0; index < event->table_count; index++) {
        const struct fc_lineage_table *pair = &event->tables[index];
        named = named || (strcmp(pair->db, stretch->db) == 0 &&
                          (pair->table == NULL || strcmp(pair->table, stretch->table) == 0));
        named = named || (pair->new_table != NULL && strcmp(pair->new_db, stretch->db) == 0 &&
                          strcmp(pair->new_table, stretch->table) == 0);
    }
    if (named) {
        apply_ddl(table, event, stretch, settled, lost_seq);
    }
}

/* --- passes ------------------------------------------------------------------------------ */

static struct fc_survivors *survivors_of(struct fc_fold_table *table, uint32_t partition)
{
    struct fc_survivors *added;
    for (uint32_t index = 0; index < table->survivor_count; index++) {
        if (table->survivors[index].partition == partition) {
            return &table->survivors[index];
        }
    }
    table->survivors = fc_realloc_array(table->survivors, table->survivor_count + 1,
                                        sizeof(*table->survivors));
    added = &table->survivors[table->survivor_count++];
    added->partition = partition;
    fc_offset_set_init(&added->ascending);
    fc_offset_set_init(&added->displaced);
    return added;
}

/* The ascent that most survivors belong to. */
static void choose_ascent(struct fc_fold_table *table)
{
    uint64_t counts[PLACE_ASCENT_MASK + 1] = { 0 };
    struct fc_key_hash hash;
    uint64_t place;
    for (size_t cursor = 0; fc_keymap_next(&table->places, &cursor, &hash, &place);) {
        counts[ascent_of(place)]++;
    }
    for (uint32_t index = 0; index < FC_ASCENTS; index++) {
        table->ascent = counts[index] > counts[table->ascent] ? index : table->ascent;
    }
    table->has_ascent = true;
}

void fc_fold_table_end(struct fc_fold_table *table)
{
    struct fc_survivors *to = NULL;
    struct fc_key_hash hash;
    uint64_t value;
    uint64_t old;
    if (!table->has_ascent) {
        choose_ascent(table);
    }
    for (size_t cursor = 0; fc_keymap_next(&table->places, &cursor, &hash, &value);) {
        uint32_t partition = (uint32_t)(value >> PLACE_PARTITION_BIT);
        if (to == NULL || to->partition != partition) {
            to = survivors_of(table, partition);
        }
        fc_offset_set_add(ascent_of(value) == table->ascent ? &to->ascending : &to->displaced,
                          (int64_t)(value & ((1ULL << PLACE_OFFSET_BITS) - 1)));
        table->rows++;
    }
    for (size_t cursor = 0; fc_keymap_next(&table->copies, &cursor, &hash, &value);) {
        if (fc_keymap_is_full(&table->all_copies)) {
            fc_keymap_grow(&table->all_copies);
        }
        (void)fc_keymap_put(&table->all_copies, hash, value, &old);
        table->rows += value;
    }
    for (uint32_t index = 0; index < table->survivor_count; index++) {
        fc_offset_set_compact(&table->survivors[index].ascending);
        fc_offset_set_compact(&table->survivors[index].displaced);
    }
}

const struct fc_survivors *fc_fold_table_survivors(const struct fc_fold_table *table,
                                                   uint32_t partition)
{
    for (uint32_t index = 0; index < table->survivor_count; index++) {
        if (table->survivors[index].partition == partition) {
            return &table->survivors[index];
        }
    }
    return NULL;
}

uint64_t fc_fold_table_survivor_count(const struct fc_fold_table *table)
{
    uint64_t count = 0;
    for (uint32_t index = 0; index < table->survivor_count; index++) {
        count += table->survivors[index].ascending.count;
        count += table->survivors[index].displaced.count;
    }
    return count;
}
