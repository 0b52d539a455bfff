/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A segment: one file of batches, named by the offset of its first record, and the walk over
 * its batches.
 */
#ifndef FC_LOG_SEGMENT_H
#define FC_LOG_SEGMENT_H

#include "core/base/fs.h"
#include "core/log/batch.h"

typedef enum fc_segment_state {
    FC_SEGMENT_DENSE,   /* as it was appended: each batch begins where the one before ends */
    FC_SEGMENT_SPARSE,  /* compacted: offsets may be missing anywhere, also all of them */
    FC_SEGMENT_SWAPPING /* the same, and some of its files may still have their swap names */
} fc_segment_state;

/* What is remembered of a segment in memory: 1,000 segments take 40 KB. */
struct fc_segment {
    int64_t base; /* offset of the first record */
    int64_t end;  /* one past the last record; when sparse, where the next segment begins */
    uint64_t size;
    int64_t max_timestamp_ms; /* INT64_MIN while empty */
    fc_segment_state state;
    bool clean; /* compaction has dropped all that it superseded, in it and before it */
};

typedef enum fc_segment_file {
    FC_SEGMENT_LOG,      /* batches */
    FC_SEGMENT_OFFSETS,  /* .index */
    FC_SEGMENT_TIMES,    /* .timeindex */
    FC_SEGMENT_ABORTED,  /* .txnindex: transactions that were aborted */
    FC_SEGMENT_PRODUCERS /* .snapshot: producers up to the offset in its name */
} fc_segment_file;

/* "<dir>/00000000000000000042.log"; the caller frees it. */
char *fc_segment_path(const char *dir, int64_t base, fc_segment_file kind);

/* The same while it is to replace that one: "<dir>/00000000000000000042.log.swap". */
char *fc_segment_swap_path(const char *dir, int64_t base, fc_segment_file kind);

/*
 * When the segment's newest record was written, as that says, in ms; where none has a timestamp,
 * when the file was last changed, as in Kafka. INT64_MAX: not known, so nothing is old for it.
 */
int64_t fc_segment_newest_ms(struct fc_fs *fs, const char *dir,
                             const struct fc_segment *segment);

/* False when the name is not that of a segment's file. */
bool fc_segment_parse_name(const char *name, int64_t *out_base, fc_segment_file *out_kind,
                           bool *out_swap);

typedef enum fc_walk_step {
    FC_WALK_BATCH, /* a whole batch with a good checksum and the expected offset */
    FC_WALK_END,   /* no byte is left */
    FC_WALK_BAD    /* what stands here is not such a batch */
} fc_walk_step;

/*
 * Walks over the batches of a file in order and checks each one, in memory of one fixed buffer
 * whatever the size of a batch.
 */
struct fc_segment_walk {
    struct fc_file *file;
    uint64_t at;         /* first byte of the next batch; of the bad one after FC_WALK_BAD */
    uint64_t limit;      /* bytes of the file that are looked at */
    int64_t next_offset; /* that the next batch must begin with */
    bool sparse;         /* or behind which it may begin; set after init */
    const char *why;     /* after FC_WALK_BAD; static */
    uint8_t *buf;
    uint64_t buf_at;
    size_t buf_len;
};

/* file is borrowed. */
void fc_segment_walk_init(struct fc_segment_walk *walk, struct fc_file *file, uint64_t at,
                          uint64_t limit, int64_t next_offset);
void fc_segment_walk_release(struct fc_segment_walk *walk);

/* Errors are those of reading; what is read is told by out_step. out_header is set for a batch.
 */
FC_MUST_CHECK fc_code fc_segment_walk_next(struct fc_segment_walk *walk, fc_walk_step *out_step,
                                           struct fc_batch_header *out_header,
                                           struct fc_error *err);

#endif
