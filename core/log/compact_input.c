/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/compact_input.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/log/compact_swap.h"

enum { WINDOW_SIZE = 1024 * 1024, WINDOW_KEPT_MAX = 8 * 1024 * 1024 };

void fc_compact_input_init(struct fc_compact_input *input, struct fc_partition *partition)
{
    memset(input, 0, sizeof(*input));
    input->partition = partition;
    fc_batch_decoder_init(&input->decoder, FC_COMPACT_PLAIN_MAX);
}

void fc_compact_input_release(struct fc_compact_input *input)
{
    input->partition->env->fs->ops->close(input->file);
    fc_batch_decoder_release(&input->decoder);
    free(input->window);
    memset(input, 0, sizeof(*input));
}

fc_code fc_compact_input_open(struct fc_compact_input *input, const struct fc_segment *segment,
                              struct fc_error *err)
{
    input->partition->env->fs->ops->close(input->file);
    input->file = NULL;
    input->segment = *segment;
    input->at = 0;
    input->window_len = 0;
    return fc_compact_open_log(input->partition, segment, &input->file, err);
}

static fc_code fail_batch(const struct fc_compact_input *input, const char *why,
                          struct fc_error *err)
{
    char *path = fc_segment_path(input->partition->dir, input->segment.base, FC_SEGMENT_LOG);
    fc_code code =
        fc_fail(err, FC_ERR_CORRUPT, "%s: %s at byte %" PRIu64, path, why, input->at);
    free(path);
    return code;
}

/* Have the bytes [at, at + want) in the window. */
static fc_code need(struct fc_compact_input *input, uint64_t want, struct fc_error *err)
{
    uint64_t left = input->segment.size - input->at;
    size_t size = want > WINDOW_SIZE ? (size_t)want : WINDOW_SIZE;
    fc_code code;
    if (want > left) {
        return fail_batch(input, "batch is cut short", err);
    }
    if (input->window_len > 0 && input->at >= input->window_at &&
        input->at + want <= input->window_at + input->window_len) {
        return FC_OK;
    }
    if (size > input->capacity ||
        (input->capacity > WINDOW_KEPT_MAX && size <= WINDOW_KEPT_MAX)) {
        input->window = fc_realloc_array(input->window, size, 1);
        input->capacity = size;
    }
    input->window_at = input->at;
    code =
        input->file->fs->ops->read(input->file, input->at, input->window,
                                   left < size ? (size_t)left : size, &input->window_len, err);
    return code == FC_OK && input->window_len < want
               ? fail_batch(input, "file is cut short", err)
               : code;
}

/* That the checksum is good, and what the records say. */
static fc_code look_inside(struct fc_compact_input *input, struct fc_compact_batch *batch,
                           struct fc_error *err)
{
    const uint8_t *bytes = batch->bytes.data;
    fc_code code;
    if (fc_batch_crc(bytes, fc_slice_of(bytes + FC_BATCH_HEADER_SIZE,
                                        batch->bytes.len - FC_BATCH_HEADER_SIZE)) !=
        batch->header.crc) {
        return fail_batch(input, "bad checksum", err);
    }
    code = fc_batch_decode(&input->decoder, batch->bytes, &batch->records, &batch->count, NULL);
    batch->opaque = code != FC_OK;
    return FC_OK;
}

fc_code fc_compact_input_next(struct fc_compact_input *input,
                              struct fc_compact_batch *out_batch, bool *out_end,
                              struct fc_error *err)
{
    struct fc_compact_batch batch = { .count = 0 };
    const char *why;
    fc_code code;
    *out_end = input->at >= input->segment.size;
    if (*out_end) {
        return FC_OK;
    }
    code = need(input, FC_BATCH_HEADER_SIZE, err);
    if (code != FC_OK) {
        return code;
    }
    fc_batch_header_decode(input->window + (input->at - input->window_at), &batch.header);
    why = fc_batch_header_check(&batch.header);
    if (why != NULL) {
        return fail_batch(input, why, err);
    }
    code = need(input, fc_batch_size(&batch.header), err);
    if (code != FC_OK) {
        return code;
    }
    batch.bytes = fc_slice_of(input->window + (input->at - input->window_at),
                              (size_t)fc_batch_size(&batch.header));
    code = look_inside(input, &batch, err);
    if (code == FC_OK) {
        input->at += batch.bytes.len;
        *out_batch = batch;
    }
    return code;
}
