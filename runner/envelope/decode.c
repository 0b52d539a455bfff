/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of an event, and schema change events as a whole. Rows are row_decoder.c's.
 *
 * An event that our encoder wrote is taken apart by the very texts between its parts; any other
 * member by member.
 */
#include "runner/envelope/ddl_json.h"
#include "runner/envelope/envelope.h"
#include "runner/envelope/json_scan.h"

/* Members that an event must have, once each. */
enum { SEEN_BEFORE = 1, SEEN_AFTER = 2, SEEN_SOURCE = 4, SEEN_OP = 8, SEEN_DDL = 16 };

static bool take_object_or_null(struct fc_json_scan *scan, struct fc_slice *out_object)
{
    uint8_t first = fc_json_peek(scan);
    if ((first != '{' && first != 'n') || !fc_json_skip_value(scan, out_object)) {
        return false;
    }
    if (first == 'n') {
        *out_object = fc_slice_null();
    }
    return true;
}

static bool take_op(struct fc_json_scan *scan, char *out_op)
{
    static const char ops[] = { FC_OP_READ, FC_OP_CREATE, FC_OP_UPDATE, FC_OP_DELETE,
                                FC_OP_TRUNCATE };
    struct fc_json_string op;
    if (!fc_json_take_string(scan, &op) || op.raw.len != 1 ||
        memchr(ops, op.raw.data[0], sizeof(ops)) == NULL) {
        return false;
    }
    *out_op = (char)op.raw.data[0];
    return true;
}

static bool take_time(struct fc_json_scan *scan)
{
    struct fc_slice number;
    bool whole = false;
    return fc_json_take_number(scan, &number, &whole);
}

/* false when it is not as our encoder writes it. */
static bool split_ours(struct fc_slice value, struct fc_envelope_parts *parts)
{
    static const char before[] = "{\"before\":";
    static const char after[] = ",\"after\":";
    static const char source[] = ",\"source\":";
    static const char op[] = ",\"transaction\":null,\"op\":";
    static const char ms[] = ",\"ts_ms\":";
    static const char us[] = ",\"ts_us\":";
    static const char ns[] = ",\"ts_ns\":";
    struct fc_json_scan scan;
    fc_json_scan_init(&scan, value);
    return fc_json_take_word(&scan, before, sizeof(before) - 1) &&
           take_object_or_null(&scan, &parts->before) &&
           fc_json_take_word(&scan, after, sizeof(after) - 1) &&
           take_object_or_null(&scan, &parts->after) &&
           fc_json_take_word(&scan, source, sizeof(source) - 1) &&
           take_object_or_null(&scan, &parts->source) && !fc_slice_is_null(parts->source) &&
           fc_json_take_word(&scan, op, sizeof(op) - 1) && take_op(&scan, &parts->op) &&
           fc_json_take_word(&scan, ms, sizeof(ms) - 1) && take_time(&scan) &&
           fc_json_take_word(&scan, us, sizeof(us) - 1) && take_time(&scan) &&
           fc_json_take_word(&scan, ns, sizeof(ns) - 1) && take_time(&scan) &&
           fc_json_take_word(&scan, "}", 1) && scan.at == scan.end;
}

static bool mark_seen(unsigned *seen, unsigned bit)
{
    bool again = (*seen & bit) != 0;
    *seen |= bit;
    return !again;
}

static bool split_member(struct fc_json_scan *scan, struct fc_json_string name,
                         struct fc_envelope_parts *parts, unsigned *seen)
{
    struct fc_slice skipped;
    if (fc_json_is(name, "before")) {
        return mark_seen(seen, SEEN_BEFORE) && take_object_or_null(scan, &parts->before);
    }
    if (fc_json_is(name, "after")) {
        return mark_seen(seen, SEEN_AFTER) && take_object_or_null(scan, &parts->after);
    }
    if (fc_json_is(name, "source")) {
        return mark_seen(seen, SEEN_SOURCE) && take_object_or_null(scan, &parts->source) &&
               !fc_slice_is_null(parts->source);
    }
    if (fc_json_is(name, "op")) {
        return mark_seen(seen, SEEN_OP) && take_op(scan, &parts->op);
    }
    if (fc_json_is(name, "ddl")) {
        parts->op = FC_OP_DDL;
        return mark_seen(seen, SEEN_DDL) && fc_json_skip_value(scan, &skipped);
    }
    return fc_json_skip_value(scan, &skipped);
}

static bool split(struct fc_slice value, struct fc_envelope_parts *parts)
{
    struct fc_json_scan scan;
    struct fc_json_string name;
    unsigned seen = 0;
    bool first = true;
    bool end = false;
    fc_json_scan_init(&scan, value);
    if (!fc_json_take(&scan, '{')) {
        return false;
    }
    for (;;) {
        if (!fc_json_next_member(&scan, &first, &name, &end)) {
            return false;
        }
        if (end) {
            break;
        }
        if (!split_member(&scan, name, parts, &seen)) {
            return false;
        }
    }
    fc_json_skip_space(&scan);
    return scan.at == scan.end && (seen == (SEEN_BEFORE | SEEN_AFTER | SEEN_SOURCE | SEEN_OP) ||
                                   seen == (SEEN_SOURCE | SEEN_DDL));
}

