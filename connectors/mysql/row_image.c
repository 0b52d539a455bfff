/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layout of a rows event's body:
 *
 *   table_id(6, or 4) flags(2) [version 2: size(2) of extra data with itself, extra data]
 *   column_count(length-encoded) present(a bit a column) [updates: present after]
 *   rows: image, of updates image before and image after
 *
 * In MariaDB's compressed events everything behind the bitmaps is packed. An image is a bit for
 * each present column that is NULL, and the values of the others.
 */
#include "connectors/mysql/row_image.h"

#include <stdlib.h>

#include "connectors/mysql/inflate.h"
#include "connectors/mysql/lenenc.h"
#include "connectors/mysql/row_value.h"
#include "core/base/alloc.h"

enum { FLAG_STATEMENT_END = 1 };

struct fc_row_image {
    struct fc_row_decoder decoder;
    struct fc_rows_info info;
    struct fc_row_layout layouts[2]; /* of an update's images; else the first */
    uint8_t type;
    uint32_t next_position;
    size_t row_size;              /* memory that values and fixed-size texts of a row need */
    struct fc_slice *json_images; /* json_capacity of them */
    uint32_t json_capacity;
};

struct fc_row_image *fc_row_image_new(void)
{
    struct fc_row_image *rows = fc_new(struct fc_row_image);
    fc_row_value_init(&rows->decoder);
    return rows;
}

void fc_row_image_free(struct fc_row_image *rows)
{
    if (rows != NULL) {
        fc_row_value_release(&rows->decoder);
        free(rows->json_images);
        free(rows);
    }
}

static fc_op op_of(uint8_t type)
{
    switch (type) {
    case FC_BINLOG_WRITE_ROWS_V1:
    case FC_BINLOG_WRITE_ROWS:
    case FC_BINLOG_WRITE_ROWS_COMPRESSED_V1:
    case FC_BINLOG_WRITE_ROWS_COMPRESSED:
        return FC_OP_CREATE;
    case FC_BINLOG_DELETE_ROWS_V1:
    case FC_BINLOG_DELETE_ROWS:
    case FC_BINLOG_DELETE_ROWS_COMPRESSED_V1:
    case FC_BINLOG_DELETE_ROWS_COMPRESSED:
        return FC_OP_DELETE;
    default:
        return FC_OP_UPDATE;
    }
}

static bool is_version_2(uint8_t type)
{
    return (type >= FC_BINLOG_WRITE_ROWS && type <= FC_BINLOG_DELETE_ROWS) ||
           type == FC_BINLOG_PARTIAL_UPDATE_ROWS ||
           (type >= FC_BINLOG_WRITE_ROWS_COMPRESSED &&
            type <= FC_BINLOG_DELETE_ROWS_COMPRESSED);
}

static bool is_compressed(uint8_t type)
{
    return type >= FC_BINLOG_WRITE_ROWS_COMPRESSED_V1 &&
           type <= FC_BINLOG_DELETE_ROWS_COMPRESSED;
}

/* Up to the column count. */
static fc_code read_head(const struct fc_binlog_format *format,
                         const struct fc_table_map_cache *cache,
                         const struct fc_binlog_event *event, struct fc_reader *reader,
                         struct fc_rows_info *out_info, struct fc_error *err)
{
    bool short_id = fc_binlog_format_post_header(format, event->type, 8) == 6;
    uint64_t dummy = short_id ? UINT32_MAX : 0xffffffffffffULL;
    struct fc_rows_info info;
    memset(&info, 0, sizeof(info));
    fc_reader_init(reader, event->body);
    info.op = op_of(event->type);
    info.table_id = fc_reader_le(reader, short_id ? 4 : 6);
    info.statement_end = (fc_reader_le(reader, 2) & FLAG_STATEMENT_END) != 0;
    if (is_version_2(event->type)) {
        uint16_t extra = (uint16_t)fc_reader_le(reader, 2);
        fc_reader_skip(reader, extra < 2 ? SIZE_MAX : extra - 2U);
    }
    if (reader->failed) {
        return fc_binlog_event_malformed(event, "it is too short", err);
    }
    info.map = fc_table_map_cache_get(cache, info.table_id);
    /* Servers end a statement whose last rows were left out with an event for no table. */
    info.skip = info.map == NULL && info.statement_end &&
                (info.table_id == dummy || info.table_id == 0xffffff);
    if (info.map == NULL && !info.skip) {
        return fc_binlog_event_malformed(
            event, "it holds rows of a table that no TABLE_MAP event described", err);
    }
    *out_info = info;
    return FC_OK;
}

fc_code fc_row_image_info(const struct fc_binlog_format *format,
                          const struct fc_table_map_cache *cache,
                          const struct fc_binlog_event *event, struct fc_rows_info *out_info,
                          struct fc_error *err)
{
    struct fc_reader reader;
    return read_head(format, cache, event, &reader, out_info, err);
}

/* Which columns an image holds; bits behind the last column are not looked at. */
static void read_layout(struct fc_reader *reader, uint32_t count, struct fc_row_layout *out)
{
    const uint8_t *present = fc_reader_take(reader, (count + 7) / 8);
    memset(out, 0, sizeof(*out));
    for (uint32_t index = 0; present != NULL && index < count; index++) {
        out->present_count += present[index / 8] >> (index % 8) & 1;
    }
    out->present = out->present_count == count ? NULL : present;
}

