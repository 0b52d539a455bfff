/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/base/alloc.h"

enum {
    LEFT_FOR_OTHERS = 16, /* room is reserved when so many times of it are free */
    STAT_BLOCK = 512,
    WRITE_OUT_STEP = 4 * 1024 * 1024, /* a few milliseconds of a disk's time */
    ROOM_SEEN = 1024 * 1024           /* more than a file system takes for itself */
};

struct system_file {
    struct fc_file base;
    int fd;
    bool writable;
    bool directory;
    bool reserved; /* there may be room behind the end */
    char *path;
};

static struct system_file *system_file_of(struct fc_file *file)
{
    return (struct system_file *)file;
}

static fc_code fail_errno(struct fc_error *err, int number, const char *doing, const char *path)
{
    char text[128];
    fc_code code = FC_ERR_IO;
    if (number == ENOSPC || number == EDQUOT) {
        code = FC_ERR_FULL;
    } else if (number == ENOENT) {
        code = FC_ERR_NOT_FOUND;
    }
    code = fc_fail(err, code, "%s %s: %s", doing, path, strerror_r(number, text, sizeof(text)));
    if (err != NULL) {
        err->sys_errno = number;
    }
    return code;
}

bool fc_fs_is_shortage(const struct fc_error *err)
{
    return err->code == FC_ERR_FULL &&
           (err->sys_errno == EMFILE || err->sys_errno == ENFILE || err->sys_errno == ENOMEM);
}

static fc_code fail_open(struct fc_error *err, int number, const char *doing, const char *path)
{
    struct fc_error why = { 0 };
    fc_code code = fail_errno(&why, number, doing, path);
    if (number == EMFILE || number == ENFILE || number == ENOMEM) {
        code = FC_ERR_FULL;
        why.code = code;
        why.retriable = true;
    }
    if (err != NULL) {
        *err = why;
    }
    return code;
}

static fc_code system_open(struct fc_fs *fs, const char *path, int flags,
                           struct fc_file **out_file, struct fc_error *err)
{
    int how = (flags & (FC_FS_WRITE | FC_FS_CREATE)) != 0 ? O_RDWR : O_RDONLY;
    int fd;
    struct system_file *file;
    if ((flags & FC_FS_CREATE) != 0) {
        how |= O_CREAT;
    }
    if ((flags & FC_FS_EXCLUSIVE) != 0) {
        how |= O_EXCL;
    }
    if ((flags & FC_FS_DIRECTORY) != 0) {
        how |= O_DIRECTORY;
    }
    fd = open(path, how | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fail_open(err, errno, "open", path);
    }
    file = fc_new(struct system_file);
    file->base.fs = fs;
    file->fd = fd;
    file->writable = (how & O_RDWR) != 0;
    file->directory = (how & O_DIRECTORY) != 0;
    file->path = fc_strdup(path);
    *out_file = &file->base;
    return FC_OK;
}

/* A file system keeps blocks behind the end until the file is cut where it ends. */
static void release_room(struct system_file *self)
{
    struct stat info;
    if (fstat(self->fd, &info) == 0) {
        (void)!ftruncate(self->fd, info.st_size);
    }
}

static void system_close(struct fc_file *file)
{
    struct system_file *self = file == NULL ? NULL : system_file_of(file);
    if (self != NULL) {
        if (self->reserved) {
            release_room(self);
        }
        (void)close(self->fd); /* what must last was synced before */
        free(self->path);
        free(self);
    }
}

static fc_code system_read(struct fc_file *file, uint64_t at, void *to, size_t size,
                           size_t *out_size, struct fc_error *err)
{
    struct system_file *self = system_file_of(file);
    size_t done = 0;
    while (done < size) {
        ssize_t got = pread(self->fd, (char *)to + done, size - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return fail_errno(err, errno, "read", self->path);
        }
        if (got == 0) {
            break;
        }
        done += (size_t)got;
    }
    *out_size = done;
    return FC_OK;
}

static fc_code write_piece(struct system_file *self, uint64_t at, const char *data, size_t size,
                           struct fc_error *err)
{
    size_t done = 0;
    while (done < size) {
        ssize_t put = pwrite(self->fd, data + done, size - done, (off_t)(at + done));
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return fail_errno(err, put == 0 ? EIO : errno, "write", self->path);
        }
        done += (size_t)put;
    }
    return FC_OK;
}

static fc_code system_write(struct fc_file *file, uint64_t at, const struct iovec *parts,
                            int count, struct fc_error *err)
{
    struct system_file *self = system_file_of(file);
    size_t skip = 0;
    ssize_t put = 0;
    if (count > 1) {
        put = pwritev(self->fd, parts, count, (off_t)at);
        if (put < 0 && errno != EINTR) {
            return fail_errno(err, errno, "write", self->path);
        }
        skip = put < 0 ? 0 : (size_t)put;
    }
    for (int index = 0; index < count; index++) {
        size_t size = parts[index].iov_len;
        size_t passed = skip < size ? skip : size;
        fc_code code =
            write_piece(self, at + passed, (const char *)parts[index].iov_base + passed,
                        size - passed, err);
        if (code != FC_OK) {
            return code;
        }
        skip -= passed;
        at += size;
    }
    return FC_OK;
}