fc_code fc_envelope_split(struct fc_slice value, struct fc_envelope_parts *out_parts,
                          struct fc_error *err)
{
    struct fc_envelope_parts parts = { .op = 0 };
    if (!split_ours(value, &parts)) {
        memset(&parts, 0, sizeof(parts));
        if (!split(value, &parts)) {
            return fc_fail(err, FC_ERR_CORRUPT, "a record's value is not a change event");
        }
    }
    *out_parts = parts;
    return FC_OK;
}

/* A string, or null as the null slice. */
static bool take_text(struct fc_json_scan *scan, struct fc_arena *arena,
                      struct fc_slice *out_text)
{
    struct fc_json_string string;
    *out_text = fc_slice_null();
    if (fc_json_peek(scan) == 'n') {
        return fc_json_take_word(scan, "null", 4);
    }
    return fc_json_take_string(scan, &string) && fc_json_unescape(string, arena, out_text);
}

static bool take_kind(struct fc_json_scan *scan, fc_ddl_kind *out_kind)
{
    struct fc_json_string kind;
    if (!fc_json_take_string(scan, &kind)) {
        return false;
    }
    for (int index = 0; index < FC_DDL_JSON_KINDS; index++) {
        if (fc_json_is(kind, fc_ddl_json_kinds[index])) {
            *out_kind = (fc_ddl_kind)index;
            return true;
        }
    }
    return false;
}

static bool take_table(struct fc_json_scan *scan, struct fc_arena *arena,
                       struct fc_ddl_table *table)
{
    struct fc_json_string name;
    struct fc_slice skipped;
    bool first = true;
    bool end = false;
    bool fine = fc_json_take(scan, '{');
    while (fine && (fine = fc_json_next_member(scan, &first, &name, &end)) && !end) {
        if (fc_json_is(name, "db")) {
            fine = take_text(scan, arena, &table->db);
        } else if (fc_json_is(name, "table")) {
            fine = take_text(scan, arena, &table->table);
        } else if (fc_json_is(name, "newDb")) {
            fine = take_text(scan, arena, &table->new_db);
        } else if (fc_json_is(name, "newTable")) {
            fine = take_text(scan, arena, &table->new_table);
        } else {
            fine = fc_json_skip_value(scan, &skipped);
        }
    }
    return fine;
}

static bool take_tables(struct fc_json_scan *scan, struct fc_arena *arena, struct fc_ddl *ddl)
{
    struct fc_json_scan items = *scan;
    struct fc_slice skipped;
    struct fc_ddl_table *tables;
    uint32_t count = 0;
    bool first = true;
    bool end = false;
    bool fine = fc_json_take(&items, '[');
    while (fine && (fine = fc_json_next_item(&items, &first, &end)) && !end) {
        fine = fc_json_skip_value(&items, &skipped);
        count++;
    }
    tables = fine ? fc_arena_alloc(arena, count * sizeof(*tables)) : NULL;
    if (tables == NULL) {
        return false;
    }
    memset(tables, 0, count * sizeof(*tables));
    ddl->tables = tables;
    first = true;
    fine = fc_json_take(scan, '[');
    for (ddl->table_count = 0; fine && ddl->table_count < count; ddl->table_count++) {
        fine = fc_json_next_item(scan, &first, &end) &&
               take_table(scan, arena, &tables[ddl->table_count]);
    }
    return fine && fc_json_next_item(scan, &first, &end) && end;
}

static bool decode_ddl(struct fc_slice value, struct fc_arena *arena, struct fc_slice *db,
                       struct fc_ddl *ddl)
{
    struct fc_json_scan scan;
    struct fc_json_string name;
    struct fc_slice skipped;
    bool first = true;
    bool end = false;
    bool fine;
    fc_json_scan_init(&scan, value);
    fine = fc_json_take(&scan, '{');
    while (fine && (fine = fc_json_next_member(&scan, &first, &name, &end)) && !end) {
        if (fc_json_is(name, "databaseName")) {
            fine = take_text(&scan, arena, db);
        } else if (fc_json_is(name, "ddl")) {
            fine = take_text(&scan, arena, &ddl->statement);
        } else if (fc_json_is(name, "kind")) {
            fine = take_kind(&scan, &ddl->kind);
        } else if (fc_json_is(name, "tables")) {
            fine = take_tables(&scan, arena, ddl);
        } else {
            fine = fc_json_skip_value(&scan, &skipped);
        }
    }
    fc_json_skip_space(&scan);
    return fine && scan.at == scan.end && !fc_slice_is_null(ddl->statement) &&
           ddl->tables != NULL;
}

fc_code fc_envelope_decode_ddl(struct fc_slice value, struct fc_arena *arena,
                               struct fc_slice *out_db, struct fc_ddl *out_ddl,
                               struct fc_error *err)
{
    struct fc_ddl ddl = { .kind = FC_DDL_OTHER };
    struct fc_slice db = fc_slice_null();
    if (!decode_ddl(value, arena, &db, &ddl)) {
        if (arena->failed) {
            return fc_arena_check(arena, "a decoded schema change", err);
        }
        return fc_fail(err, FC_ERR_CORRUPT, "a record's value is not a schema change event");
    }
    *out_db = db;
    *out_ddl = ddl;
    return FC_OK;
}
