/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/envelope/source_block.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "runner/envelope/encode_value.h"

/* The block holds the statement's text when the server logs it; a server's packet is at most
 * 1 GiB. */
static const size_t text_max = (size_t)7 << 30;

static void append_member(struct fc_buf *out, const char *before, const char *text)
{
    fc_buf_append_text(out, before);
    fc_json_append_string(out, fc_slice_text(text == NULL ? "" : text));
}

void fc_source_block_init(struct fc_source_block *block, const char *version,
                          const char *engine, const char *name,
                          const struct fc_source_field *fields)
{
    static const struct fc_source_field none[] = { { NULL, FC_SOURCE_VALUE } };
    memset(block, 0, sizeof(*block));
    fields = fields == NULL ? none : fields;
    fc_buf_init(&block->start, text_max);
    fc_buf_init(&block->names, text_max);
    fc_buf_init(&block->text, text_max);
    append_member(&block->start, "\"source\":{\"version\":", version);
    append_member(&block->start, ",\"connector\":", engine);
    append_member(&block->start, ",\"name\":", name);
    fc_buf_append_text(&block->start, ",\"ts_ms\":");
    while (fields[block->field_count].name != NULL) {
        block->field_count++;
    }
    block->name_lens = fc_new_array(uint32_t, block->field_count);
    block->types = fc_new_array(fc_source_field_type, block->field_count);
    for (uint32_t index = 0; index < block->field_count; index++) {
        size_t from = block->names.len;
        append_member(&block->names, ",", fields[index].name);
        fc_buf_append_text(&block->names, ":");
        block->name_lens[index] = (uint32_t)(block->names.len - from);
        block->types[index] = fields[index].type;
    }
}

void fc_source_block_release(struct fc_source_block *block)
{
    fc_buf_release(&block->start);
    fc_buf_release(&block->names);
    fc_buf_release(&block->text);
    free(block->name_lens);
    free(block->types);
    memset(block, 0, sizeof(*block));
}

static const char *snapshot_text(fc_snapshot_mark mark)
{
    switch (mark) {
    case FC_SNAPSHOT_NO:
        return ",\"snapshot\":\"false\",\"db\":";
    case FC_SNAPSHOT_ROW:
        return ",\"snapshot\":\"true\",\"db\":";
    case FC_SNAPSHOT_LAST_OF_TABLE:
    case FC_SNAPSHOT_EMPTY_TABLE:
        break;
    }
    return ",\"snapshot\":\"last_in_data_collection\",\"db\":";
}

static char *put_bytes(char *at, const void *data, size_t len)
{
    memcpy(at, data, len);
    return at + len;
}

static char *put_text(char *at, const char *text)
{
    return put_bytes(at, text, strlen(text));
}

/* ,"ts_ms" up to ,"ts_ns": from the member before, microseconds to whole milliseconds down. */
static char *put_common(char *at, const struct fc_change *change, struct fc_slice db)
{
    char micros[FC_FORMAT_I64_SIZE];
    int64_t ms = change->ts_us / 1000 - (change->ts_us % 1000 < 0 ? 1 : 0);
    size_t len = (size_t)(fc_json_put_i64(micros, change->ts_us) - micros);
    at = fc_json_put_i64(at, ms);
    at = put_text(at, snapshot_text(change->snapshot));
    at = put_bytes(at, db.data, db.len);
    at = put_text(at, ",\"sequence\":null,\"ts_us\":");
    at = put_bytes(at, micros, len);
    at = put_text(at, ",\"ts_ns\":");
    at = put_bytes(at, micros, len);
    return put_text(at, change->ts_us == 0 ? "" : "000");
}

void fc_source_block_build(struct fc_source_block *block, const struct fc_change *change,
                           struct fc_slice db, struct fc_slice table, const void *owner)
{
    static const struct fc_value_form plain = { FC_FORM_PLAIN, FC_ZERO_DATE_TEXT, 0, 0 };
    static const struct fc_value absent = { .kind = FC_VALUE_NULL };
    size_t room = block->start.len + block->names.len + db.len + table.len + 256;
    const uint8_t *name = block->names.data;
    struct fc_civil_day day = { 0 };
    char *at;
    block->cached = owner != NULL;
    block->owner = owner;
    block->source = change->source;
    block->tx = change->tx;
    block->ts_us = change->ts_us;
    block->snapshot = change->snapshot;
    block->has_row = false;
    fc_buf_clear(&block->text);
    for (uint32_t index = 0; index < block->field_count; index++) {
        room += FC_VALUE_ROOM;
        room += change->source == NULL ? 0 : fc_value_bound(plain, &change->source[index]);
    }
    at = (char *)fc_buf_reserve(&block->text, room + FC_JSON_SLACK);
    if (at == NULL) {
        return;
    }
    at = put_bytes(at, block->start.data, block->start.len);
    at = put_common(at, change, db);
    for (uint32_t index = 0; index < block->field_count; index++) {
        at = put_bytes(at, name, block->name_lens[index]);
        name += block->name_lens[index];
        switch (block->types[index]) {
        case FC_SOURCE_VALUE:
            at = fc_value_put(at, plain,
                              change->source == NULL ? &absent : &change->source[index], &day);
            break;
        case FC_SOURCE_TABLE:
            at = put_bytes(at, table.data, table.len);
            break;
        case FC_SOURCE_EVENT_ROW:
            block->has_row = true;
            block->row_at = (size_t)((uint8_t *)at - block->text.data);
            break;
        }
    }
    *at++ = '}';
    block->text.len = (size_t)((uint8_t *)at - block->text.data);
    block->row_at = block->has_row ? block->row_at : block->text.len;
}