static void system_reserve(struct fc_file *file, uint64_t at, uint64_t size)
{
    struct system_file *self = system_file_of(file);
    struct statvfs disk;
    if (fstatvfs(self->fd, &disk) == 0 &&
        (uint64_t)disk.f_bavail * disk.f_frsize / LEFT_FOR_OTHERS > size &&
        fallocate(self->fd, FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)size) == 0) {
        self->reserved = true;
    }
}

static void system_begin_sync(struct fc_file *file, uint64_t at, uint64_t size)
{
    struct system_file *self = system_file_of(file);
    (void)sync_file_range(self->fd, (off_t)at, (off_t)size, SYNC_FILE_RANGE_WRITE);
}

static void system_write_out(struct fc_file *file, uint64_t at, uint64_t size)
{
    struct system_file *self = system_file_of(file);
    for (uint64_t done = 0; done < size; done += WRITE_OUT_STEP) {
        uint64_t step = size - done < WRITE_OUT_STEP ? size - done : WRITE_OUT_STEP;
        (void)sync_file_range(self->fd, (off_t)(at + done), (off_t)step,
                              SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                                  SYNC_FILE_RANGE_WAIT_AFTER);
    }
}

static fc_code system_sync(struct fc_file *file, struct fc_error *err)
{
    struct system_file *self = system_file_of(file);
    int failed = self->directory ? fsync(self->fd) : fdatasync(self->fd);
    return failed == 0 ? FC_OK : fail_errno(err, errno, "sync", self->path);
}

static fc_code system_truncate(struct fc_file *file, uint64_t size, struct fc_error *err)
{
    struct system_file *self = system_file_of(file);
    return ftruncate(self->fd, (off_t)size) == 0
               ? FC_OK
               : fail_errno(err, errno, "truncate", self->path);
}

static fc_code system_size(struct fc_file *file, uint64_t *out_size, struct fc_error *err)
{
    struct system_file *self = system_file_of(file);
    struct stat info;
    if (fstat(self->fd, &info) != 0) {
        return fail_errno(err, errno, "stat", self->path);
    }
    *out_size = (uint64_t)info.st_size;
    if (self->writable && (uint64_t)info.st_blocks * STAT_BLOCK > *out_size + ROOM_SEEN) {
        self->reserved = true; /* by a process that died */
    }
    return FC_OK;
}

static fc_code system_lock(struct fc_file *file, struct fc_error *err)
{
    struct system_file *self = system_file_of(file);
    if (flock(self->fd, LOCK_EX | LOCK_NB) == 0) {
        return FC_OK;
    }
    if (errno == EWOULDBLOCK) {
        return fc_fail(err, FC_ERR_REFUSED, "%s is locked by another process", self->path);
    }
    return fail_errno(err, errno, "lock", self->path);
}

static fc_code system_rename(struct fc_fs *fs, const char *from, const char *to,
                             struct fc_error *err)
{
    (void)fs;
    return rename(from, to) == 0 ? FC_OK : fail_errno(err, errno, "rename", from);
}

static fc_code system_remove(struct fc_fs *fs, const char *path, struct fc_error *err)
{
    (void)fs;
    return remove(path) == 0 ? FC_OK : fail_errno(err, errno, "remove", path);
}

static fc_code system_make_dir(struct fc_fs *fs, const char *path, struct fc_error *err)
{
    (void)fs;
    return mkdir(path, 0700) == 0 || errno == EEXIST
               ? FC_OK
               : fail_errno(err, errno, "create directory", path);
}

static fc_code system_sync_dir(struct fc_fs *fs, const char *path, struct fc_error *err)
{
    struct fc_file *dir = NULL;
    fc_code code = system_open(fs, path, FC_FS_READ | FC_FS_DIRECTORY, &dir, err);
    if (code == FC_OK) {
        code = fc_fs_sync_once(dir, err);
    }
    system_close(dir);
    return code;
}

static fc_code system_list(struct fc_fs *fs, const char *path,
                           int (*on_entry)(void *ctx, const char *name), void *ctx,
                           struct fc_error *err)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    (void)fs;
    if (dir == NULL) {
        return fail_open(err, errno, "list", path);
    }
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): dir is ours alone */
    while ((entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            on_entry(ctx, entry->d_name) != 0) {
            break;
        }
    }
    (void)closedir(dir);
    return FC_OK;
}

