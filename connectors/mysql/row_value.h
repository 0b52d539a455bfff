/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of one row image to values: the hot path of capture. */
#ifndef FC_MYSQL_ROW_VALUE_H
#define FC_MYSQL_ROW_VALUE_H

#include "connectors/mysql/memory.h"
#include "connectors/mysql/table_map.h"
#include "core/base/arena.h"
#include "core/base/buf.h"

/* State of the decoding of one event's rows. */
struct fc_row_decoder {
    const uint8_t *at;
    const uint8_t *end;
    struct fc_mysql_memory memory;
    char *scratch;                /* where the next fixed-size text goes */
    struct fc_buf json_text;      /* for work, reused */
    struct fc_arena json_arena;   /* for work, reused */
    struct fc_slice *json_images; /* binary JSON of the image before, by place among the JSON
                                     columns; null: none. Partial updates only, else NULL */
    const char *why;              /* what was wrong, static; NULL: `err` says it */
    struct fc_error err;
};

void fc_row_value_init(struct fc_row_decoder *decoder);
void fc_row_value_release(struct fc_row_decoder *decoder);

/* What an image holds besides its values. */
struct fc_row_layout {
    const uint8_t *present; /* a bit a column, lowest first; NULL: all columns */
    uint32_t present_count;
    bool is_partial; /* begins with which JSON columns are differences */
};

/*
 * Decode the image at decoder->at and move behind it.
 *
 * values  map->shape->column_count of them.
 *
 * Returns false when it cannot be read; decoder->why or err says why and *out_column which.
 */
bool fc_row_value_image(struct fc_row_decoder *decoder, const struct fc_table_map *map,
                        const struct fc_row_layout *layout, struct fc_value *values,
                        uint32_t *out_column);

#endif
