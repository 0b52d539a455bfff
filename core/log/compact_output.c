/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/compact_output.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"

enum { BUFFER_SIZE = 1024 * 1024, ABORTED_BYTES_MAX = 1024 * 1024 * 1024 };

static void begin_index(struct fc_index *index, struct fc_partition *partition, int64_t base,
                        fc_segment_file kind)
{
    fc_index_init(index, partition->env->fs, partition->dir, base, kind);
    free(index->path);
    index->path = fc_segment_swap_path(partition->dir, base, kind);
}

fc_code fc_compact_output_open(struct fc_compact_output *output, struct fc_partition *partition,
                               int64_t base, int64_t end, struct fc_error *err)
{
    struct fc_fs *fs = partition->env->fs;
    char *path = fc_segment_swap_path(partition->dir, base, FC_SEGMENT_LOG);
    fc_code code;
    memset(output, 0, sizeof(*output));
    output->partition = partition;
    output->made.base = base;
    output->made.end = end;
    output->made.max_timestamp_ms = INT64_MIN;
    output->made.state = FC_SEGMENT_SPARSE;
    output->times_last_ms = INT64_MIN;
    fc_buf_init(&output->buffer, (size_t)FC_BATCH_BYTES_MAX + BUFFER_SIZE);
    fc_buf_init(&output->aborted, ABORTED_BYTES_MAX);
    begin_index(&output->offsets, partition, base, FC_SEGMENT_OFFSETS);
    begin_index(&output->times, partition, base, FC_SEGMENT_TIMES);
    code = fs->ops->open(fs, path, FC_FS_WRITE | FC_FS_CREATE, &output->file, err);
    if (code == FC_OK) {
        code = fs->ops->truncate(output->file, 0, err);
    }
    free(path);
    return code;
}

void fc_compact_output_release(struct fc_compact_output *output)
{
    output->partition->env->fs->ops->close(output->file);
    fc_buf_release(&output->buffer);
    fc_buf_release(&output->aborted);
    fc_index_release(&output->offsets);
    fc_index_release(&output->times);
    memset(output, 0, sizeof(*output));
}

static fc_code flush(struct fc_compact_output *output, struct fc_error *err)
{
    struct iovec part = { output->buffer.data, output->buffer.len };
    fc_code code = FC_OK;
    if (part.iov_len > 0) {
        code = output->file->fs->ops->write(output->file, output->written, &part, 1, err);
    }
    if (code == FC_OK) {
        output->written += part.iov_len;
        fc_buf_clear(&output->buffer);
        if (output->buffer.capacity > (size_t)4 * BUFFER_SIZE) {
            fc_buf_release(&output->buffer);
        }
    }
    return code;
}

/* As appending does; an empty batch has no time. */
static void account(struct fc_compact_output *output, const struct fc_batch_header *header)
{
    struct fc_segment *made = &output->made;
    int64_t last = fc_batch_last_offset(header);
    if (header->count > 0 && header->max_timestamp_ms > made->max_timestamp_ms) {
        made->max_timestamp_ms = header->max_timestamp_ms;
        output->max_offset = last;
    }
    if (output->since_index > FC_INDEX_INTERVAL_BYTES) {
        fc_index_add(&output->offsets, last - made->base, (uint32_t)made->size);
        if (made->max_timestamp_ms > output->times_last_ms) {
            output->times_last_ms = made->max_timestamp_ms;
            fc_index_add(&output->times, made->max_timestamp_ms,
                         (uint32_t)(output->max_offset - made->base));
        }
        output->since_index = 0;
    }
    output->since_index += fc_batch_size(header);
    made->size += fc_batch_size(header);
}

fc_code fc_compact_output_add(struct fc_compact_output *output, struct fc_slice bytes,
                              struct fc_error *err)
{
    struct fc_batch_header header;
    fc_batch_header_decode(bytes.data, &header);
    if (output->made.size + bytes.len > FC_SEGMENT_BYTES_MAX) {
        return fc_fail(err, FC_ERR_LIMIT, "a compacted segment would become too large");
    }
    account(output, &header);
    fc_buf_append_slice(&output->buffer, bytes);
    if (output->buffer.failed) {
        return fc_buf_check(&output->buffer, "a compacted segment", err);
    }
    return output->buffer.len >= BUFFER_SIZE ? flush(output, err) : FC_OK;
}

void fc_compact_output_abort(struct fc_compact_output *output, const struct fc_aborted *aborted)
{
    fc_aborted_encode(aborted, 1, &output->aborted);
}

/* Durable, and there even without entries: it replaces one that has some. */
static fc_code finish_index(struct fc_index *index, struct fc_error *err)
{
    struct fc_file *file = NULL;
    fc_code code = fc_index_write(index, err);
    if (code == FC_OK) {
        code = index->fs->ops->open(index->fs, index->path, FC_FS_WRITE | FC_FS_CREATE, &file,
                                    err);
    }
    index->fs->ops->close(file);
    return code == FC_OK ? fc_index_finish(index, err) : code;
}

fc_code fc_compact_output_finish(struct fc_compact_output *output, bool with_aborted,
                                 struct fc_error *err)
{
    struct fc_fs *fs = output->partition->env->fs;
    struct fc_segment *made = &output->made;
    char *path;
    fc_code code = flush(output, err);
    if (made->max_timestamp_ms > output->times_last_ms) {
        fc_index_add(&output->times, made->max_timestamp_ms,
                     (uint32_t)(output->max_offset - made->base));
    }
    if (code == FC_OK) {
        code = output->file->fs->ops->sync(output->file, err);
    }
    if (code == FC_OK) {
        code = finish_index(&output->offsets, err);
    }
    if (code == FC_OK) {
        code = finish_index(&output->times, err);
    }
    if (code == FC_OK) {
        code = fc_buf_check(&output->aborted, "the list of aborted transactions", err);
    }
    if (code == FC_OK && (with_aborted || output->aborted.len > 0)) {
        path = fc_segment_swap_path(output->partition->dir, made->base, FC_SEGMENT_ABORTED);
        code = fc_fs_replace(fs, path, output->aborted.data, output->aborted.len, err);
        free(path);
    }
    return code;
}
