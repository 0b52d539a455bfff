/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A partition's manifest: which closed segments it has, and its checkpoint: how far its log is
 * durable. Big-endian, version 1, or 2 when an entry is of another kind than 1:
 *
 *   byte  size
 *      0    12  magic "fluvio-parts", then 4 version, 4 CRC-32C of bytes 0..15; zeros to 4096
 *   4096   128  checkpoint slot A; zeros to 8192
 *   8192   128  checkpoint slot B; zeros to 12288
 *  12288    40  an entry for each closed segment, appended, in order of offsets
 *
 *   slot   4 CRC-32C of the rest; 4 zeros; 8 sequence; 8 start offset;
 *          8 durable offset; 8 base of the segment that holds it; 8 byte in it; 8 largest
 *          timestamp in it up to there; 8 wall clock of its first append in ms; 8 bytes of
 *          entries; 8 + 4 bytes of its .index and their CRC-32C; 8 + 4 the same of .timeindex;
 *          8 offset from which on producers have to be found out; 4 whether there is a snapshot
 *          of that name (1) or nothing below it (0); zeros
 *   entry  4 CRC-32C of the rest; 4 kind of closed segment (1 dense, 3 sparse, 5 sparse and
 *          its files may have their swap names; one more when it is clean, which see in
 *          segment.h); 8 base; 8 end; 8 size; 8 largest timestamp
 *
 * A checkpoint is written in place after every sync of the log, always to the slot that does
 * not hold the newest checkpoint known to be on disk, so that one of them always is. It is a
 * lower bound: what it says is durable was synced before it was written. An entry is appended
 * after its segment was synced.
 *
 * Thread: the caller serializes, but for fc_manifest_sync_beside.
 */
#ifndef FC_LOG_MANIFEST_H
#define FC_LOG_MANIFEST_H

#include <pthread.h>

#include "core/base/fs.h"
#include "core/log/segment.h"

/* The newest that is read here. */
enum { FC_MANIFEST_VERSION = 2 };

struct fc_checkpoint {
    int64_t start;
    int64_t durable;
    int64_t segment_base;
    uint64_t segment_size;
    int64_t max_timestamp_ms;
    int64_t first_append_ms;  /* 0 while the segment is empty */
    uint64_t offsets_written; /* of struct fc_index */
    uint32_t offsets_crc;
    uint64_t times_written;
    uint32_t times_crc;
    int64_t producers_at; /* batches from here on say what producers did... */
    bool producers_saved; /* ...after what the snapshot of that name says, or after nothing */
};

enum { FC_MANIFEST_SLOT_SIZE = 128 };

struct fc_manifest {
    struct fc_fs *fs;
    char *path;
    struct fc_file *file;
    uint64_t sequence; /* of the newest checkpoint written */
    unsigned slot;     /* that the next checkpoint goes to */
    bool slot_written; /* since the last sync */
    bool unsynced;
    uint64_t entries_bytes;
    uint64_t entries_synced; /* what a checkpoint may rely on */
    /*
     * The checkpoint that was loaded may have been written by a process that died before its sync,
     * so that the disk does not have it: before the other one is overwritten it is written again.
     */
    bool doubtful;
    uint8_t loaded[FC_MANIFEST_SLOT_SIZE];
    pthread_mutex_t lock;
    pthread_cond_t idle;
    /* Guarded by lock, which nobody holds while the disk is waited for beside others. */
    bool syncing_beside;            /* nothing is written meanwhile */
    bool broken;                    /* one failed, so that nothing counts any more... */
    struct fc_error why;            /* ...for this reason */
    bool held;                      /* a checkpoint waits until it is over... */
    struct fc_checkpoint held_back; /* ...the newest */
};

/* What load found; entries go to the caller, who frees them. */
struct fc_manifest_content {
    struct fc_checkpoint checkpoint;
    bool whole; /* the checkpoint vouches for all of the file */
    struct fc_segment *segments;
    size_t count;
};

/* Write a new one, durable, in a directory that has none. */
FC_MUST_CHECK fc_code fc_manifest_create(struct fc_fs *fs, const char *dir,
                                         const struct fc_checkpoint *checkpoint,
                                         struct fc_error *err);

/*
 * Read it, and keep it open for writing unless read_only. Changes nothing: entries behind the
 * last good one are left for fc_manifest_take_over.
 *
 * Errors: FC_ERR_NOT_FOUND (there is none), FC_ERR_CORRUPT (file and byte named),
 * FC_ERR_CONFIG (of a version that this build does not read).
 */
FC_MUST_CHECK fc_code fc_manifest_load(struct fc_manifest *manifest, struct fc_fs *fs,
                                       const char *dir, bool read_only,
                                       struct fc_manifest_content *out_content,
                                       struct fc_error *err);

/* What the newest checkpoint says is durable, without looking at anything else; for who has
 * loaded the manifest before and follows it. FC_ERR_CORRUPT: there is none, or it is being
 * written. */
FC_MUST_CHECK fc_code fc_manifest_peek(struct fc_fs *fs, const char *dir, int64_t *out_durable,
                                       struct fc_error *err);

/* Both: a new one, which is known to be durable. */
FC_MUST_CHECK fc_code fc_manifest_begin(struct fc_manifest *manifest, struct fc_fs *fs,
                                        const char *dir, const struct fc_checkpoint *checkpoint,
                                        struct fc_manifest_content *out_content,
                                        struct fc_error *err);
void fc_manifest_release(struct fc_manifest *manifest);

/*
 * Make durable what load found, and cut off what follows the last good entry. The newest
 * checkpoint and the entries that it does not vouch for are written again: when a sync failed
 * before, the system shows them and the disk may not have them.
 */
FC_MUST_CHECK fc_code fc_manifest_take_over(struct fc_manifest *manifest,
                                            const struct fc_manifest_content *content,
                                            struct fc_error *err);

/* Append entries; on failure none counts. Durable after fc_manifest_sync. */
FC_MUST_CHECK fc_code fc_manifest_add(struct fc_manifest *manifest,
                                      const struct fc_segment *segments, size_t count,
                                      struct fc_error *err);

/* Overwrite the older checkpoint; allocates no disk space. Only the first after a load waits for the
 * disk. While fc_manifest_sync_beside runs, that writes the checkpoint when it is over. */
FC_MUST_CHECK fc_code fc_manifest_put(struct fc_manifest *manifest,
                                      const struct fc_checkpoint *checkpoint,
                                      struct fc_error *err);

/* FC_ERR_FULL is never a sync's: after one that failed nothing may be written any more, least of
 * all the same entries again. */
FC_MUST_CHECK fc_code fc_manifest_sync(struct fc_manifest *manifest, struct fc_error *err);

/* The same for a thread that the caller does not serialize with others: they go on with
 * fc_manifest_put, and with anything else once it is over, which fails if it failed: another sync would
 * succeed, as Linux has it, and the disk have nothing. The manifest outlives the call. */
FC_MUST_CHECK fc_code fc_manifest_sync_beside(struct fc_manifest *manifest,
                                              struct fc_error *err);

/* Replace the whole file by one with these entries and this checkpoint, durable. FC_ERR_FULL leaves the
 * old one. */
FC_MUST_CHECK fc_code fc_manifest_rewrite(struct fc_manifest *manifest,
                                          const struct fc_segment *segments, size_t count,
                                          const struct fc_checkpoint *checkpoint,
                                          struct fc_error *err);

#endif
