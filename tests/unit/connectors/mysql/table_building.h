/* SPDX-License-Identifier: Apache-2.0 */
/* Builds TABLE_MAP and rows events by hand, for tests. */
#ifndef FC_TEST_TABLE_BUILDING_H
#define FC_TEST_TABLE_BUILDING_H

#include "connectors/mysql/row_image.h"
#include "tests/unit/connectors/mysql/binlog_reading.h"

/* A column as its map has it. */
struct test_column {
    uint8_t type;
    uint8_t meta_size;
    uint8_t meta[2];
    bool nullable;
};

static inline void test_append_sized(struct fc_buf *to, const void *bytes, size_t len)
{
    fc_buf_append_u8(to, (uint8_t)len);
    fc_buf_append(to, bytes, len);
}

/* The body of a map of shop.<table>, without optional metadata, which may be appended. */
static inline void test_map_body(struct fc_buf *to, uint64_t table_id, const char *table,
                                 const struct test_column *columns, uint8_t count)
{
    uint8_t meta[64];
    uint8_t nullable[8] = { 0 };
    size_t meta_size = 0;
    fc_buf_append_le32(to, (uint32_t)table_id);
    fc_buf_append_le16(to, (uint16_t)(table_id >> 32));
    fc_buf_append_le16(to, 1);
    fc_buf_append(to, "\4shop\0", 6);
    fc_buf_append_u8(to, (uint8_t)strlen(table));
    fc_buf_append(to, table, strlen(table) + 1);
    fc_buf_append_u8(to, count);
    for (uint8_t index = 0; index < count; index++) {
        fc_buf_append_u8(to, columns[index].type);
        memcpy(meta + meta_size, columns[index].meta, columns[index].meta_size);
        meta_size += columns[index].meta_size;
        if (columns[index].nullable) {
            nullable[index / 8] = (uint8_t)(nullable[index / 8] | 1U << (index % 8));
        }
    }
    test_append_sized(to, meta, meta_size);
    fc_buf_append(to, nullable, (count + 7U) / 8U);
}

/* The COLUMN_NAME field: names separated by spaces. */
static inline void test_append_names(struct fc_buf *to, const char *names)
{
    fc_buf_append_u8(to, 4);
    fc_buf_append_u8(to, (uint8_t)(strlen(names) + 1));
    for (const char *at = names; *at != '\0';) {
        size_t len = strcspn(at, " ");
        test_append_sized(to, at, len);
        at += len + (at[len] == ' ' ? 1 : 0);
    }
}

/* The head of a rows event of a table with `count` columns, all present. */
static inline void test_rows_head(struct fc_buf *to, uint8_t type, uint64_t table_id,
                                  uint8_t count)
{
    bool version_2 = (type >= 30 && type <= 32) || type == FC_BINLOG_PARTIAL_UPDATE_ROWS;
    bool update = type == FC_BINLOG_UPDATE_ROWS || type == FC_BINLOG_UPDATE_ROWS_V1 ||
                  type == FC_BINLOG_PARTIAL_UPDATE_ROWS;
    fc_buf_append_le32(to, (uint32_t)table_id);
    fc_buf_append_le16(to, (uint16_t)(table_id >> 32));
    fc_buf_append_le16(to, 1);
    if (version_2) {
        fc_buf_append_le16(to, 2);
    }
    fc_buf_append_u8(to, count);
    for (int image = 0; image < (update ? 2 : 1); image++) {
        for (unsigned left = count; left > 0; left -= left < 8 ? left : 8) {
            fc_buf_append_u8(to, (uint8_t)(left < 8 ? (1U << left) - 1 : 0xffU));
        }
    }
}

/* An event of this body, as the parser would give it. */
static inline struct fc_binlog_event test_body_event(uint8_t type, const struct fc_buf *body)
{
    struct fc_binlog_event event = { .type = type, .next_position = 4711 };
    event.body = fc_buf_slice(body);
    return event;
}

#endif
