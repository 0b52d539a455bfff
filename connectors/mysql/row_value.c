/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each column's decoder is found by its kind; the kinds that most tables are made of are tried
 * first, without a call.
 */
#include "connectors/mysql/row_value.h"

#include "connectors/mysql/decimal.h"
#include "connectors/mysql/lenenc.h"
#include "connectors/mysql/row_value_kinds.h"
#include "core/base/alloc.h"

enum { JSON_TEXT_START = 0, PARTIAL_JSON = 1 };

void fc_row_value_init(struct fc_row_decoder *decoder)
{
    memset(decoder, 0, sizeof(*decoder));
    fc_buf_init(&decoder->json_text, JSON_TEXT_START);
    fc_arena_init(&decoder->json_arena, 0);
}

void fc_row_value_release(struct fc_row_decoder *decoder)
{
    fc_buf_release(&decoder->json_text);
    fc_arena_release(&decoder->json_arena);
}

void *fc_row_alloc(struct fc_row_decoder *decoder, size_t size)
{
    void *memory = fc_mysql_memory_alloc(&decoder->memory, size);
    if (memory == NULL) {
        decoder->why = NULL;
        (void)fc_fail(&decoder->err, FC_ERR_LIMIT,
                      "its value needs %zu bytes, more than the batch has left", size);
    }
    return memory;
}

/* A signed or unsigned integer of `bits` bits. */
static inline bool put_integer(struct fc_row_decoder *decoder, unsigned bits, bool is_signed,
                               struct fc_value *out)
{
    uint64_t value;
    if (!fc_row_has(decoder, bits / 8)) {
        return false;
    }
    value = fc_row_le(decoder, bits / 8);
    if (is_signed) {
        out->kind = FC_VALUE_INT;
        out->as.i64 = (int64_t)(value << (64 - bits)) >> (64 - bits);
    } else {
        out->kind = FC_VALUE_UINT;
        out->as.u64 = value;
    }
    return true;
}

static bool decode_integer(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                           struct fc_value *out)
{
    static const uint8_t bits[] = { 8, 16, 24, 32, 64 };
    bool is_signed = column->kind < FC_ROW_UINT8;
    return put_integer(decoder, bits[column->kind - (is_signed ? FC_ROW_INT8 : FC_ROW_UINT8)],
                       is_signed, out);
}

static bool decode_float(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                         struct fc_value *out)
{
    (void)column;
    if (!fc_row_has(decoder, 4)) {
        return false;
    }
    out->kind = FC_VALUE_FLOAT;
    memcpy(&out->as.f32, decoder->at, 4);
    decoder->at += 4;
    return true;
}

static bool decode_double(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                          struct fc_value *out)
{
    (void)column;
    if (!fc_row_has(decoder, 8)) {
        return false;
    }
    out->kind = FC_VALUE_DOUBLE;
    memcpy(&out->as.f64, decoder->at, 8);
    decoder->at += 8;
    return true;
}

static bool decode_decimal(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                           struct fc_value *out)
{
    size_t len;
    if (!fc_row_has(decoder, column->width)) {
        return false;
    }
    len = fc_decimal_print(decoder->at, column->precision, column->scale, decoder->scratch);
    if (len == 0) {
        return fc_row_fail(decoder, "its DECIMAL is no number");
    }
    decoder->at += column->width;
    (void)fc_row_put_text(out, decoder->scratch, len);
    decoder->scratch += len;
    return true;
}

/* Stored with the highest byte first, given with the lowest first. */
static bool decode_bit(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                       struct fc_value *out)
{
    uint8_t *to = (uint8_t *)decoder->scratch;
    if (!fc_row_has(decoder, column->width)) {
        return false;
    }
    for (unsigned index = 0; index < column->width; index++) {
        to[index] = decoder->at[column->width - 1U - index];
    }
    decoder->at += column->width;
    decoder->scratch += column->width;
    out->kind = FC_VALUE_BYTES;
    out->as.bytes = fc_slice_of(to, column->width);
    return true;
}

static bool decode_text(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                        struct fc_value *out)
{
    out->kind = FC_VALUE_TEXT;
    return fc_row_sized(decoder, column->width, &out->as.bytes);
}

static bool decode_bytes(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                         struct fc_value *out)
{
    out->kind = FC_VALUE_BYTES;
    return fc_row_sized(decoder, column->width, &out->as.bytes);
}

static const fc_row_decode decoders[] = {
    [FC_ROW_INT8] = decode_integer,
    [FC_ROW_INT16] = decode_integer,
    [FC_ROW_INT24] = decode_integer,
    [FC_ROW_INT32] = decode_integer,
    [FC_ROW_INT64] = decode_integer,
    [FC_ROW_UINT8] = decode_integer,
    [FC_ROW_UINT16] = decode_integer,
    [FC_ROW_UINT24] = decode_integer,
    [FC_ROW_UINT32] = decode_integer,
    [FC_ROW_UINT64] = decode_integer,
    [FC_ROW_FLOAT] = decode_float,
    [FC_ROW_DOUBLE] = decode_double,
    [FC_ROW_DECIMAL] = decode_decimal,
    [FC_ROW_BIT] = decode_bit,
    [FC_ROW_YEAR] = fc_row_decode_year,
    [FC_ROW_DATE] = fc_row_decode_date,
    [FC_ROW_TIME] = fc_row_decode_time,
    [FC_ROW_TIME_OLD] = fc_row_decode_time_old,
    [FC_ROW_DATETIME] = fc_row_decode_datetime,
    [FC_ROW_DATETIME_OLD] = fc_row_decode_datetime_old,
    [FC_ROW_TIMESTAMP] = fc_row_decode_timestamp,
    [FC_ROW_TIMESTAMP_OLD] = fc_row_decode_timestamp_old,
    [FC_ROW_TEXT] = decode_text,
    [FC_ROW_BYTES] = decode_bytes,
    [FC_ROW_TEXT_IN] = fc_row_decode_text_in,
    [FC_ROW_PADDED] = fc_row_decode_padded,
    [FC_ROW_PACKED] = fc_row_decode_packed,
    [FC_ROW_ENUM] = fc_row_decode_enum,
    [FC_ROW_SET] = fc_row_decode_set,
    [FC_ROW_JSON] = fc_row_decode_json,
    [FC_ROW_UUID] = fc_row_decode_uuid,
    [FC_ROW_INET4] = fc_row_decode_inet4,
    [FC_ROW_INET6] = fc_row_decode_inet6,
};

