/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a stream of binlog events: table maps and the rows events that use them. Each event's size stands in
 * its header, as in a file.
 */
#include "connectors/mysql/row_image.h"
#include "tests/fuzz/binlog_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void touch_values(const struct fc_shape *shape, const struct fc_value *values)
{
    for (uint32_t index = 0; values != NULL && index < shape->column_count; index++) {
        if (values[index].kind == FC_VALUE_TEXT || values[index].kind == FC_VALUE_BYTES) {
            (void)touch(values[index].as.bytes);
        }
    }
}

static void read_rows(struct fc_row_image *rows, const struct fc_binlog_format *format,
                      const struct fc_table_map_cache *cache,
                      const struct fc_binlog_event *event, const struct fc_mysql_memory *memory)
{
    struct fc_rows_info info;
    struct fc_error err;
    struct fc_value *before = NULL;
    struct fc_value *after = NULL;
    bool end = false;
    fc_code code = fc_row_image_open(rows, format, cache, event, memory, &info, &err);
    while (code == FC_OK && !info.skip && !end) {
        code = fc_row_image_next(rows, &before, &after, &end, &err);
        if (code == FC_OK && !end) {
            touch_values(info.map->shape, before);
            touch_values(info.map->shape, after);
        }
    }
}

static void read_event(struct fc_binlog_format *format, struct fc_table_map_cache *cache,
                       struct fc_row_image *rows, struct fc_slice bytes,
                       const struct fc_mysql_memory *memory)
{
    const struct fc_table_map *map = NULL;
    struct fc_binlog_event event;
    struct fc_error err;
    if (fc_binlog_event_parse(format, bytes, false, &event, &err) != FC_OK || event.skip) {
        return;
    }
    if (event.type == FC_BINLOG_TABLE_MAP) {
        (void)!fc_table_map_cache_put(cache, format, &event, NULL, NULL, &map, &err);
    } else if (fc_binlog_event_is_rows(event.type)) {
        read_rows(rows, format, cache, &event, memory);
    }
}

static void read_stream(const uint8_t *data, size_t size, bool mariadb)
{
    struct fc_table_map_cache *cache = fc_table_map_cache_new();
    struct fc_row_image *rows = fc_row_image_new();
    struct fc_mysql_memory memory;
    struct fc_binlog_format format;
    struct fc_arena arena;
    fc_arena_init(&arena, FUZZ_ARENA_MAX);
    memory.alloc = fuzz_alloc;
    memory.ctx = &arena;
    fc_binlog_format_init(&format);
    format.known = true;
    format.mariadb = mariadb;
    while (size >= FC_BINLOG_HEADER_SIZE) {
        size_t event_size = (size_t)data[9] | (size_t)data[10] << 8 | (size_t)data[11] << 16;
        if (event_size < FC_BINLOG_HEADER_SIZE || event_size > size) {
            event_size = size;
        }
        read_event(&format, cache, rows, fc_slice_of(data, event_size), &memory);
        fc_arena_clear(&arena);
        data += event_size;
        size -= event_size;
    }
    fc_arena_release(&arena);
    fc_row_image_free(rows);
    fc_table_map_cache_free(cache);
}

/* The servers differ in what their maps' optional metadata counts. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_stream(data, size, false);
    read_stream(data, size, true);
    return 0;
}
