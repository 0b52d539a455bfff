/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every file has two contents: what calls see, and what is on the disk, with the list of
 * changes that lead from the second to the first. A sync applies the list, a power cut a part
 * of it. Directories work the same way with names.
 */
#include "tests/support/fs_lossy.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "tests/support/fs_lossy_state.h"

struct lossy_fs *lossy_of(struct fc_fs *fs)
{
    return (struct lossy_fs *)fs;
}

uint64_t lossy_random(struct lossy_fs *fs)
{
    uint64_t mixed = (fs->random += 0x9e3779b97f4a7c15U);
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31);
}

bool lossy_coin(void *ctx)
{
    return (lossy_random(ctx) & 1) != 0;
}

static fc_code fail_with(struct fc_error *err, fc_code code, int number, const char *what)
{
    code = fc_fail(err, code, "%s: %s", what,
                   number == EIO ? "Input/output error" : "No space left on device");
    if (err != NULL) {
        err->sys_errno = number;
    }
    return code;
}

/* Count down to an injected fault; true when it is now. */
static bool due(uint64_t *counter)
{
    return *counter > 0 && --*counter == 0;
}

/* Every call that changes something asks first; false: there is no power. */
static bool has_power(struct lossy_fs *fs)
{
    if (due(&fs->cut_after)) {
        fs->off = true;
    }
    return !fs->off;
}

struct lossy_node *lossy_new_node(struct lossy_fs *fs, bool is_dir)
{
    struct lossy_node *node = lossy_node_new(is_dir);
    lossy_touch(fs, node);
    node->next = fs->all;
    fs->all = node;
    return node;
}

/* The directory that holds the path's last name, or NULL. */
struct lossy_node *lossy_parent_of(struct lossy_fs *fs, const char *path, const char **out_name)
{
    struct lossy_node *node = fs->root;
    fc_assert(path[0] == '/');
    path++;
    for (const char *slash = strchr(path, '/'); slash != NULL && node != NULL;
         slash = strchr(path, '/')) {
        char *name = fc_strndup(path, (size_t)(slash - path));
        node = lossy_node_find(node, name);
        free(name);
        path = slash + 1;
    }
    *out_name = path;
    return node != NULL && node->is_dir ? node : NULL;
}

struct lossy_node *lossy_node_at(struct lossy_fs *fs, const char *path)
{
    const char *name = NULL;
    struct lossy_node *parent = lossy_parent_of(fs, path, &name);
    if (parent != NULL && name[0] == '\0') {
        return parent;
    }
    return parent == NULL ? NULL : lossy_node_find(parent, name);
}

static fc_code missing(struct fc_error *err, const char *path)
{
    return fc_fail(err, FC_ERR_NOT_FOUND, "%s: No such file or directory", path);
}

static fc_code open_locked(struct lossy_fs *fs, const char *path, int flags,
                           struct lossy_node **out_node, struct fc_error *err)
{
    const char *name = NULL;
    struct lossy_node *parent = lossy_parent_of(fs, path, &name);
    struct lossy_node *node = lossy_node_at(fs, path);
    if (fs->off) {
        return fail_with(err, FC_ERR_IO, EIO, path);
    }
    if (node != NULL && (flags & FC_FS_EXCLUSIVE) != 0) {
        return fc_fail(err, FC_ERR_IO, "%s: File exists", path);
    }
    if (node == NULL && (parent == NULL || (flags & FC_FS_CREATE) == 0)) {
        return missing(err, path);
    }
    if (node == NULL) {
        if (!has_power(fs)) {
            return fail_with(err, FC_ERR_IO, EIO, path);
        }
        if (fs->used >= fs->capacity) {
            return fail_with(err, FC_ERR_FULL, ENOSPC, path);
        }
        node = lossy_new_node(fs, false);
        lossy_node_link(parent, name, node);
    }
    *out_node = node;
    return FC_OK;
}

static fc_code lossy_open(struct fc_fs *base, const char *path, int flags,
                          struct fc_file **out_file, struct fc_error *err)
{
    struct lossy_fs *fs = lossy_of(base);
    struct lossy_node *node = NULL;
    fc_code code;
    (void)pthread_mutex_lock(&fs->lock);
    code = open_locked(fs, path, flags, &node, err);
    if (code == FC_OK) {
        struct lossy_file *file = fc_new(struct lossy_file);
        file->base.fs = base;
        file->node = node;
        file->generation = fs->generation;
        *out_file = &file->base;
    }
    (void)pthread_mutex_unlock(&fs->lock);
    return code;
}

