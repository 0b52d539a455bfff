/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a partition, for the files of core/log only.
 *
 * Invariants: closed segments follow each other without gap and end where the active one
 * begins; start <= durable <= end; the last `pending` of `closed` are rolled but not yet in the
 * manifest, and only they have an open file in `pending_files` (NULL once it is `doubtful`).
 *
 * Locks, in the order in which they are taken: sync_lock, watch_lock, lock, the group's.
 */
#ifndef FC_LOG_PARTITION_STATE_H
#define FC_LOG_PARTITION_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/log/index.h"
#include "core/log/manifest.h"
#include "core/log/partition.h"
#include "core/log/producers.h"
#include "core/log/watch.h"

/* The segment that grows. */
struct fc_active {
    int64_t base;
    uint64_t size;
    int64_t max_timestamp_ms; /* INT64_MIN while empty */
    int64_t max_offset;       /* last offset of the first batch that holds it */
    int64_t first_append_ms;  /* wall clock; 0 while empty */
    uint64_t since_index;     /* bytes appended after the last index entry */
    uint64_t reserved;        /* up to where there is room for appends in the file */
    uint64_t waiting;         /* bytes appended that the disk was not asked to begin with; with
                                 flush_os, since the last sync was begun */
    uint64_t indexed_size;    /* of the segment, when its indexes were last written */
    int64_t times_last_ms;    /* of the last time index entry; INT64_MIN: none */
    struct fc_file *file;     /* NULL when read_only */
    struct fc_index offsets;
    struct fc_index times;
};

/* An offset that a batch begins with, or the end, and where that is. */
struct fc_place {
    int64_t offset;
    int64_t segment_base;
    uint64_t at;
};

/* Aborted transactions of a closed segment that are not in its file yet. */
struct fc_aborted_segment {
    int64_t base;
    struct fc_aborted *items;
    size_t count;
};

enum {
    FC_FETCH_FILES = 2,
    FC_FETCH_PLACES = 8,
    FC_PENDING_MANY = 16 /* closed segments with an open file: time for a sync */
};

struct fc_partition {
    const struct fc_log_env *env;
    char *dir;

    pthread_mutex_t watch_lock;
    /* Guarded by watch_lock; the count is also looked at without. */
    struct fc_watch *watches;
    _Atomic size_t watches_count;

    pthread_mutex_t sync_lock;
    /* Guarded by sync_lock. */
    struct fc_manifest manifest;
    size_t manifest_dead;        /* its entries of segments that are gone */
    struct fc_checkpoint synced; /* the newest that is true */
    int64_t producers_at;        /* as in a checkpoint */
    int64_t snapshot_old;
    bool snapshot_old_known; /* there is an older snapshot, to be removed */
    bool producers_saved;
    uint32_t follow_turns; /* looks at the files since the last one at the manifest */

    /* Owned by the thread that does the upkeep. */
    int64_t scrub_offset; /* that is checked next */
    uint64_t scrub_at;    /* byte of its segment */
    uint64_t scrub_swaps; /* as of when that was true */

    /* Owned by the thread that compacts. */
    int64_t compact_after_ms; /* not before this time of the steady clock */

    pthread_mutex_t lock;
    pthread_cond_t changed; /* end moved, a wake, damage */
    /* Guarded by lock. */
    struct fc_partition_config config;
    struct fc_segment *closed;
    size_t closed_count;
    size_t closed_capacity;
    size_t pending;
    struct fc_file **pending_files;
    size_t pending_capacity;
    struct fc_active active;
    uint64_t swaps; /* how often closed segments were replaced by others */
    int64_t start;
    int64_t durable;
    int64_t end;
    int32_t leader_epoch;
    struct fc_producers producers;
    struct fc_aborted_segment *aborted_pending; /* in order of segments */
    size_t aborted_pending_count;
    int64_t *aborted_files; /* bases of the segments that have a file of them, rising */
    size_t aborted_files_count;
    bool snapshot_wanted;  /* the next sync takes one */
    bool snapshot_pending; /* there is one at snapshot_at that is not written yet */
    int64_t snapshot_at;
    struct fc_buf snapshot_bytes;
    uint64_t unsaved_bytes; /* of producers' batches since the last snapshot was taken */
    struct fc_place high;   /* the high watermark */
    struct fc_place stable; /* where the last stable offset was found last */
    struct fc_fetch_file
        *fetch_files[FC_FETCH_FILES];              /* open for fetches; the last used first */
    struct fc_place fetch_places[FC_FETCH_PLACES]; /* where fetches ended, so others begin */
    size_t fetch_places_next;
    /* Not used now, for whose append looks into a batch next; taken and given atomically. */
    struct fc_batch_decoder *_Atomic decoder;
    bool exists;        /* false: read_only, and nobody has created it yet */
    atomic_bool fresh;  /* an empty directory: no file before the first append; set with
                           sync_lock held, too */
    bool in_group;      /* on the group's list of what to sync */
    bool name_unsynced; /* a file was created since the directory was last synced */
    bool sync_again;    /* the last sync found no descriptors */
    uint64_t wakes;
    bool failed;   /* no more appends; failure says why */
    bool doubtful; /* and no more syncs: the disk may not have what the last one was for */
    bool damaged;  /* and no more reads: bytes below `durable` are not what they were */
    bool dropped;  /* and its files are none of ours any more */
    struct fc_error failure;
};

