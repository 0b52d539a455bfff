/* SPDX-License-Identifier: Apache-2.0 */
/* Decoders of single values, for row_value.c: each reads at decoder->at, moves behind, and
 * returns false with `why` or `err` set when it cannot. */
#ifndef FC_MYSQL_ROW_VALUE_KINDS_H
#define FC_MYSQL_ROW_VALUE_KINDS_H

#include "connectors/mysql/row_value.h"

typedef bool (*fc_row_decode)(struct fc_row_decoder *decoder,
                              const struct fc_row_column *column, struct fc_value *out);

static inline bool fc_row_fail(struct fc_row_decoder *decoder, const char *why)
{
    decoder->why = why;
    return false;
}

/* The next `size` bytes are there. */
static inline bool fc_row_has(struct fc_row_decoder *decoder, size_t size)
{
    if (__builtin_expect((size_t)(decoder->end - decoder->at) < size, 0)) {
        return fc_row_fail(decoder, "its value is cut");
    }
    return true;
}

/* Up to 8 little-endian bytes, which the caller has checked to be there. */
static inline uint64_t fc_row_le(struct fc_row_decoder *decoder, size_t size)
{
    uint64_t value = 0;
    memcpy(&value, decoder->at, size);
    decoder->at += size;
    return value;
}

static inline uint64_t fc_row_be(struct fc_row_decoder *decoder, size_t size)
{
    uint64_t value = 0;
    for (size_t index = 0; index < size; index++) {
        value = value << 8 | decoder->at[index];
    }
    decoder->at += size;
    return value;
}

/* Bytes behind a length of `width` bytes. */
static inline bool fc_row_sized(struct fc_row_decoder *decoder, unsigned width,
                                struct fc_slice *out)
{
    size_t left = (size_t)(decoder->end - decoder->at);
    size_t size;
    if (__builtin_expect(left < width, 0)) {
        return fc_row_fail(decoder, "its value is cut");
    }
    size = decoder->at[0];
    if (width > 1) {
        size = 0;
        memcpy(&size, decoder->at, width);
    }
    if (__builtin_expect(left - width < size, 0)) {
        return fc_row_fail(decoder, "its value is cut");
    }
    out->data = decoder->at + width;
    out->len = size;
    decoder->at += width + size;
    return true;
}

/* Memory of the batch; NULL with err set when there is none left. */
void *fc_row_alloc(struct fc_row_decoder *decoder, size_t size);

static inline bool fc_row_put_text(struct fc_value *out, const void *text, size_t len)
{
    out->kind = FC_VALUE_TEXT;
    out->as.bytes = fc_slice_of(text, len);
    return true;
}

/* row_value_temporal.c */
bool fc_row_decode_year(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                        struct fc_value *out);
bool fc_row_decode_date(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                        struct fc_value *out);
bool fc_row_decode_time(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                        struct fc_value *out);
bool fc_row_decode_time_old(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                            struct fc_value *out);
bool fc_row_decode_datetime(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                            struct fc_value *out);
bool fc_row_decode_datetime_old(struct fc_row_decoder *decoder,
                                const struct fc_row_column *column, struct fc_value *out);
bool fc_row_decode_timestamp(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                             struct fc_value *out);
bool fc_row_decode_timestamp_old(struct fc_row_decoder *decoder,
                                 const struct fc_row_column *column, struct fc_value *out);

/* row_value_text.c */
bool fc_row_decode_text_in(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                           struct fc_value *out);
bool fc_row_decode_padded(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                          struct fc_value *out);
bool fc_row_decode_packed(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                          struct fc_value *out);
bool fc_row_decode_enum(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                        struct fc_value *out);
bool fc_row_decode_set(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                       struct fc_value *out);
bool fc_row_decode_json(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                        struct fc_value *out);
bool fc_row_decode_json_partial(struct fc_row_decoder *decoder,
                                const struct fc_row_column *column, struct fc_slice before,
                                struct fc_value *out);
bool fc_row_decode_uuid(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                        struct fc_value *out);
bool fc_row_decode_inet4(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                         struct fc_value *out);
bool fc_row_decode_inet6(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                         struct fc_value *out);

#endif