static void lossy_close(struct fc_file *base)
{
    struct lossy_file *file = (struct lossy_file *)base;
    if (file != NULL) {
        struct lossy_fs *fs = lossy_of(base->fs);
        (void)pthread_mutex_lock(&fs->lock);
        if (file->locked && file->generation == fs->generation) {
            file->node->locked = false;
        }
        if (file->generation == fs->generation) {
            file->node->room_end = 0;
        }
        (void)pthread_mutex_unlock(&fs->lock);
        free(file);
    }
}

/* Lock the file system and give the file's node, or unlock and fail when the file is dead. */
static fc_code enter(struct fc_file *base, struct lossy_fs **out_fs,
                     struct lossy_node **out_node, struct fc_error *err)
{
    struct lossy_file *file = (struct lossy_file *)base;
    struct lossy_fs *fs = lossy_of(base->fs);
    (void)pthread_mutex_lock(&fs->lock);
    if (fs->off || file->generation != fs->generation) {
        (void)pthread_mutex_unlock(&fs->lock);
        return fail_with(err, FC_ERR_IO, EIO, "file");
    }
    *out_fs = fs;
    *out_node = file->node;
    return FC_OK;
}

static fc_code leave(struct lossy_fs *fs, fc_code code)
{
    (void)pthread_mutex_unlock(&fs->lock);
    return code;
}

static fc_code lossy_read(struct fc_file *file, uint64_t at, void *to, size_t size,
                          size_t *out_size, struct fc_error *err)
{
    struct lossy_fs *fs = NULL;
    struct lossy_node *node = NULL;
    fc_code code = enter(file, &fs, &node, err);
    if (code != FC_OK) {
        return code;
    }
    fs->reads++;
    *out_size = at >= node->now.size ? 0 : (size_t)(node->now.size - at);
    *out_size = *out_size < size ? *out_size : size;
    if (*out_size > 0) {
        memcpy(to, node->now.bytes + at, *out_size);
    }
    return leave(fs, FC_OK);
}

/* Write sector by sector, so that each can be lost on its own. */
static void write_sectors(struct lossy_fs *fs, struct lossy_node *node, uint64_t at,
                          const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        size_t piece = fs->sector_size - (size_t)(at % fs->sector_size);
        piece = piece < size ? piece : size;
        lossy_node_write(node, at, bytes, piece);
        at += piece;
        bytes += piece;
        size -= piece;
    }
}

static fc_code write_part(struct lossy_fs *fs, struct lossy_node *node, uint64_t at,
                          const struct iovec *part, struct fc_error *err)
{
    uint64_t end = at + part->iov_len;
    uint64_t growth = end > node->now.size ? end - node->now.size : 0;
    size_t size = part->iov_len;
    fc_code code = FC_OK;
    if (due(&fs->fail_write)) {
        size = (size_t)(lossy_random(fs) % (size + 1));
        code = fail_with(err, FC_ERR_IO, EIO, "write");
    } else if (growth > 0 && fs->used + growth > fs->capacity) {
        uint64_t excess = fs->used + growth - fs->capacity;
        size = size > excess ? (size_t)(size - excess) : 0;
        code = fail_with(err, FC_ERR_FULL, ENOSPC, "write");
    }
    fs->used -= node->now.size;
    write_sectors(fs, node, at, part->iov_base, size);
    lossy_touch(fs, node);
    fs->used += node->now.size;
    return code;
}

static fc_code lossy_write(struct fc_file *file, uint64_t at, const struct iovec *parts,
                           int count, struct fc_error *err)
{
    struct lossy_fs *fs = NULL;
    struct lossy_node *node = NULL;
    fc_code code = enter(file, &fs, &node, err);
    if (code != FC_OK) {
        return code;
    }
    for (int index = 0; code == FC_OK && index < count; index++) {
        if (!has_power(fs)) {
            return leave(fs, fail_with(err, FC_ERR_IO, EIO, "write"));
        }
        code = write_part(fs, node, at, &parts[index], err);
        at += parts[index].iov_len;
    }
    return leave(fs, code);
}

