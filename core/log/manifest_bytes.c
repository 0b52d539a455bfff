/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/manifest_bytes.h"

#include "core/base/alloc.h"
#include "core/base/crc32c.h"
#include "core/log/bytes.h"

enum { ENTRY_KIND_FIRST = 1, ENTRY_KIND_LAST = 6 };

static const char magic[FC_MANIFEST_MAGIC_SIZE + 1] = "fluvio-parts";

/* A number for each state, and one more when it is clean. */
static uint32_t kind_of(const struct fc_segment *segment)
{
    return ENTRY_KIND_FIRST + 2 * (uint32_t)segment->state + (segment->clean ? 1 : 0);
}

void fc_manifest_encode_header(uint32_t version, uint8_t *to)
{
    memcpy(to, magic, FC_MANIFEST_MAGIC_SIZE);
    fc_bytes_put32(to + FC_MANIFEST_MAGIC_SIZE, version);
    fc_bytes_put32(to + FC_MANIFEST_MAGIC_SIZE + 4,
                   fc_crc32c(0, to, FC_MANIFEST_MAGIC_SIZE + 4));
}

void fc_manifest_encode_slot(const struct fc_checkpoint *checkpoint, uint64_t sequence,
                             uint64_t entries_bytes, uint8_t *to)
{
    memset(to, 0, FC_MANIFEST_SLOT_SIZE);
    fc_bytes_put64(to + 8, sequence);
    fc_bytes_put64(to + 16, (uint64_t)checkpoint->start);
    fc_bytes_put64(to + 24, (uint64_t)checkpoint->durable);
    fc_bytes_put64(to + 32, (uint64_t)checkpoint->segment_base);
    fc_bytes_put64(to + 40, checkpoint->segment_size);
    fc_bytes_put64(to + 48, (uint64_t)checkpoint->max_timestamp_ms);
    fc_bytes_put64(to + 56, (uint64_t)checkpoint->first_append_ms);
    fc_bytes_put64(to + 64, entries_bytes);
    fc_bytes_put64(to + 72, checkpoint->offsets_written);
    fc_bytes_put32(to + 80, checkpoint->offsets_crc);
    fc_bytes_put64(to + 84, checkpoint->times_written);
    fc_bytes_put32(to + 92, checkpoint->times_crc);
    fc_bytes_put64(to + 96, (uint64_t)checkpoint->producers_at);
    fc_bytes_put32(to + 104, checkpoint->producers_saved ? 1 : 0);
    fc_bytes_put32(to, fc_crc32c(0, to + 4, FC_MANIFEST_SLOT_SIZE - 4));
}

bool fc_manifest_decode_slot(const uint8_t *from, struct fc_checkpoint *out,
                             uint64_t *out_sequence, uint64_t *out_entries_bytes)
{
    if (fc_bytes_get32(from) != fc_crc32c(0, from + 4, FC_MANIFEST_SLOT_SIZE - 4)) {
        return false;
    }
    *out_sequence = fc_bytes_get64(from + 8);
    out->start = (int64_t)fc_bytes_get64(from + 16);
    out->durable = (int64_t)fc_bytes_get64(from + 24);
    out->segment_base = (int64_t)fc_bytes_get64(from + 32);
    out->segment_size = fc_bytes_get64(from + 40);
    out->max_timestamp_ms = (int64_t)fc_bytes_get64(from + 48);
    out->first_append_ms = (int64_t)fc_bytes_get64(from + 56);
    *out_entries_bytes = fc_bytes_get64(from + 64);
    out->offsets_written = fc_bytes_get64(from + 72);
    out->offsets_crc = fc_bytes_get32(from + 80);
    out->times_written = fc_bytes_get64(from + 84);
    out->times_crc = fc_bytes_get32(from + 92);
    out->producers_at = (int64_t)fc_bytes_get64(from + 96);
    out->producers_saved = fc_bytes_get32(from + 104) != 0;
    return *out_sequence > 0;
}

void fc_manifest_encode_entry(const struct fc_segment *segment, uint8_t *to)
{
    fc_bytes_put32(to + 4, kind_of(segment));
    fc_bytes_put64(to + 8, (uint64_t)segment->base);
    fc_bytes_put64(to + 16, (uint64_t)segment->end);
    fc_bytes_put64(to + 24, segment->size);
    fc_bytes_put64(to + 32, (uint64_t)segment->max_timestamp_ms);
    fc_bytes_put32(to, fc_crc32c(0, to + 4, FC_MANIFEST_ENTRY_SIZE - 4));
}

bool fc_manifest_decode_entry(const uint8_t *from, struct fc_segment *out)
{
    uint32_t kind = fc_bytes_get32(from + 4);
    if (fc_bytes_get32(from) != fc_crc32c(0, from + 4, FC_MANIFEST_ENTRY_SIZE - 4) ||
        kind < ENTRY_KIND_FIRST || kind > ENTRY_KIND_LAST) {
        return false;
    }
    out->state = (fc_segment_state)((kind - ENTRY_KIND_FIRST) / 2);
    out->clean = (kind - ENTRY_KIND_FIRST) % 2 == 1;
    out->base = (int64_t)fc_bytes_get64(from + 8);
    out->end = (int64_t)fc_bytes_get64(from + 16);
    out->size = fc_bytes_get64(from + 24);
    out->max_timestamp_ms = (int64_t)fc_bytes_get64(from + 32);
    return true;
}

void fc_manifest_encode_all(const struct fc_segment *segments, size_t count,
                            const struct fc_checkpoint *checkpoint, uint64_t sequence,
                            struct fc_buf *to)
{
    uint8_t *bytes;
    uint32_t version = FC_MANIFEST_VERSION_DENSE;
    size_t size = FC_MANIFEST_ENTRIES_BEGIN + count * FC_MANIFEST_ENTRY_SIZE;
    fc_buf_init(to, size);
    bytes = fc_buf_reserve(to, size);
    fc_assert(bytes != NULL);
    memset(bytes, 0, size);
    for (size_t index = 0; index < count; index++) {
        version = kind_of(&segments[index]) == ENTRY_KIND_FIRST ? version : FC_MANIFEST_VERSION;
    }
    fc_manifest_encode_header(version, bytes);
    fc_manifest_encode_slot(checkpoint, sequence, count * FC_MANIFEST_ENTRY_SIZE,
                            bytes + FC_MANIFEST_SLOT_SPACING);
    for (size_t index = 0; index < count; index++) {
        fc_manifest_encode_entry(&segments[index], bytes + FC_MANIFEST_ENTRIES_BEGIN +
                                                       index * FC_MANIFEST_ENTRY_SIZE);
    }
    to->len = size;
}
