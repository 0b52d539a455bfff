/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/index.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/crc32c.h"
#include "core/log/bytes.h"

enum {
    OFFSET_ENTRY_SIZE = 8,
    TIME_ENTRY_SIZE = 12,
    BUFFERED_ENTRIES_MAX = 512, /* 2 MB of log or more between two writes */
    RESTORE_CHUNK_SIZE = 64 * 1024
};

static size_t entry_size(fc_segment_file kind)
{
    return kind == FC_SEGMENT_TIMES ? TIME_ENTRY_SIZE : OFFSET_ENTRY_SIZE;
}

static void encode_entry(fc_segment_file kind, int64_t key, uint32_t value, uint8_t *to)
{
    if (kind == FC_SEGMENT_TIMES) {
        fc_bytes_put64(to, (uint64_t)key);
        fc_bytes_put32(to + 8, value);
    } else {
        fc_bytes_put32(to, (uint32_t)key);
        fc_bytes_put32(to + 4, value);
    }
}

static struct fc_index_entry decode_entry(fc_segment_file kind, const uint8_t *from)
{
    struct fc_index_entry entry;
    if (kind == FC_SEGMENT_TIMES) {
        entry.key = (int64_t)fc_bytes_get64(from);
        entry.value = fc_bytes_get32(from + 8);
    } else {
        entry.key = fc_bytes_get32(from);
        entry.value = fc_bytes_get32(from + 4);
    }
    return entry;
}

void fc_index_init(struct fc_index *index, struct fc_fs *fs, const char *dir, int64_t base,
                   fc_segment_file kind)
{
    memset(index, 0, sizeof(*index));
    index->fs = fs;
    index->kind = kind;
    index->path = fc_segment_path(dir, base, kind);
    index->untrimmed = true; /* there may be one of an earlier life */
}

void fc_index_release(struct fc_index *index)
{
    free(index->path);
    free(index->buffer);
    memset(index, 0, sizeof(*index));
}

bool fc_index_is_full(const struct fc_index *index)
{
    return index->buffered >= BUFFERED_ENTRIES_MAX * entry_size(index->kind) && !index->held;
}

void fc_index_add(struct fc_index *index, int64_t key, uint32_t value)
{
    size_t size = entry_size(index->kind);
    if (fc_index_is_full(index) && fc_index_write(index, NULL) != FC_OK) {
        return;
    }
    if (index->buffered == index->capacity) {
        index->capacity =
            index->capacity == 0 ? BUFFERED_ENTRIES_MAX * size : index->capacity * 2;
        index->buffer = fc_realloc_array(index->buffer, index->capacity, 1);
    }
    encode_entry(index->kind, key, value, index->buffer + index->buffered);
    index->buffered += size;
}

fc_code fc_index_write(struct fc_index *index, struct fc_error *err)
{
    struct fc_file *file = NULL;
    struct iovec part = { index->buffer, index->buffered };
    fc_code code;
    if (index->buffered == 0) {
        return FC_OK;
    }
    code = index->fs->ops->open(index->fs, index->path, FC_FS_WRITE | FC_FS_CREATE, &file, err);
    if (code == FC_OK && index->untrimmed) {
        code = index->fs->ops->truncate(file, index->written, err);
        index->untrimmed = code != FC_OK;
    }
    if (code == FC_OK) {
        code = index->fs->ops->write(file, index->written, &part, 1, err);
    }
    index->fs->ops->close(file);
    if (code == FC_OK) {
        index->crc = fc_crc32c(index->crc, index->buffer, index->buffered);
        index->written += index->buffered;
        index->buffered = 0;
    }
    return code;
}

fc_code fc_index_finish(struct fc_index *index, struct fc_error *err)
{
    struct fc_file *file = NULL;
    int flags = index->written > 0 ? FC_FS_WRITE | FC_FS_CREATE : FC_FS_WRITE;
    fc_code code = index->fs->ops->open(index->fs, index->path, flags, &file, err);
    if (code == FC_ERR_NOT_FOUND && index->written == 0) {
        return FC_OK; /* no file is an index without entries */
    }
    if (code == FC_OK) {
        code = index->fs->ops->truncate(file, index->written, err);
    }
    if (code == FC_OK) {
        code = index->fs->ops->sync(file, err);
    }
    index->fs->ops->close(file);
    return code;
}