static void lossy_reserve(struct fc_file *file, uint64_t at, uint64_t size)
{
    struct lossy_fs *fs = NULL;
    struct lossy_node *node = NULL;
    if (enter(file, &fs, &node, NULL) == FC_OK) {
        node->room_end = at + size;
        (void)leave(fs, FC_OK);
    }
}

/* What is not synced may be on the disk or not anyway. */
static void lossy_begin_sync(struct fc_file *base, uint64_t at, uint64_t size)
{
    (void)base;
    (void)at;
    (void)size;
}

static void lossy_write_out(struct fc_file *base, uint64_t at, uint64_t size)
{
    lossy_begin_sync(base, at, size);
}

static fc_code lossy_sync(struct fc_file *file, struct fc_error *err)
{
    struct lossy_fs *fs = NULL;
    struct lossy_node *node = NULL;
    fc_code code = enter(file, &fs, &node, err);
    if (code != FC_OK) {
        return code;
    }
    fs->syncs++;
    if (!has_power(fs)) {
        return leave(fs, fail_with(err, FC_ERR_IO, EIO, "sync"));
    }
    if (due(&fs->fail_sync)) {
        if (!node->is_dir) { /* names stay to be synced, as with sync_dir */
            lossy_node_settle(node, lossy_coin, fs);
        }
        return leave(fs, fail_with(err, FC_ERR_IO, EIO, "sync"));
    }
    lossy_node_settle(node, NULL, NULL);
    return leave(fs, FC_OK);
}

static fc_code lossy_truncate(struct fc_file *file, uint64_t size, struct fc_error *err)
{
    struct lossy_fs *fs = NULL;
    struct lossy_node *node = NULL;
    fc_code code = enter(file, &fs, &node, err);
    if (code != FC_OK) {
        return code;
    }
    if (!has_power(fs)) {
        return leave(fs, fail_with(err, FC_ERR_IO, EIO, "truncate"));
    }
    fs->used -= node->now.size;
    node->room_end = 0;
    lossy_node_truncate(node, size);
    lossy_touch(fs, node);
    fs->used += node->now.size;
    return leave(fs, FC_OK);
}

static fc_code lossy_size(struct fc_file *file, uint64_t *out_size, struct fc_error *err)
{
    struct lossy_fs *fs = NULL;
    struct lossy_node *node = NULL;
    fc_code code = enter(file, &fs, &node, err);
    if (code != FC_OK) {
        return code;
    }
    *out_size = node->now.size;
    return leave(fs, FC_OK);
}

static fc_code lossy_lock(struct fc_file *file, struct fc_error *err)
{
    struct lossy_fs *fs = NULL;
    struct lossy_node *node = NULL;
    fc_code code = enter(file, &fs, &node, err);
    if (code != FC_OK) {
        return code;
    }
    if (node->locked) {
        return leave(fs, fc_fail(err, FC_ERR_REFUSED, "locked"));
    }
    node->locked = true;
    ((struct lossy_file *)file)->locked = true;
    return leave(fs, FC_OK);
}

static fc_code rename_locked(struct lossy_fs *fs, const char *from, const char *to,
                             struct fc_error *err)
{
    const char *from_name = NULL;
    const char *to_name = NULL;
    struct lossy_node *from_dir = lossy_parent_of(fs, from, &from_name);
    struct lossy_node *to_dir = lossy_parent_of(fs, to, &to_name);
    struct lossy_node *replaced;
    if (!has_power(fs)) {
        return fail_with(err, FC_ERR_IO, EIO, from);
    }
    if (from_dir == NULL || lossy_node_find(from_dir, from_name) == NULL) {
        return missing(err, from);
    }
    fc_assert(from_dir == to_dir); /* the log moves nothing between directories */
    replaced = lossy_node_find(to_dir, to_name);
    fs->used -= replaced == NULL ? 0 : replaced->now.size;
    lossy_node_rename(from_dir, from_name, to_name);
    return FC_OK;
}

static fc_code lossy_rename(struct fc_fs *base, const char *from, const char *to,
                            struct fc_error *err)
{
    struct lossy_fs *fs = lossy_of(base);
    (void)pthread_mutex_lock(&fs->lock);
    return leave(fs, rename_locked(fs, from, to, err));
}