static fc_code system_free_space(struct fc_fs *fs, const char *path, uint64_t *out_bytes,
                                 struct fc_error *err)
{
    struct statvfs info;
    (void)fs;
    if (statvfs(path, &info) != 0) {
        return fail_errno(err, errno, "statvfs", path);
    }
    *out_bytes = (uint64_t)info.f_bavail * info.f_frsize;
    return FC_OK;
}

static fc_code system_modified(struct fc_fs *fs, const char *path, int64_t *out_ms,
                               struct fc_error *err)
{
    struct stat info;
    (void)fs;
    if (stat(path, &info) != 0) {
        return fail_errno(err, errno, "stat", path);
    }
    *out_ms = (int64_t)info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1000000;
    return FC_OK;
}

static int system_descriptor(struct fc_file *file)
{
    return system_file_of(file)->fd;
}

struct fc_fs *fc_fs_system(void)
{
    static const struct fc_fs_ops ops = {
        system_open,       system_close,      system_read,      system_write,
        system_reserve,    system_begin_sync, system_write_out, system_sync,
        system_truncate,   system_size,       system_lock,      system_rename,
        system_remove,     system_make_dir,   system_sync_dir,  system_list,
        system_free_space, system_modified,   system_descriptor
    };
    static struct fc_fs fs = { &ops };
    return &fs;
}

fc_code fc_fs_sync_once(struct fc_file *file, struct fc_error *err)
{
    fc_code code;
    fc_assert(file != NULL);
    code = file->fs->ops->sync(file, err);
    if (code == FC_ERR_FULL) {
        code = FC_ERR_IO;
        if (err != NULL) {
            err->code = code;
            err->retriable = false;
        }
    }
    return code;
}

fc_code fc_fs_open_parent(struct fc_fs *fs, const char *path, struct fc_file **out_dir,
                          struct fc_error *err)
{
    char *directory = fc_strdup(path);
    char *slash = strrchr(directory, '/');
    fc_code code;
    if (slash != NULL) {
        slash[slash == directory ? 1 : 0] = '\0';
    }
    code = fs->ops->open(fs, slash == NULL ? "." : directory, FC_FS_READ | FC_FS_DIRECTORY,
                         out_dir, err);
    free(directory);
    return code;
}

static fc_code write_new(const struct fc_fs_ops *ops, struct fc_file *file, const void *data,
                         size_t len, struct fc_error *err)
{
    struct iovec part = { fc_unconst(data), len };
    fc_code code = ops->truncate(file, 0, err);
    if (code == FC_OK) {
        code = ops->write(file, 0, &part, 1, err);
    }
    if (code == FC_OK) {
        code = ops->sync(file, err); /* one that finds no room may be tried again: all is new */
    }
    return code;
}

fc_code fc_fs_replace_open(struct fc_fs *fs, const char *path, const void *data, size_t len,
                           struct fc_file **out_file, struct fc_error *err)
{
    char *temporary = fc_asprintf("%s.tmp", path);
    struct fc_file *dir = NULL;
    struct fc_file *file = NULL;
    fc_code code = fc_fs_open_parent(fs, path, &dir, err);
    if (code == FC_OK) {
        code = fs->ops->open(fs, temporary, FC_FS_WRITE | FC_FS_CREATE, &file, err);
    }
    if (code == FC_OK) {
        code = write_new(fs->ops, file, data, len, err);
    }
    if (code == FC_OK) {
        code = fs->ops->rename(fs, temporary, path, err);
    }
    if (code == FC_OK) {
        code = fc_fs_sync_once(dir, err);
    }
    if (code == FC_OK) {
        *out_file = file;
        file = NULL;
    }
    fs->ops->close(file);
    fs->ops->close(dir);
    free(temporary);
    return code;
}

fc_code fc_fs_replace(struct fc_fs *fs, const char *path, const void *data, size_t len,
                      struct fc_error *err)
{
    struct fc_file *file = NULL;
    fc_code code = fc_fs_replace_open(fs, path, data, len, &file, err);
    fs->ops->close(file);
    return code;
}

fc_code fc_fs_read_whole(struct fc_fs *fs, const char *path, struct fc_buf *to,
                         struct fc_error *err)
{
    struct fc_file *file = NULL;
    uint64_t size = 0;
    size_t got = 0;
    fc_code code = fs->ops->open(fs, path, FC_FS_READ, &file, err);
    if (code == FC_OK) {
        code = fs->ops->size(file, &size, err);
    }
    if (code == FC_OK && size > 0) {
        uint8_t *at = fc_buf_reserve(to, size);
        code = at == NULL ? fc_fail(err, FC_ERR_CORRUPT, "%s: of %" PRIu64 " bytes", path, size)
                          : fs->ops->read(file, 0, at, size, &got, err);
    }
    if (code == FC_OK) {
        to->len += got;
    }
    fs->ops->close(file);
    return code;
}