static inline bool decode(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                          struct fc_value *out)
{
    if (column->kind == FC_ROW_TEXT) {
        return decode_text(decoder, column, out);
    }
    if (column->kind == FC_ROW_INT64) {
        return put_integer(decoder, 64, true, out);
    }
    if (column->kind == FC_ROW_INT32) {
        return put_integer(decoder, 32, true, out);
    }
    return decoders[column->kind](decoder, column, out);
}

static inline bool bit_at(const uint8_t *bits, uint32_t index)
{
    return (bits[index / 8] >> (index % 8) & 1) != 0;
}

/* Every column is in the image: the usual case. */
static bool decode_full(struct fc_row_decoder *decoder, const struct fc_table_map *map,
                        struct fc_value *values, uint32_t *out_column)
{
    const struct fc_row_column *columns = map->row_columns;
    uint32_t count = map->shape->column_count;
    const uint8_t *nulls = decoder->at;
    if (!fc_row_has(decoder, (count + 7) / 8)) {
        return false;
    }
    decoder->at += (count + 7) / 8;
    for (uint32_t index = 0; index < count; index++) {
        if (bit_at(nulls, index)) {
            values[index].kind = FC_VALUE_NULL;
        } else if (!decode(decoder, &columns[index], &values[index])) {
            *out_column = index;
            return false;
        }
    }
    return true;
}

/* The head of a partial update's image after: which JSON columns are differences; NULL: none. */
static bool read_partial_head(struct fc_row_decoder *decoder, const struct fc_table_map *map,
                              const uint8_t **out_partial)
{
    struct fc_reader reader;
    uint64_t options;
    fc_reader_init(&reader, fc_slice_of(decoder->at, (size_t)(decoder->end - decoder->at)));
    options = fc_lenenc_read(&reader);
    *out_partial = NULL;
    if ((options & PARTIAL_JSON) != 0) {
        *out_partial = fc_reader_take(&reader, (map->json_count + 7) / 8);
    }
    if (reader.failed || (options & ~(uint64_t)PARTIAL_JSON) != 0) {
        return fc_row_fail(decoder, "options of a partial update that are not known");
    }
    decoder->at = decoder->end - fc_reader_left(&reader);
    return true;
}

/* A JSON column of a partial update event: keep the document before, or apply differences. */
static bool decode_json(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                        uint32_t number, bool is_partial, struct fc_value *out)
{
    struct fc_slice document;
    const uint8_t *start = decoder->at;
    if (is_partial) {
        return fc_row_decode_json_partial(decoder, column, decoder->json_images[number], out);
    }
    if (!fc_row_sized(decoder, column->width, &document)) {
        return false;
    }
    decoder->json_images[number] = document;
    decoder->at = start;
    return fc_row_decode_json(decoder, column, out);
}

/* Columns may be missing, JSON may be partial. */
static bool decode_some(struct fc_row_decoder *decoder, const struct fc_table_map *map,
                        const struct fc_row_layout *layout, struct fc_value *values,
                        uint32_t *out_column)
{
    const uint8_t *partial = NULL;
    const uint8_t *nulls;
    uint32_t place = 0;
    uint32_t json = 0;
    if (layout->is_partial && !read_partial_head(decoder, map, &partial)) {
        return false;
    }
    nulls = decoder->at;
    if (!fc_row_has(decoder, (layout->present_count + 7) / 8)) {
        return false;
    }
    decoder->at += (layout->present_count + 7) / 8;
    for (uint32_t index = 0; index < map->shape->column_count; index++) {
        const struct fc_row_column *column = &map->row_columns[index];
        /* Partial bits count the table's JSON columns, also those that are not in the image. */
        uint32_t number = column->kind == FC_ROW_JSON ? json++ : 0;
        bool ok = true;
        *out_column = index;
        if (layout->present != NULL && !bit_at(layout->present, index)) {
            values[index].kind = FC_VALUE_UNCHANGED;
        } else if (bit_at(nulls, place++)) {
            values[index].kind = FC_VALUE_NULL;
        } else if (column->kind == FC_ROW_JSON && decoder->json_images != NULL) {
            ok = decode_json(decoder, column, number,
                             partial != NULL && bit_at(partial, number), &values[index]);
        } else {
            ok = decode(decoder, column, &values[index]);
        }
        if (!ok) {
            return false;
        }
    }
    return true;
}

bool fc_row_value_image(struct fc_row_decoder *decoder, const struct fc_table_map *map,
                        const struct fc_row_layout *layout, struct fc_value *values,
                        uint32_t *out_column)
{
    fc_assert(decoder->at != NULL && decoder->end != NULL);
    if (layout->present == NULL && !layout->is_partial && decoder->json_images == NULL) {
        return decode_full(decoder, map, values, out_column);
    }
    return decode_some(decoder, map, layout, values, out_column);
}
