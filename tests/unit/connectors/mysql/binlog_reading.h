/* SPDX-License-Identifier: Apache-2.0 */
/* What the decoder's tests share: memory for values, files, and events out of binlog files. */
#ifndef FC_TEST_BINLOG_READING_H
#define FC_TEST_BINLOG_READING_H

#include <stdio.h>
#include <stdlib.h>

#include <zlib.h>

#include "connectors/mysql/binlog_event.h"
#include "connectors/mysql/memory.h"
#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/reader.h"

static inline void *test_alloc(void *ctx, size_t size)
{
    return fc_arena_alloc((struct fc_arena *)ctx, size);
}

/* Memory out of an arena, which the caller has initialised. */
static inline struct fc_mysql_memory test_memory(struct fc_arena *arena)
{
    struct fc_mysql_memory memory = { test_alloc, arena };
    return memory;
}

/* The whole file, which must be there; the caller frees data. */
static inline struct fc_slice test_read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    long size;
    uint8_t *data;
    if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0) {
        fprintf(stderr, "cannot read %s (tests run in the repository's root)\n", path);
        abort();
    }
    rewind(file);
    data = (uint8_t *)malloc((size_t)size + 1);
    if (data == NULL || fread(data, 1, (size_t)size, file) != (size_t)size) {
        abort();
    }
    (void)fclose(file);
    data[size] = 0;
    return fc_slice_of(data, (size_t)size);
}

static inline void test_free_file(struct fc_slice file)
{
    free((void *)(uintptr_t)file.data);
}

/* Build an event: header, body, and a CRC32 when wanted. The bytes live in `to` until it grows. */
static inline struct fc_slice test_event(struct fc_buf *to, uint8_t type, uint16_t flags,
                                         struct fc_slice body, bool checksum)
{
    size_t start = to->len;
    size_t size = FC_BINLOG_HEADER_SIZE + body.len + (checksum ? FC_BINLOG_CHECKSUM_SIZE : 0);
    fc_buf_append_le32(to, 1700000000);
    fc_buf_append_u8(to, type);
    fc_buf_append_le32(to, 7);
    fc_buf_append_le32(to, (uint32_t)size);
    fc_buf_append_le32(to, 4711);
    fc_buf_append_le16(to, flags);
    fc_buf_append_slice(to, body);
    if (checksum) {
        fc_buf_append_le32(to, (uint32_t)crc32(0, to->data + start, (uInt)(to->len - start)));
    }
    return fc_slice_of(to->data + start, size);
}

/* The body of a FORMAT_DESCRIPTION event. */
static inline void test_format_body(struct fc_buf *to, const char *version, uint8_t algorithm)
{
    char name[FC_BINLOG_SERVER_VERSION_SIZE] = { 0 };
    (void)snprintf(name, sizeof(name), "%s", version);
    fc_buf_append_le16(to, 4);
    fc_buf_append(to, name, sizeof(name));
    fc_buf_append_le32(to, 0);
    fc_buf_append_u8(to, FC_BINLOG_HEADER_SIZE);
    for (int type = 1; type <= 42; type++) {
        fc_buf_append_u8(to, type >= 30 && type <= 32 ? 10 : 8);
    }
    fc_buf_append_u8(to, algorithm);
}

/* A format as of a MySQL without checksums. */
static inline void test_format(struct fc_binlog_format *format)
{
    fc_binlog_format_init(format);
    format->known = true;
    format->type_count = 42;
    memset(format->post_header_sizes + 1, 8, 42);
}

/* A walk over a binlog file. */
struct test_walk {
    struct fc_slice file;
    size_t at;
    struct fc_binlog_format format;
};

static inline void test_walk_init(struct test_walk *walk, struct fc_slice file)
{
    walk->file = file;
    walk->at = 4; /* magic */
    fc_binlog_format_init(&walk->format);
}

/* The next event's bytes; false at the end of the file. */
static inline bool test_walk_bytes(struct test_walk *walk, struct fc_slice *out_bytes)
{
    struct fc_reader reader;
    uint64_t size;
    if (walk->file.len - walk->at < FC_BINLOG_HEADER_SIZE) {
        return false;
    }
    fc_reader_init(&reader, fc_slice_of(walk->file.data + walk->at + 9, 4));
    size = fc_reader_le(&reader, 4);
    if (size < FC_BINLOG_HEADER_SIZE || size > walk->file.len - walk->at) {
        fprintf(stderr, "bad event at byte %zu of the file\n", walk->at);
        abort();
    }
    *out_bytes = fc_slice_of(walk->file.data + walk->at, (size_t)size);
    walk->at += (size_t)size;
    return true;
}

/* The next event, its checksum verified. */
static inline bool test_walk_next(struct test_walk *walk, struct fc_binlog_event *out_event)
{
    struct fc_slice bytes;
    struct fc_error err;
    if (!test_walk_bytes(walk, &bytes)) {
        return false;
    }
    if (fc_binlog_event_parse(&walk->format, bytes, true, out_event, &err) != FC_OK) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    return true;
}

#endif