static fc_code remove_locked(struct lossy_fs *fs, const char *path, struct fc_error *err)
{
    const char *name = NULL;
    struct lossy_node *parent = lossy_parent_of(fs, path, &name);
    struct lossy_node *node = parent == NULL ? NULL : lossy_node_find(parent, name);
    if (!has_power(fs)) {
        return fail_with(err, FC_ERR_IO, EIO, path);
    }
    if (node == NULL) {
        return missing(err, path);
    }
    fs->used -= node->now.size;
    lossy_node_link(parent, name, NULL);
    return FC_OK;
}

static fc_code lossy_remove(struct fc_fs *base, const char *path, struct fc_error *err)
{
    struct lossy_fs *fs = lossy_of(base);
    (void)pthread_mutex_lock(&fs->lock);
    return leave(fs, remove_locked(fs, path, err));
}

static fc_code make_dir_locked(struct lossy_fs *fs, const char *path, struct fc_error *err)
{
    const char *name = NULL;
    struct lossy_node *parent = lossy_parent_of(fs, path, &name);
    if (!has_power(fs)) {
        return fail_with(err, FC_ERR_IO, EIO, path);
    }
    if (parent == NULL) {
        return missing(err, path);
    }
    if (lossy_node_find(parent, name) == NULL) {
        lossy_node_link(parent, name, lossy_new_node(fs, true));
    }
    return FC_OK;
}

static fc_code lossy_make_dir(struct fc_fs *base, const char *path, struct fc_error *err)
{
    struct lossy_fs *fs = lossy_of(base);
    (void)pthread_mutex_lock(&fs->lock);
    return leave(fs, make_dir_locked(fs, path, err));
}

static fc_code sync_dir_locked(struct lossy_fs *fs, const char *path, struct fc_error *err)
{
    struct lossy_node *node = lossy_node_at(fs, path);
    fs->syncs++;
    if (!has_power(fs)) {
        return fail_with(err, FC_ERR_IO, EIO, path);
    }
    if (node == NULL) {
        return missing(err, path);
    }
    if (due(&fs->fail_sync)) {
        return fail_with(err, FC_ERR_IO, EIO, path);
    }
    lossy_node_settle(node, NULL, NULL);
    return FC_OK;
}

static fc_code lossy_sync_dir(struct fc_fs *base, const char *path, struct fc_error *err)
{
    struct lossy_fs *fs = lossy_of(base);
    (void)pthread_mutex_lock(&fs->lock);
    return leave(fs, sync_dir_locked(fs, path, err));
}

static fc_code lossy_list(struct fc_fs *base, const char *path,
                          int (*on_entry)(void *ctx, const char *name), void *ctx,
                          struct fc_error *err)
{
    struct lossy_fs *fs = lossy_of(base);
    struct lossy_node *node;
    (void)pthread_mutex_lock(&fs->lock);
    node = lossy_node_at(fs, path);
    if (fs->off) {
        return leave(fs, fail_with(err, FC_ERR_IO, EIO, path));
    }
    if (node == NULL) {
        return leave(fs, missing(err, path));
    }
    for (size_t index = 0; index < node->names_now.count; index++) {
        if (on_entry(ctx, node->names_now.items[index].name) != 0) {
            break;
        }
    }
    return leave(fs, FC_OK);
}

static fc_code lossy_free_space(struct fc_fs *base, const char *path, uint64_t *out_bytes,
                                struct fc_error *err)
{
    struct lossy_fs *fs = lossy_of(base);
    (void)pthread_mutex_lock(&fs->lock);
    if (lossy_node_at(fs, path) == NULL) {
        return leave(fs, missing(err, path));
    }
    *out_bytes = fs->capacity > fs->used ? fs->capacity - fs->used : 0;
    return leave(fs, FC_OK);
}

static int lossy_descriptor(struct fc_file *file)
{
    (void)file;
    return -1;
}

const struct fc_fs_ops *lossy_ops(void)
{
    static const struct fc_fs_ops ops = {
        lossy_open,       lossy_close,      lossy_read,     lossy_write,     lossy_reserve,
        lossy_begin_sync, lossy_write_out,  lossy_sync,     lossy_truncate,  lossy_size,
        lossy_lock,       lossy_rename,     lossy_remove,   lossy_make_dir,  lossy_sync_dir,
        lossy_list,       lossy_free_space, lossy_modified, lossy_descriptor
    };
    return &ops;
}
