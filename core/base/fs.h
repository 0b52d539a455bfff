/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files, as a seam: all of core/log goes through here, so that tests can fail, fill up or cut
 * the power of a disk.
 *
 * Paths are absolute or relative to the working directory. Errors carry sys_errno; a full disk
 * (ENOSPC, EDQUOT) is FC_ERR_FULL, a missing file FC_ERR_NOT_FOUND, anything else FC_ERR_IO. What
 * cannot be opened for want of descriptors or memory (EMFILE, ENFILE, ENOMEM) is FC_ERR_FULL, too:
 * that passes. So before anything that cannot be taken back, what it needs later is opened.
 *
 * What is durable: file bytes after sync; a name (created, renamed, removed) after sync_dir of
 * its directory. Thread: any; one file may be used by several threads at once.
 */
#ifndef FC_BASE_FS_H
#define FC_BASE_FS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "core/base/buf.h"
#include "core/base/error.h"

struct fc_fs;
struct fc_file;

enum {
    FC_FS_READ = 0,      /* must exist */
    FC_FS_WRITE = 1,     /* read and write; must exist unless CREATE */
    FC_FS_CREATE = 2,    /* create if missing, mode 0600 */
    FC_FS_EXCLUSIVE = 4, /* with CREATE: must not exist */
    FC_FS_DIRECTORY = 8  /* with READ: a directory; nothing but sync is for it, which makes its
                            names durable and opens nothing */
};

struct fc_fs_ops {
    fc_code (*open)(struct fc_fs *fs, const char *path, int flags, struct fc_file **out_file,
                    struct fc_error *err);
    void (*close)(struct fc_file *file); /* NULL is fine */
    /* Read up to size bytes; fewer only at the end of the file. */
    fc_code (*read)(struct fc_file *file, uint64_t at, void *to, size_t size, size_t *out_size,
                    struct fc_error *err);
    /* Write all; on failure any part may have been written. */
    fc_code (*write)(struct fc_file *file, uint64_t at, const struct iovec *parts, int count,
                     struct fc_error *err);
    /* Have room for `size` bytes from `at` on, behind the file's end, which stays where it is:
     * appends find their blocks, in one piece, and cost less. A hint; nothing is done on a disk
     * that has little left. What is left of the room is
     * given back when the file is closed, and by truncate; that of a process that died, once
     * another has asked for the file's size. */
    void (*reserve)(struct fc_file *file, uint64_t at, uint64_t size);
    /* Have the disk begin with these bytes, so that the next sync has less to wait for. A hint: it
     * makes nothing durable, and a failure shows in that sync. Waits only while the disk's queue
     * is full. */
    void (*begin_sync)(struct fc_file *file, uint64_t at, uint64_t size);
    /* Have the disk write these bytes a little at a time, and wait, so that meanwhile others find
     * room in its queue: a sync of much fills that for as long as it takes. As begin_sync, it makes
     * nothing durable. */
    void (*write_out)(struct fc_file *file, uint64_t at, uint64_t size);
    fc_code (*sync)(struct fc_file *file, struct fc_error *err);
    fc_code (*truncate)(struct fc_file *file, uint64_t size, struct fc_error *err);
    fc_code (*size)(struct fc_file *file, uint64_t *out_size, struct fc_error *err);
    /* Take the exclusive lock of the file without waiting; FC_ERR_REFUSED when another process
     * holds it. */
    fc_code (*lock)(struct fc_file *file, struct fc_error *err);
    fc_code (*rename)(struct fc_fs *fs, const char *from, const char *to, struct fc_error *err);
    fc_code (*remove)(struct fc_fs *fs, const char *path,
                      struct fc_error *err); /* file or empty directory */
    fc_code (*make_dir)(struct fc_fs *fs, const char *path,
                        struct fc_error *err); /* existing is fine; mode 0700 */
    /* FC_ERR_FULL: it could not be opened; a sync that found no room is FC_ERR_IO. */
    fc_code (*sync_dir)(struct fc_fs *fs, const char *path, struct fc_error *err);
    /* Call on_entry for each name but "." and ".."; a non-zero return ends the walk. */
    fc_code (*list)(struct fc_fs *fs, const char *path,
                    int (*on_entry)(void *ctx, const char *name), void *ctx,
                    struct fc_error *err);
    fc_code (*free_space)(struct fc_fs *fs, const char *path, uint64_t *out_bytes,
                          struct fc_error *err);
    /* When the file's bytes were last changed: wall clock, in ms. */
    fc_code (*modified)(struct fc_fs *fs, const char *path, int64_t *out_ms,
                        struct fc_error *err);
    /* The system's descriptor of the file, valid until it is closed; -1 when it has none. */
    int (*descriptor)(struct fc_file *file);
};

/* Implementations put these first in their own structs. */
struct fc_fs {
    const struct fc_fs_ops *ops;
};

struct fc_file {
    struct fc_fs *fs;
};

/* The machine's files. */
struct fc_fs *fc_fs_system(void);

/* Sync what cannot be written anew when that fails. The system may have dropped the pages for
 * whatever reason, and call the next sync a success; so a disk that is full (some learn of it only
 * now) is FC_ERR_IO here, not something to try again. */
FC_MUST_CHECK fc_code fc_fs_sync_once(struct fc_file *file, struct fc_error *err);

/* True of an FC_ERR_FULL that is a want of descriptors or memory, not of disk space. */
bool fc_fs_is_shortage(const struct fc_error *err);

/* Write a whole small file so that after a crash either the old or the new content is there:
 * temporary file in the same directory, sync, rename, sync of the directory. FC_ERR_FULL: nothing
 * was changed. */
FC_MUST_CHECK fc_code fc_fs_replace(struct fc_fs *fs, const char *path, const void *data,
                                    size_t len, struct fc_error *err);

/* The same, and give the new file, open for writing, so that it need not be opened by its name. */
FC_MUST_CHECK fc_code fc_fs_replace_open(struct fc_fs *fs, const char *path, const void *data,
                                         size_t len, struct fc_file **out_file,
                                         struct fc_error *err);

/* Open the directory that holds the path's last name. */
FC_MUST_CHECK fc_code fc_fs_open_parent(struct fc_fs *fs, const char *path,
                                        struct fc_file **out_dir, struct fc_error *err);

/* Append all of a small file. FC_ERR_NOT_FOUND; FC_ERR_CORRUPT: it is larger than the buffer may
 * be, which is what the files' writers are held to. */
FC_MUST_CHECK fc_code fc_fs_read_whole(struct fc_fs *fs, const char *path, struct fc_buf *to,
                                       struct fc_error *err);

#endif
