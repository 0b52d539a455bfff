/* SPDX-License-Identifier: Apache-2.0 */
/* A file or directory of fs_lossy: what calls see, what the disk has, and the changes between
 * the two. Guarded by the file system's lock. */
#ifndef FC_TEST_FS_LOSSY_NODE_H
#define FC_TEST_FS_LOSSY_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lossy_node;
struct lossy_change;

struct lossy_content {
    uint8_t *bytes;
    uint64_t size;
    uint64_t capacity;
};

struct lossy_name {
    char *name;
    struct lossy_node *node;
};

struct lossy_names {
    struct lossy_name *items;
    size_t count;
};

struct lossy_node {
    struct lossy_node *next; /* of all nodes */
    bool is_dir;
    bool locked;
    uint64_t room_end;  /* of what was reserved behind the end; takes no space here */
    int64_t changed_ms; /* -1: not known */
    struct lossy_content now;
    struct lossy_content disk;
    struct lossy_names names_now;
    struct lossy_names names_disk;
    struct lossy_change *changes; /* in order */
    size_t changes_count;
    size_t changes_capacity;
};

struct lossy_node *lossy_node_new(bool is_dir);
void lossy_node_free(struct lossy_node *node); /* not what it names */

/* The bytes do not cross a sector's border. */
void lossy_node_write(struct lossy_node *node, uint64_t at, const uint8_t *bytes, size_t size);
void lossy_node_truncate(struct lossy_node *node, uint64_t size);

struct lossy_node *lossy_node_find(const struct lossy_node *dir, const char *name);
/* Let the name stand for node; NULL removes it. */
void lossy_node_link(struct lossy_node *dir, const char *name, struct lossy_node *node);
void lossy_node_rename(struct lossy_node *dir, const char *from, const char *to);

/* Apply the changes to the disk, each only if survives(ctx) says so; NULL: all. */
void lossy_node_settle(struct lossy_node *node, bool (*survives)(void *ctx), void *ctx);

/* See from now on what the disk has. */
void lossy_node_restart(struct lossy_node *node);

#endif
