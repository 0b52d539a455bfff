/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files in memory on a disk that forgets: what was not synced may survive a power cut or not,
 * each sector, each truncation and each name on its own, and in any order.
 *
 * A sync that fails drops what it was to write as Linux does: reads still see it, the disk does
 * not get it, and the next sync has nothing to do. After a cut or a crash every open file is
 * dead: its calls fail with FC_ERR_IO until it is closed. Thread: any.
 */
#ifndef FC_TEST_FS_LOSSY_H
#define FC_TEST_FS_LOSSY_H

#include "core/base/clock.h"
#include "core/base/fs.h"

/* sector_size is a power of two; the root directory "/" exists. */
struct fc_fs *fs_lossy_new(uint64_t seed, size_t sector_size);
void fs_lossy_free(struct fc_fs *fs);

/* The process is as good as dead: its calls fail, until one of the two below. */
void fs_lossy_stop(struct fc_fs *fs);

/* The power fails and comes back. */
void fs_lossy_power_cut(struct fc_fs *fs);

/* The process dies: files are as they were, open ones are dead. */
void fs_lossy_crash(struct fc_fs *fs);

/* The power fails within the count-th call from now that changes something: it and all later
 * calls fail, until fs_lossy_power_cut. 0: never. */
void fs_lossy_cut_after(struct fc_fs *fs, uint64_t count);

/* The count-th write or sync from now fails with EIO; 0: none. */
void fs_lossy_fail_write(struct fc_fs *fs, uint64_t count);
void fs_lossy_fail_sync(struct fc_fs *fs, uint64_t count);

/* The disk is full at so many bytes of file content; UINT64_MAX: never. */
void fs_lossy_set_capacity(struct fc_fs *fs, uint64_t bytes);
uint64_t fs_lossy_used(struct fc_fs *fs);

/* What is reserved behind the ends of files; it takes nothing of the capacity. */
uint64_t fs_lossy_room(struct fc_fs *fs);

/* The clock that says when files are changed; NULL, as at first: nobody knows. */
void fs_lossy_set_clock(struct fc_fs *fs, const struct fc_clock *clock);

/* How often each was asked for. */
uint64_t fs_lossy_reads(struct fc_fs *fs);
uint64_t fs_lossy_syncs(struct fc_fs *fs);

/* Damage what is on the disk. The file must exist. */
void fs_lossy_flip_byte(struct fc_fs *fs, const char *path, uint64_t at);
void fs_lossy_cut_file(struct fc_fs *fs, const char *path, uint64_t size);
void fs_lossy_lose_file(struct fc_fs *fs, const char *path);

#endif
