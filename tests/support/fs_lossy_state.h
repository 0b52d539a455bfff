/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of fs_lossy, for its own files only. */
#ifndef FC_TEST_FS_LOSSY_STATE_H
#define FC_TEST_FS_LOSSY_STATE_H

#include <pthread.h>

#include "core/base/clock.h"
#include "core/base/fs.h"
#include "tests/support/fs_lossy_node.h"

struct lossy_fs {
    struct fc_fs base;
    pthread_mutex_t lock;
    /* Guarded by lock. */
    struct lossy_node *root;
    struct lossy_node *all; /* chained by next; freed at the end */
    size_t sector_size;
    uint64_t random;
    uint64_t generation; /* of open files; older ones are dead */
    uint64_t cut_after;
    bool off;
    uint64_t fail_write;
    uint64_t fail_sync;
    uint64_t capacity;
    uint64_t used;
    uint64_t reads;
    uint64_t syncs;
    const struct fc_clock *clock; /* or NULL */
};

struct lossy_file {
    struct fc_file base;
    struct lossy_node *node;
    uint64_t generation;
    bool locked;
};

struct lossy_fs *lossy_of(struct fc_fs *fs);
uint64_t lossy_random(struct lossy_fs *fs);
bool lossy_coin(void *fs);
struct lossy_node *lossy_new_node(struct lossy_fs *fs, bool is_dir);

/* The directory that holds the path's last name, or NULL. */
struct lossy_node *lossy_parent_of(struct lossy_fs *fs, const char *path,
                                   const char **out_name);
struct lossy_node *lossy_node_at(struct lossy_fs *fs, const char *path);

/* The node changes now. */
void lossy_touch(const struct lossy_fs *fs, struct lossy_node *node);
fc_code lossy_modified(struct fc_fs *fs, const char *path, int64_t *out_ms,
                       struct fc_error *err);

const struct fc_fs_ops *lossy_ops(void);

#endif
