/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a manifest; manifest.h says which they are. */
#ifndef FC_LOG_MANIFEST_BYTES_H
#define FC_LOG_MANIFEST_BYTES_H

#include "core/log/manifest.h"

enum {
    FC_MANIFEST_MAGIC_SIZE = 12,
    FC_MANIFEST_HEADER_SIZE = 20,
    FC_MANIFEST_SLOT_SPACING = 4096, /* so that no device writes both slots as one */
    FC_MANIFEST_ENTRIES_BEGIN = 3 * FC_MANIFEST_SLOT_SPACING,
    FC_MANIFEST_ENTRY_SIZE = 40,
    FC_MANIFEST_VERSION_DENSE = 1 /* of a manifest whose entries are all of kind 1 */
};

void fc_manifest_encode_header(uint32_t version, uint8_t *to);
void fc_manifest_encode_slot(const struct fc_checkpoint *checkpoint, uint64_t sequence,
                             uint64_t entries_bytes, uint8_t *to);

/* False when the slot does not hold a checkpoint. */
bool fc_manifest_decode_slot(const uint8_t *from, struct fc_checkpoint *out,
                             uint64_t *out_sequence, uint64_t *out_entries_bytes);
void fc_manifest_encode_entry(const struct fc_segment *segment, uint8_t *to);

/* False when that is not an entry. */
bool fc_manifest_decode_entry(const uint8_t *from, struct fc_segment *out);

/* The bytes of a whole manifest; the caller releases the buffer. */
void fc_manifest_encode_all(const struct fc_segment *segments, size_t count,
                            const struct fc_checkpoint *checkpoint, uint64_t sequence,
                            struct fc_buf *to);

#endif
