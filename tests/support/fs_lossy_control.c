/* SPDX-License-Identifier: Apache-2.0 */
/* What a test does to the disk; fs_lossy.c is what the program sees of it. */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "tests/support/fs_lossy.h"
#include "tests/support/fs_lossy_state.h"

struct fc_fs *fs_lossy_new(uint64_t seed, size_t sector_size)
{
    struct lossy_fs *fs = fc_new(struct lossy_fs);
    fs->base.ops = lossy_ops();
    (void)pthread_mutex_init(&fs->lock, NULL); /* cannot fail on Linux */
    fs->root = lossy_new_node(fs, true);
    fs->sector_size = sector_size;
    fs->random = seed;
    fs->capacity = UINT64_MAX;
    return &fs->base;
}

void fs_lossy_set_clock(struct fc_fs *fs, const struct fc_clock *clock)
{
    lossy_of(fs)->clock = clock;
}

void lossy_touch(const struct lossy_fs *fs, struct lossy_node *node)
{
    node->changed_ms = fs->clock == NULL ? -1 : fc_clock_wall_ms(fs->clock);
}

fc_code lossy_modified(struct fc_fs *base, const char *path, int64_t *out_ms,
                       struct fc_error *err)
{
    struct lossy_fs *fs = lossy_of(base);
    const struct lossy_node *node;
    fc_code code = FC_OK;
    (void)pthread_mutex_lock(&fs->lock);
    node = lossy_node_at(fs, path);
    if (node == NULL) {
        code = fc_fail(err, FC_ERR_NOT_FOUND, "%s: No such file or directory", path);
    } else if (fs->off || node->changed_ms < 0) {
        code = fc_fail(err, FC_ERR_IO, "%s: Input/output error", path);
    } else {
        *out_ms = node->changed_ms;
    }
    (void)pthread_mutex_unlock(&fs->lock);
    return code;
}

void fs_lossy_free(struct fc_fs *base)
{
    struct lossy_fs *fs = lossy_of(base);
    while (fs->all != NULL) {
        struct lossy_node *node = fs->all;
        fs->all = node->next;
        lossy_node_free(node);
    }
    (void)pthread_mutex_destroy(&fs->lock);
    free(fs);
}

void fs_lossy_stop(struct fc_fs *fs)
{
    (void)pthread_mutex_lock(&lossy_of(fs)->lock);
    lossy_of(fs)->off = true;
    (void)pthread_mutex_unlock(&lossy_of(fs)->lock);
}

void fs_lossy_power_cut(struct fc_fs *base)
{
    struct lossy_fs *fs = lossy_of(base);
    (void)pthread_mutex_lock(&fs->lock);
    fs->used = 0;
    for (struct lossy_node *node = fs->all; node != NULL; node = node->next) {
        lossy_node_settle(node, lossy_coin, fs);
        lossy_node_restart(node);
        fs->used += node->now.size; /* of files without a name, too: only ever too much */
    }
    fs->generation++;
    fs->off = false;
    fs->cut_after = 0;
    fs->fail_write = 0;
    fs->fail_sync = 0;
    (void)pthread_mutex_unlock(&fs->lock);
}

void fs_lossy_crash(struct fc_fs *base)
{
    struct lossy_fs *fs = lossy_of(base);
    (void)pthread_mutex_lock(&fs->lock);
    for (struct lossy_node *node = fs->all; node != NULL; node = node->next) {
        node->locked = false;
    }
    fs->generation++;
    fs->off = false;
    fs->fail_write = 0;
    fs->fail_sync = 0;
    (void)pthread_mutex_unlock(&fs->lock);
}

void fs_lossy_cut_after(struct fc_fs *fs, uint64_t count)
{
    lossy_of(fs)->cut_after = count;
}

void fs_lossy_fail_write(struct fc_fs *fs, uint64_t count)
{
    lossy_of(fs)->fail_write = count;
}

void fs_lossy_fail_sync(struct fc_fs *fs, uint64_t count)
{
    lossy_of(fs)->fail_sync = count;
}

void fs_lossy_set_capacity(struct fc_fs *fs, uint64_t bytes)
{
    lossy_of(fs)->capacity = bytes;
}

uint64_t fs_lossy_used(struct fc_fs *fs)
{
    return lossy_of(fs)->used;
}

uint64_t fs_lossy_room(struct fc_fs *fs)
{
    uint64_t room = 0;
    for (struct lossy_node *node = lossy_of(fs)->all; node != NULL; node = node->next) {
        room += node->room_end > node->now.size ? node->room_end - node->now.size : 0;
    }
    return room;
}

uint64_t fs_lossy_reads(struct fc_fs *fs)
{
    return lossy_of(fs)->reads;
}

uint64_t fs_lossy_syncs(struct fc_fs *fs)
{
    return lossy_of(fs)->syncs;
}

void fs_lossy_flip_byte(struct fc_fs *fs, const char *path, uint64_t at)
{
    struct lossy_node *node = lossy_node_at(lossy_of(fs), path);
    fc_assert(node != NULL && at < node->now.size);
    node->now.bytes[at] ^= 0x20;
    if (at < node->disk.size) {
        node->disk.bytes[at] ^= 0x20;
    }
}

void fs_lossy_cut_file(struct fc_fs *fs, const char *path, uint64_t size)
{
    struct lossy_node *node = lossy_node_at(lossy_of(fs), path);
    fc_assert(node != NULL && size < node->now.size);
    lossy_node_truncate(node, size);
    lossy_node_settle(node, NULL, NULL);
}

void fs_lossy_lose_file(struct fc_fs *fs, const char *path)
{
    const char *name = NULL;
    struct lossy_node *parent = lossy_parent_of(lossy_of(fs), path, &name);
    fc_assert(parent != NULL && lossy_node_find(parent, name) != NULL);
    lossy_node_link(parent, name, NULL);
    lossy_node_settle(parent, NULL, NULL);
}
