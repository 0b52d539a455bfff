/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/aborted.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/log/bytes.h"
#include "core/log/segment.h"

enum { FILE_SIZE_MAX = 1024 * 1024 * 1024 };

void fc_aborted_encode(const struct fc_aborted *aborted, size_t count, struct fc_buf *to)
{
    for (size_t index = 0; index < count; index++) {
        fc_buf_append_be16(to, 0);
        fc_buf_append_be64(to, (uint64_t)aborted[index].producer_id);
        fc_buf_append_be64(to, (uint64_t)aborted[index].first_offset);
        fc_buf_append_be64(to, (uint64_t)aborted[index].last_offset);
        fc_buf_append_be64(to, (uint64_t)aborted[index].stable_offset);
    }
}

bool fc_aborted_decode(const uint8_t from[FC_ABORTED_SIZE], struct fc_aborted *out_aborted)
{
    struct fc_aborted aborted = {
        .producer_id = (int64_t)fc_bytes_get64(from + 2),
        .first_offset = (int64_t)fc_bytes_get64(from + 10),
        .last_offset = (int64_t)fc_bytes_get64(from + 18),
        .stable_offset = (int64_t)fc_bytes_get64(from + 26),
    };
    *out_aborted = aborted;
    return fc_bytes_get16(from) == 0 && aborted.producer_id >= 0 && aborted.first_offset >= 0 &&
           aborted.first_offset <= aborted.last_offset;
}

fc_code fc_aborted_write(struct fc_fs *fs, const char *dir, int64_t base,
                         const struct fc_aborted *aborted, size_t count, struct fc_error *err)
{
    char *path = fc_segment_path(dir, base, FC_SEGMENT_ABORTED);
    struct fc_buf bytes;
    fc_code code;
    fc_buf_init(&bytes, FILE_SIZE_MAX);
    fc_aborted_encode(aborted, count, &bytes);
    code = fc_buf_check(&bytes, "the list of aborted transactions", err);
    if (code == FC_OK) {
        code = fc_fs_replace(fs, path, bytes.data, bytes.len, err);
    }
    fc_buf_release(&bytes);
    free(path);
    return code;
}

static fc_code take(struct fc_slice bytes, const char *path, int64_t from, int64_t to,
                    struct fc_aborted **aborted, size_t *count, struct fc_error *err)
{
    size_t entries = bytes.len / FC_ABORTED_SIZE;
    *aborted = fc_realloc_array(*aborted, *count + entries + 1, sizeof(**aborted));
    for (size_t index = 0; index < entries; index++) {
        struct fc_aborted entry;
        if (!fc_aborted_decode(bytes.data + index * FC_ABORTED_SIZE, &entry)) {
            return fc_fail(err, FC_ERR_CORRUPT, "%s: damaged at byte %zu", path,
                           index * FC_ABORTED_SIZE);
        }
        if (entry.last_offset >= from && entry.first_offset < to) {
            (*aborted)[(*count)++] = entry;
        }
    }
    return bytes.len % FC_ABORTED_SIZE == 0
               ? FC_OK
               : fc_fail(err, FC_ERR_CORRUPT, "%s: cut short at byte %zu", path, bytes.len);
}

fc_code fc_aborted_read(struct fc_fs *fs, const char *dir, int64_t base, int64_t from,
                        int64_t to, struct fc_aborted **aborted, size_t *count,
                        struct fc_error *err)
{
    char *path = fc_segment_path(dir, base, FC_SEGMENT_ABORTED);
    struct fc_buf bytes;
    fc_code code;
    fc_buf_init(&bytes, FILE_SIZE_MAX);
    code = fc_fs_read_whole(fs, path, &bytes, err);
    if (code == FC_OK && bytes.len > 0) {
        code = take(fc_buf_slice(&bytes), path, from, to, aborted, count, err);
    }
    fc_buf_release(&bytes);
    free(path);
    return code == FC_ERR_NOT_FOUND ? FC_OK : code;
}
