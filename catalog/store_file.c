/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/store_file.h"

#include <inttypes.h>

#include "core/base/crc32c.h"
#include "core/base/reader.h"
#include "core/base/uuid.h"

enum { MAGIC_SIZE = 12, RECORD_HEAD_SIZE = 28, KIND_PUT = 1, KIND_REMOVED = 2 };

static const char MAGIC[MAGIC_SIZE + 1] = "fluvio-store";

static void set_be32(uint8_t *to, uint32_t value)
{
    for (unsigned byte = 0; byte < 4; byte++) {
        to[byte] = (uint8_t)(value >> (24 - 8 * byte));
    }
}

void fc_store_record_encode(struct fc_buf *out, uint32_t salt, uint64_t at, int64_t revision,
                            const struct fc_store_entry *entries, size_t count)
{
    size_t begin = out->len;
    fc_buf_append_be32(out, 0);
    fc_buf_append_be32(out, 0);
    fc_buf_append_be64(out, at);
    fc_buf_append_be64(out, (uint64_t)revision);
    fc_buf_append_be32(out, (uint32_t)count);
    for (size_t index = 0; index < count; index++) {
        const struct fc_store_entry *entry = &entries[index];
        fc_buf_append_u8(out, entry->value.data == NULL ? KIND_REMOVED : KIND_PUT);
        fc_buf_append_be32(out, (uint32_t)entry->key.len);
        fc_buf_append_slice(out, entry->key);
        if (entry->value.data != NULL) {
            fc_buf_append_be32(out, (uint32_t)entry->value.len);
            fc_buf_append_slice(out, entry->value);
        }
    }
    if (!out->failed) {
        uint8_t *record = out->data + begin;
        size_t size = out->len - begin;
        set_be32(record + 4, (uint32_t)size);
        set_be32(record, fc_crc32c(salt, record + 4, size - 4));
    }
}

void fc_store_file_encode(struct fc_buf *out, const struct fc_store_table *table,
                          int64_t revision, struct fc_store_file *out_file)
{
    struct fc_uuid random = fc_uuid_random();
    uint32_t salt = 0;
    memcpy(&salt, random.bytes, sizeof(salt));
    fc_buf_append(out, MAGIC, MAGIC_SIZE);
    fc_buf_append_be32(out, FC_STORE_FILE_VERSION);
    fc_buf_append_be64(out, (uint64_t)revision);
    fc_buf_append_be32(out, salt);
    if (!out->failed) {
        fc_buf_append_be32(out, fc_crc32c(0, out->data, FC_STORE_HEADER_SIZE - 4));
    }
    for (size_t index = 0; index < table->count; index++) {
        struct fc_store_entry entry = fc_store_table_at(table, index);
        fc_store_record_encode(out, salt, out->len, entry.revision, &entry, 1);
    }
    out_file->salt = salt;
    out_file->revision = revision;
    out_file->size = out->len;
}

static fc_code decode_header(struct fc_slice bytes, const char *path,
                             struct fc_store_file *out_file, struct fc_error *err)
{
    struct fc_reader reader;
    uint32_t version;
    if (bytes.len < FC_STORE_HEADER_SIZE || memcmp(bytes.data, MAGIC, MAGIC_SIZE) != 0) {
        return fc_fail(err, FC_ERR_CORRUPT, "%s: not a store, or damaged at byte 0", path);
    }
    fc_reader_init(&reader, bytes);
    fc_reader_skip(&reader, MAGIC_SIZE);
    version = (uint32_t)fc_reader_be(&reader, 4);
    out_file->revision = (int64_t)fc_reader_be(&reader, 8);
    out_file->salt = (uint32_t)fc_reader_be(&reader, 4);
    if ((uint32_t)fc_reader_be(&reader, 4) !=
            fc_crc32c(0, bytes.data, FC_STORE_HEADER_SIZE - 4) ||
        out_file->revision < 0) {
        return fc_fail(err, FC_ERR_CORRUPT, "%s: damaged at byte 0", path);
    }
    if (version != FC_STORE_FILE_VERSION) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "%s: written in format version %" PRIu32 "; this program reads version "
                       "%d: use the program that wrote it",
                       path, version, FC_STORE_FILE_VERSION);
    }
    return FC_OK;
}

/* The size of the whole record at `at`; 0 when there is none. */
static size_t whole_record(struct fc_slice bytes, size_t at, uint32_t salt)
{
    struct fc_reader reader;
    uint32_t crc;
    size_t size;
    if (bytes.len - at < RECORD_HEAD_SIZE) {
        return 0;
    }
    fc_reader_init(&reader, fc_slice_of(bytes.data + at, bytes.len - at));
    crc = (uint32_t)fc_reader_be(&reader, 4);
    size = (size_t)fc_reader_be(&reader, 4);
    return size >= RECORD_HEAD_SIZE && size <= bytes.len - at &&
                   fc_reader_be(&reader, 8) == at &&
                   crc == fc_crc32c(salt, bytes.data + at + 4, size - 4)
               ? size
               : 0;
}

/* False when the record does not hold what its sizes say. */
static bool take_record(struct fc_slice record, struct fc_store_table *table,
                        int64_t *out_revision)
{
    struct fc_reader reader;
    uint32_t count;
    fc_reader_init(&reader, record);
    fc_reader_skip(&reader, 16);
    *out_revision = (int64_t)fc_reader_be(&reader, 8);
    count = (uint32_t)fc_reader_be(&reader, 4);
    for (uint32_t index = 0; index < count && !reader.failed; index++) {
        struct fc_store_entry entry = { .revision = *out_revision };
        uint8_t kind = fc_reader_u8(&reader);
        entry.key = fc_reader_slice(&reader, (size_t)fc_reader_be(&reader, 4));
        if (kind == KIND_PUT) {
            entry.value = fc_reader_slice(&reader, (size_t)fc_reader_be(&reader, 4));
        }
        if (kind != KIND_PUT && kind != KIND_REMOVED) {
            return false;
        }
        if (!reader.failed) {
            fc_store_table_put(table, &entry);
        }
    }
    return !reader.failed && fc_reader_left(&reader) == 0 && *out_revision >= 0;
}

static bool is_followed(struct fc_slice bytes, size_t at, uint32_t salt)
{
    for (size_t later = at + 1; later < bytes.len; later++) {
        if (whole_record(bytes, later, salt) > 0) {
            return true;
        }
    }
    return false;
}

fc_code fc_store_file_decode(struct fc_slice bytes, const char *path,
                             struct fc_store_table *table, struct fc_store_file *out_file,
                             struct fc_error *err)
{
    fc_code code = decode_header(bytes, path, out_file, err);
    size_t at = FC_STORE_HEADER_SIZE;
    while (code == FC_OK && at < bytes.len) {
        size_t size = whole_record(bytes, at, out_file->salt);
        int64_t revision = 0;
        if (size == 0) {
            if (is_followed(bytes, at, out_file->salt)) {
                code = fc_fail(err, FC_ERR_CORRUPT, "%s: damaged at byte %zu", path, at);
            }
            break;
        }
        if (!take_record(fc_slice_of(bytes.data + at, size), table, &revision)) {
            code = fc_fail(err, FC_ERR_CORRUPT, "%s: no record of ours at byte %zu", path, at);
        }
        out_file->revision = revision > out_file->revision ? revision : out_file->revision;
        at += size;
    }
    out_file->size = at;
    return code;
}
