/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/segment.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/crc32c.h"

enum { WALK_BUFFER_SIZE = 1024 * 1024, NAME_DIGITS = 20 };

static const char swap_suffix[] = ".swap";
static const char *const suffixes[] = { ".log", ".index", ".timeindex", ".txnindex",
                                        ".snapshot" };

char *fc_segment_path(const char *dir, int64_t base, fc_segment_file kind)
{
    return fc_asprintf("%s/%0*" PRId64 "%s", dir, NAME_DIGITS, base, suffixes[kind]);
}

char *fc_segment_swap_path(const char *dir, int64_t base, fc_segment_file kind)
{
    return fc_asprintf("%s/%0*" PRId64 "%s%s", dir, NAME_DIGITS, base, suffixes[kind],
                       swap_suffix);
}

int64_t fc_segment_newest_ms(struct fc_fs *fs, const char *dir,
                             const struct fc_segment *segment)
{
    int64_t newest_ms = segment->max_timestamp_ms;
    if (newest_ms < 0) {
        char *path = fc_segment_path(dir, segment->base, FC_SEGMENT_LOG);
        if (fs->ops->modified(fs, path, &newest_ms, NULL) != FC_OK) {
            newest_ms = INT64_MAX;
        }
        free(path);
    }
    return newest_ms;
}

bool fc_segment_parse_name(const char *name, int64_t *out_base, fc_segment_file *out_kind,
                           bool *out_swap)
{
    int64_t base = 0;
    for (size_t index = 0; index < NAME_DIGITS; index++) {
        int digit = name[index] - '0';
        if (digit < 0 || digit > 9 || base > (INT64_MAX - digit) / 10) {
            return false;
        }
        base = base * 10 + digit;
    }
    for (size_t kind = 0; kind < sizeof(suffixes) / sizeof(suffixes[0]); kind++) {
        size_t length = strlen(suffixes[kind]);
        const char *rest = name + NAME_DIGITS + length;
        if (strncmp(name + NAME_DIGITS, suffixes[kind], length) == 0 &&
            (*rest == '\0' || strcmp(rest, swap_suffix) == 0)) {
            *out_base = base;
            *out_kind = (fc_segment_file)kind;
            *out_swap = *rest != '\0';
            return true;
        }
    }
    return false;
}

void fc_segment_walk_init(struct fc_segment_walk *walk, struct fc_file *file, uint64_t at,
                          uint64_t limit, int64_t next_offset)
{
    memset(walk, 0, sizeof(*walk));
    walk->file = file;
    walk->at = at;
    walk->limit = limit;
    walk->next_offset = next_offset;
    walk->buf = fc_new_array(uint8_t, WALK_BUFFER_SIZE);
}

void fc_segment_walk_release(struct fc_segment_walk *walk)
{
    free(walk->buf);
    walk->buf = NULL;
}

/* Bytes from `at` on, at least one and at most `want`; *out_len 0 when the file ends there. */
static fc_code look_at(struct fc_segment_walk *walk, uint64_t at, uint64_t want,
                       const uint8_t **out_bytes, size_t *out_len, struct fc_error *err)
{
    uint64_t have;
    if (want > WALK_BUFFER_SIZE) {
        want = WALK_BUFFER_SIZE;
    }
    if (at < walk->buf_at || at + want > walk->buf_at + walk->buf_len) {
        uint64_t left = walk->limit > at ? walk->limit - at : 0;
        size_t size = left < WALK_BUFFER_SIZE ? (size_t)left : WALK_BUFFER_SIZE;
        fc_code code =
            walk->file->fs->ops->read(walk->file, at, walk->buf, size, &walk->buf_len, err);
        if (code != FC_OK) {
            walk->buf_len = 0;
            return code;
        }
        walk->buf_at = at;
    }
    have = walk->buf_at + walk->buf_len - at;
    *out_bytes = walk->buf + (at - walk->buf_at);
    *out_len = have < want ? (size_t)have : (size_t)want;
    return FC_OK;
}

static fc_code check_crc(struct fc_segment_walk *walk, const struct fc_batch_header *header,
                         struct fc_error *err)
{
    uint64_t at = walk->at + FC_BATCH_CRC_BEGIN;
    uint64_t end = walk->at + fc_batch_size(header);
    uint32_t crc = 0;
    while (at < end) {
        const uint8_t *bytes = NULL;
        size_t len = 0;
        fc_code code = look_at(walk, at, end - at, &bytes, &len, err);
        if (code != FC_OK) {
            return code;
        }
        if (len == 0) {
            walk->why = "batch is cut short";
            return FC_OK;
        }
        crc = fc_crc32c(crc, bytes, len);
        at += len;
    }
    if (crc != header->crc) {
        walk->why = "bad checksum";
    }
    return FC_OK;
}

fc_code fc_segment_walk_next(struct fc_segment_walk *walk, fc_walk_step *out_step,
                             struct fc_batch_header *out_header, struct fc_error *err)
{
    const uint8_t *bytes = NULL;
    size_t len = 0;
    fc_code code;
    walk->why = NULL;
    if (walk->at >= walk->limit) {
        *out_step = FC_WALK_END;
        return FC_OK;
    }
    code = look_at(walk, walk->at, FC_BATCH_HEADER_SIZE, &bytes, &len, err);
    if (code != FC_OK) {
        return code;
    }
    if (len < FC_BATCH_HEADER_SIZE) {
        walk->why = "batch is cut short";
    } else {
        fc_batch_header_decode(bytes, out_header);
        walk->why = fc_batch_header_check(out_header);
        if (walk->why == NULL &&
            (walk->sparse ? out_header->base_offset < walk->next_offset
                          : out_header->base_offset != walk->next_offset)) {
            walk->why = "batch begins with another offset than expected";
        }
        if (walk->why == NULL && fc_batch_size(out_header) > walk->limit - walk->at) {
            walk->why = "batch is cut short";
        }
    }
    if (walk->why == NULL) {
        code = check_crc(walk, out_header, err);
        if (code != FC_OK) {
            return code;
        }
    }
    if (walk->why != NULL) {
        *out_step = FC_WALK_BAD;
        return FC_OK;
    }
    walk->at += fc_batch_size(out_header);
    walk->next_offset = fc_batch_last_offset(out_header) + 1;
    *out_step = FC_WALK_BATCH;
    return FC_OK;
}
