/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/fetch_walk.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/log/lookup.h"

enum { WINDOW_SIZE = 8 * 1024 };

void fc_header_walk_init(struct fc_header_walk *walk, struct fc_file *file, uint64_t at)
{
    memset(walk, 0, sizeof(*walk));
    walk->file = file;
    walk->at = at;
    walk->window = fc_new_array(uint8_t, WINDOW_SIZE);
}

void fc_header_walk_release(struct fc_header_walk *walk)
{
    free(walk->window);
    walk->window = NULL;
}

fc_code fc_header_walk_next(struct fc_header_walk *walk, struct fc_batch_header *out_header,
                            struct fc_error *err)
{
    const char *why = "file is cut short";
    if (walk->at < walk->window_at ||
        walk->at + FC_BATCH_HEADER_SIZE > walk->window_at + walk->window_len) {
        fc_code code = walk->file->fs->ops->read(walk->file, walk->at, walk->window,
                                                 WINDOW_SIZE, &walk->window_len, err);
        if (code != FC_OK) {
            return code;
        }
        walk->window_at = walk->at;
    }
    if (walk->window_len >= FC_BATCH_HEADER_SIZE) {
        fc_batch_header_decode(walk->window + (walk->at - walk->window_at), out_header);
        why = fc_batch_header_check(out_header);
    }
    if (why != NULL) {
        return fc_fail(err, FC_ERR_CORRUPT, "%s at byte %" PRIu64, why, walk->at);
    }
    walk->at += fc_batch_size(out_header);
    return FC_OK;
}

static fc_code name_segment(const struct fc_partition *partition, int64_t base, fc_code code,
                            struct fc_error *err)
{
    char *path;
    if (code == FC_ERR_CORRUPT) {
        path = fc_segment_path(partition->dir, base, FC_SEGMENT_LOG);
        (void)fc_wrap(err, "%s", path);
        free(path);
    }
    return code;
}

fc_code fc_fetch_walk_find(struct fc_partition *partition, struct fc_file *file, int64_t offset,
                           struct fc_place *out_place, struct fc_error *err)
{
    struct fc_fs *fs = partition->env->fs;
    struct fc_lookup_place from = { 0 };
    struct fc_batch_header header = { .base_offset = -1 };
    struct fc_header_walk walk;
    struct fc_file *opened = NULL;
    struct fc_place place = { 0 };
    fc_code code = fc_lookup_offset(partition, offset, &from, err);
    if (code == FC_OK && file == NULL) {
        char *path = fc_segment_path(partition->dir, from.segment_base, FC_SEGMENT_LOG);
        code = fs->ops->open(fs, path, FC_FS_READ, &opened, err);
        free(path);
        file = opened;
    }
    if (code != FC_OK) {
        return code;
    }
    fc_header_walk_init(&walk, file, from.at);
    do {
        place.at = walk.at;
        if (from.sparse && walk.at >= from.segment_size) {
            header.base_offset = from.segment_end;
            break;
        }
        code = fc_header_walk_next(&walk, &header, err);
    } while (code == FC_OK && fc_batch_last_offset(&header) < offset);
    place.offset = header.base_offset;
    place.segment_base = from.segment_base;
    fc_header_walk_release(&walk);
    fs->ops->close(opened);
    if (code == FC_OK) {
        *out_place = place;
    }
    return name_segment(partition, from.segment_base, code, err);
}

fc_code fc_fetch_walk_cut(struct fc_partition *partition, struct fc_file *file,
                          const struct fc_place *begin, uint64_t bytes_max, bool at_least_one,
                          struct fc_place *out_end, struct fc_error *err)
{
    struct fc_place end = *begin;
    struct fc_batch_header header = { 0 };
    struct fc_header_walk walk;
    fc_code code = FC_OK;
    bool fits = true;
    fc_lookup_skip(partition, begin->segment_base, begin->at, begin->at + bytes_max, &end.at,
                   &end.offset);
    fc_header_walk_init(&walk, file, end.at);
    while (code == FC_OK && fits && walk.at < out_end->at) {
        code = fc_header_walk_next(&walk, &header, err);
        fits = code == FC_OK &&
               (walk.at - begin->at <= bytes_max || (at_least_one && end.at == begin->at));
        if (fits) {
            end.at = walk.at;
            end.offset = fc_batch_last_offset(&header) + 1;
        }
    }
    fc_header_walk_release(&walk);
    if (code == FC_OK) {
        *out_end = end;
    }
    return name_segment(partition, begin->segment_base, code, err);
}