fc_code fc_index_restore(struct fc_index *index, uint64_t written, uint32_t crc,
                         struct fc_error *err)
{
    struct fc_file *file = NULL;
    uint8_t *chunk = NULL;
    uint64_t at = 0;
    uint32_t actual = 0;
    fc_code code;
    index->written = 0;
    index->crc = 0;
    index->buffered = 0;
    index->untrimmed = true;
    if (written == 0 || written % entry_size(index->kind) != 0) {
        return FC_OK;
    }
    code = index->fs->ops->open(index->fs, index->path, FC_FS_READ, &file, err);
    if (code != FC_OK) {
        return code == FC_ERR_NOT_FOUND ? FC_OK : code;
    }
    chunk = fc_new_array(uint8_t, RESTORE_CHUNK_SIZE);
    while (code == FC_OK && at < written) {
        uint64_t left = written - at;
        size_t got = 0;
        code = index->fs->ops->read(
            file, at, chunk, left < RESTORE_CHUNK_SIZE ? (size_t)left : RESTORE_CHUNK_SIZE,
            &got, err);
        if (code != FC_OK || got == 0) {
            break;
        }
        actual = fc_crc32c(actual, chunk, got);
        at += got;
    }
    if (code == FC_OK && at == written && actual == crc) {
        index->written = written;
        index->crc = crc;
    }
    free(chunk);
    index->fs->ops->close(file);
    return code;
}

static bool is_at_most(const struct fc_index_entry *entry, const struct fc_index_target *target)
{
    return (target->by_value ? (int64_t)entry->value : entry->key) <= target->most;
}

/* Binary search in the first `size` bytes of a file, a read an entry: 18 reads in the largest. */
static fc_code find_in(struct fc_file *file, fc_segment_file kind, uint64_t size,
                       const struct fc_index_target *target, bool *out_found,
                       struct fc_index_entry *out_entry, struct fc_error *err)
{
    uint64_t low = 0; /* entries below it are at most the target */
    uint64_t high = size / entry_size(kind);
    bool found = false;
    struct fc_index_entry best = { 0, 0 };
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        uint8_t bytes[TIME_ENTRY_SIZE];
        size_t got = 0;
        struct fc_index_entry entry;
        fc_code code = file->fs->ops->read(file, middle * entry_size(kind), bytes,
                                           entry_size(kind), &got, err);
        if (code != FC_OK) {
            return code;
        }
        if (got < entry_size(kind)) {
            high = middle; /* shorter than it was told to be */
            continue;
        }
        entry = decode_entry(kind, bytes);
        if (is_at_most(&entry, target)) {
            best = entry;
            found = true;
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *out_found = found;
    *out_entry = best;
    return FC_OK;
}

fc_code fc_index_find_in_file(struct fc_fs *fs, const char *path, fc_segment_file kind,
                              const struct fc_index_target *target, bool *out_found,
                              struct fc_index_entry *out_entry, struct fc_error *err)
{
    struct fc_file *file = NULL;
    uint64_t size = 0;
    fc_code code = fs->ops->open(fs, path, FC_FS_READ, &file, err);
    if (code == FC_ERR_NOT_FOUND) {
        *out_found = false;
        return FC_OK;
    }
    if (code == FC_OK) {
        code = fs->ops->size(file, &size, err);
    }
    if (code == FC_OK) {
        code = find_in(file, kind, size, target, out_found, out_entry, err);
    }
    fs->ops->close(file);
    return code;
}

fc_code fc_index_find(const struct fc_index *index, const struct fc_index_target *target,
                      bool *out_found, struct fc_index_entry *out_entry, struct fc_error *err)
{
    size_t size = entry_size(index->kind);
    struct fc_file *file = NULL;
    fc_code code;
    *out_found = false;
    for (size_t at = index->buffered; at >= size; at -= size) {
        struct fc_index_entry entry = decode_entry(index->kind, index->buffer + at - size);
        if (is_at_most(&entry, target)) {
            *out_entry = entry;
            *out_found = true;
            return FC_OK;
        }
    }
    if (index->written == 0) {
        return FC_OK;
    }
    code = index->fs->ops->open(index->fs, index->path, FC_FS_READ, &file, err);
    if (code == FC_ERR_NOT_FOUND) {
        return FC_OK;
    }
    if (code == FC_OK) {
        code = find_in(file, index->kind, index->written, target, out_found, out_entry, err);
    }
    index->fs->ops->close(file);
    return code;
}

fc_code fc_index_last(const struct fc_index *index, bool *out_found,
                      struct fc_index_entry *out_entry, struct fc_error *err)
{
    const struct fc_index_target last = { false, INT64_MAX };
    return fc_index_find(index, &last, out_found, out_entry, err);
}