/* --- partition.c --- */

/* Keep the first failure and report it; wakes waiting readers. lock is not held. */
void fc_partition_fail(struct fc_partition *partition, const struct fc_error *why,
                       bool damaged);

/* The same with lock held; the caller notifies. */
void fc_partition_fail_locked(struct fc_partition *partition, const struct fc_error *why,
                              bool damaged);

/* Have the group's next sync cover the partition. lock is held, so that who appends next can
 * rely on it that the group knows. */
void fc_partition_join_group(struct fc_partition *partition);

/* Raise the high watermark, if that is higher. lock is held. */
void fc_partition_raise_high(struct fc_partition *partition, int64_t offset,
                             int64_t segment_base, uint64_t at);

/* The last stable offset. lock is held. */
int64_t fc_partition_stable(const struct fc_partition *partition, int64_t high_watermark);

/* How far readers of the log may go. Of another process' log, no further than its checkpoint
 * vouches for, unless env->read_whole. lock is held. */
int64_t fc_partition_readable(const struct fc_partition *partition);

/* Add a segment to `closed`; lock is held or nobody else knows the partition. */
void fc_partition_push_closed(struct fc_partition *partition, const struct fc_segment *segment);

/* Account for a batch that stands in the active segment; `at` is where it begins. */
void fc_partition_account(struct fc_partition *partition, const struct fc_batch_header *header,
                          uint64_t at);

/* Begin an active segment at base, with a new file unless read_only. lock is held or nobody
 * else knows the partition. FC_ERR_FULL and FC_ERR_IO leave the old one as it is. */
FC_MUST_CHECK fc_code fc_partition_begin_active(struct fc_partition *partition, int64_t base,
                                                struct fc_error *err);

/* Close the active segment and begin another, as fc_partition_begin_active. */
FC_MUST_CHECK fc_code fc_partition_roll(struct fc_partition *partition, struct fc_error *err);

/* True when the age limits of the config want the active segment closed. lock is held. */
bool fc_partition_active_is_old(const struct fc_partition *partition);

/* The checkpoint that is true while everything up to end is durable. lock is held. */
void fc_partition_checkpoint_now(const struct fc_partition *partition,
                                 struct fc_checkpoint *out_checkpoint);

/* --- fresh.c --- */

/* Give a fresh partition its manifest and its first segment; others are left alone. Comes
 * before an append and before anything that writes the manifest. No lock is held. Blocks for
 * two syncs, once. FC_ERR_FULL leaves it fresh; after FC_ERR_IO it takes no appends. */
FC_MUST_CHECK fc_code fc_partition_prepare(struct fc_partition *partition,
                                           struct fc_error *err);

/* --- fetch.c --- */

/* Let go of the files that are kept open for fetches. lock is held or nobody else knows the
 * partition. */
void fc_fetch_close_files(struct fc_partition *partition);

/* --- recovery.c --- */

/* Fill a new partition from its directory, and mend what may be mended. */
FC_MUST_CHECK fc_code fc_recovery_run(struct fc_partition *partition, struct fc_error *err);

/* --- follow.c --- */

/* See what another process has appended since; with manifest_too also what it removed and made
 * durable. read_only. Damage below the durable offset makes the partition failed, not the call.
 */
FC_MUST_CHECK fc_code fc_follow_refresh(struct fc_partition *partition, bool manifest_too,
                                        struct fc_error *err);

/* The segment that holds offset, or the active one when offset is end; where in `closed`, or
 * closed_count. lock is held; start <= offset <= end. */
size_t fc_partition_segment_of(const struct fc_partition *partition, int64_t offset);

#endif
