/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compresses records into an LZ4 frame as they come, for records of which is known where they are
 * alike.
 *
 * A general compressor looks up every few bytes in a table. Here the record's marks say where to
 * look: at the same mark of the last record of its kind, or at an earlier place in the record. A
 * mark is only a hint: what is given as a match has been compared byte by byte.
 *
 * The frame is what Kafka's clients read: independent blocks of at most 256 KiB, content size.
 *
 * Thread: one at a time.
 */
#ifndef FC_LOG_LZ4_PACK_H
#define FC_LOG_LZ4_PACK_H

#include "core/base/buf.h"
#include "core/log/record.h"

enum {
    FC_LZ4_KINDS = 8,      /* kinds of records whose last one is known */
    FC_LZ4_READ_SLACK = 32 /* readable bytes that must follow the records */
};

/* Where the parts of an encoded record stand among the batch's records. */
struct fc_lz4_layout {
    uint32_t begin;
    uint32_t key; /* its length stands here; so with the others */
    uint32_t value;
    uint32_t value_text; /* the value itself: marks count from here */
    uint32_t headers;
    uint32_t end;
};

struct fc_lz4_last {
    uint64_t kind;
    struct fc_lz4_layout layout;
    uint32_t *places; /* of its marks */
    uint32_t count;
    uint32_t capacity;
    bool used;
};

/* What is not written yet: literals, and the newest match, which may grow. */
struct fc_lz4_open {
    uint32_t literal_begin;
    uint32_t match_begin; /* where the literals end */
    uint32_t match_len;   /* 0: none */
    uint32_t match_distance;
};

struct fc_lz4_pack {
    struct fc_lz4_last last[FC_LZ4_KINDS];
    struct fc_lz4_open open;
    struct fc_mark *looks; /* of the record that is packed: where to look for what */
    uint32_t look_capacity;
    uint32_t block_begin; /* among the records */
    size_t block_at;      /* in the output: where the block's size goes */
    bool impossible;      /* a record larger than a block, or no room: the rest does nothing */
};

void fc_lz4_pack_init(struct fc_lz4_pack *pack);
void fc_lz4_pack_release(struct fc_lz4_pack *pack);

/* Begin a frame in an empty buffer. */
void fc_lz4_pack_begin(struct fc_lz4_pack *pack, struct fc_buf *out);

/* The next record, which begins where the last one ended; records: all up to its end. */
void fc_lz4_pack_record(struct fc_lz4_pack *pack, const uint8_t *records,
                        const struct fc_lz4_layout *layout, const struct fc_marks *marks,
                        struct fc_buf *out);

/* Finish the frame. False, with the output of no use, when it could not be done. */
bool fc_lz4_pack_end(struct fc_lz4_pack *pack, const uint8_t *records, uint32_t size,
                     struct fc_buf *out);

#endif
