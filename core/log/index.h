/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A segment's two sparse indexes, in Kafka's layouts, both sorted:
 *
 *   .index      8 bytes an entry:  4 last offset of a batch, relative to the segment's base
 *                                  4 byte where that batch begins
 *   .timeindex  12 bytes an entry: 8 largest timestamp in the segment so far, in ms
 *                                  4 last offset, relative, of the batch that holds it
 *
 * An index is derived from the log: it may lack entries, and who looks up checks what it finds.
 * Files grow as they are written; nothing is allocated ahead and none is held open.
 */
#ifndef FC_LOG_INDEX_H
#define FC_LOG_INDEX_H

#include "core/base/fs.h"
#include "core/log/segment.h"

enum { FC_INDEX_INTERVAL_BYTES = 4096 }; /* of log between two entries, as Kafka's default */

struct fc_index_entry {
    int64_t key;    /* relative offset, or timestamp */
    uint32_t value; /* byte in the log, or relative offset */
};

/* The index of a segment that still grows. Guarded by the partition's lock. */
struct fc_index {
    struct fc_fs *fs;
    char *path;
    fc_segment_file kind;
    uint8_t *buffer; /* entries that are not in the file yet */
    size_t buffered; /* bytes of it */
    size_t capacity;
    bool untrimmed;   /* the file may be longer than `written` */
    bool held;        /* nothing is written for now; the buffer grows */
    uint64_t written; /* bytes of the file */
    uint32_t crc;     /* CRC-32C of those */
};

void fc_index_init(struct fc_index *index, struct fc_fs *fs, const char *dir, int64_t base,
                   fc_segment_file kind);
void fc_index_release(struct fc_index *index);

/* Keys must not fall. When the buffer is full and cannot be written, the entry is dropped: the
 * index stays true, only sparser. */
void fc_index_add(struct fc_index *index, int64_t key, uint32_t value);

/* The next entry will have the buffer written. */
bool fc_index_is_full(const struct fc_index *index);

/* Write the buffer to the file; on failure it is kept. A caller may ignore a failure: an index
 * that lacks entries is true. */
fc_code fc_index_write(struct fc_index *index, struct fc_error *err);

/* Make the written entries durable, and the file exactly as long as they are; without entries
 * none is made. */
FC_MUST_CHECK fc_code fc_index_finish(struct fc_index *index, struct fc_error *err);

/*
 * Take over the first `written` bytes of the file if they have that checksum; otherwise the
 * index is empty. Changes nothing on disk; fc_index_finish cuts the rest off.
 */
FC_MUST_CHECK fc_code fc_index_restore(struct fc_index *index, uint64_t written, uint32_t crc,
                                       struct fc_error *err);

/* The last entry; false when there is none. */
FC_MUST_CHECK fc_code fc_index_last(const struct fc_index *index, bool *out_found,
                                    struct fc_index_entry *out_entry, struct fc_error *err);

/* What is looked for: the last entry whose key is at most so much, or whose value is (where
 * values rise with the keys). */
struct fc_index_target {
    bool by_value;
    int64_t most;
};

FC_MUST_CHECK fc_code fc_index_find(const struct fc_index *index,
                                    const struct fc_index_target *target, bool *out_found,
                                    struct fc_index_entry *out_entry, struct fc_error *err);

/* The same in the file of a segment that does not grow here; no file: not found. */
FC_MUST_CHECK fc_code fc_index_find_in_file(struct fc_fs *fs, const char *path,
                                            fc_segment_file kind,
                                            const struct fc_index_target *target,
                                            bool *out_found, struct fc_index_entry *out_entry,
                                            struct fc_error *err);

#endif