/* Room for the JSON documents before, when differences may refer to them. */
static void prepare_json(struct fc_row_image *rows, bool is_partial)
{
    uint32_t count = rows->info.map->json_count;
    rows->decoder.json_images = NULL;
    if (!is_partial || count == 0) {
        return;
    }
    if (count > rows->json_capacity) {
        rows->json_images =
            fc_realloc_array(rows->json_images, count, sizeof(rows->json_images[0]));
        rows->json_capacity = count;
    }
    rows->decoder.json_images = rows->json_images;
}

fc_code fc_row_image_open(struct fc_row_image *rows, const struct fc_binlog_format *format,
                          const struct fc_table_map_cache *cache,
                          const struct fc_binlog_event *event,
                          const struct fc_mysql_memory *memory, struct fc_rows_info *out_info,
                          struct fc_error *err)
{
    struct fc_reader reader;
    struct fc_slice data;
    uint64_t count;
    bool is_partial = event->type == FC_BINLOG_PARTIAL_UPDATE_ROWS;
    fc_code code = read_head(format, cache, event, &reader, &rows->info, err);
    rows->decoder.at = NULL;
    rows->decoder.end = NULL;
    if (code != FC_OK || rows->info.skip) {
        *out_info = code == FC_OK ? rows->info : *out_info;
        return code;
    }
    count = fc_lenenc_read(&reader);
    if (reader.failed || count != rows->info.map->shape->column_count) {
        return fc_binlog_event_malformed(
            event, "it has another number of columns than its table map", err);
    }
    read_layout(&reader, (uint32_t)count, &rows->layouts[0]);
    if (rows->info.op == FC_OP_UPDATE) {
        read_layout(&reader, (uint32_t)count, &rows->layouts[1]);
        rows->layouts[1].is_partial = is_partial;
    }
    if (reader.failed) {
        return fc_binlog_event_malformed(event, "its bitmaps are cut", err);
    }
    if (rows->layouts[0].present_count == 0) {
        return fc_fail(
            err, FC_ERR_CONFIG,
            "%s event (type %u) that ends at position %u: its rows hold no column at "
            "all, so they cannot be counted: SET GLOBAL binlog_row_image=FULL",
            fc_binlog_event_name(event->type), event->type, event->next_position);
    }
    data = fc_slice_of(reader.at, fc_reader_left(&reader));
    if (is_compressed(event->type)) {
        code = fc_inflate_record(data, memory, &data, err);
        if (code != FC_OK) {
            return fc_wrap(err, "%s event (type %u) that ends at position %u",
                           fc_binlog_event_name(event->type), event->type,
                           event->next_position);
        }
    }
    prepare_json(rows, is_partial);
    rows->decoder.at = data.data;
    rows->decoder.end = data.data + data.len;
    rows->decoder.memory = *memory;
    rows->type = event->type;
    rows->next_position = event->next_position;
    rows->row_size = (count * sizeof(struct fc_value) + rows->info.map->scratch_size) *
                     (rows->info.op == FC_OP_UPDATE ? 2 : 1);
    *out_info = rows->info;
    return FC_OK;
}

static fc_code fail_row(struct fc_row_image *rows, uint32_t column, struct fc_error *err)
{
    const struct fc_shape *shape = rows->info.map->shape;
    const char *why = rows->decoder.why != NULL ? rows->decoder.why : rows->decoder.err.message;
    fc_code code = rows->decoder.why != NULL ? FC_ERR_PROTOCOL : rows->decoder.err.code;
    rows->decoder.at = rows->decoder.end; /* what follows cannot be found any more */
    return fc_fail(err, code,
                   "%s event (type %u) that ends at position %u, table %s.%s, column %s: %s",
                   fc_binlog_event_name(rows->type), rows->type, rows->next_position, shape->db,
                   shape->table, shape->columns[column].name, why);
}

fc_code fc_row_image_next(struct fc_row_image *rows, struct fc_value **out_before,
                          struct fc_value **out_after, bool *out_end, struct fc_error *err)
{
    struct fc_row_decoder *decoder = &rows->decoder;
    struct fc_value *first;
    struct fc_value *second = NULL;
    uint32_t count;
    uint32_t column = 0;
    if (decoder->at == decoder->end) {
        *out_end = true;
        return FC_OK;
    }
    count = rows->info.map->shape->column_count;
    first = fc_mysql_memory_alloc(&decoder->memory, rows->row_size);
    if (first == NULL) {
        return fc_fail(err, FC_ERR_LIMIT, "a row of %s.%s does not fit into the batch's memory",
                       rows->info.map->shape->db, rows->info.map->shape->table);
    }
    for (uint32_t json = 0; decoder->json_images != NULL && json < rows->info.map->json_count;
         json++) {
        decoder->json_images[json] = fc_slice_null();
    }
    if (rows->info.op == FC_OP_UPDATE) {
        second = first + count;
        decoder->scratch = (char *)(second + count);
    } else {
        decoder->scratch = (char *)(first + count);
    }
    if (!fc_row_value_image(decoder, rows->info.map, &rows->layouts[0], first, &column) ||
        (second != NULL &&
         !fc_row_value_image(decoder, rows->info.map, &rows->layouts[1], second, &column))) {
        return fail_row(rows, column, err);
    }
    *out_before = rows->info.op == FC_OP_CREATE ? NULL : first;
    *out_after = rows->info.op == FC_OP_CREATE ? first : second;
    *out_end = false;
    return FC_OK;
}
