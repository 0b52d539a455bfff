/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fs_lossy_node.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

typedef enum change_kind {
    CHANGE_WRITE,
    CHANGE_TRUNCATE,
    CHANGE_LINK,
    CHANGE_RENAME
} change_kind;

struct lossy_change {
    change_kind kind;
    uint64_t at;             /* WRITE; TRUNCATE: the size */
    uint8_t *bytes;          /* WRITE */
    size_t size;             /* WRITE */
    char *name;              /* LINK; RENAME: the old one */
    char *new_name;          /* RENAME */
    struct lossy_node *node; /* LINK, RENAME */
};

struct lossy_node *lossy_node_new(bool is_dir)
{
    struct lossy_node *node = fc_new(struct lossy_node);
    node->is_dir = is_dir;
    return node;
}

static void free_names(struct lossy_names *names)
{
    for (size_t index = 0; index < names->count; index++) {
        free(names->items[index].name);
    }
    free(names->items);
    names->items = NULL;
    names->count = 0;
}

static void forget_changes(struct lossy_node *node)
{
    for (size_t index = 0; index < node->changes_count; index++) {
        free(node->changes[index].bytes);
        free(node->changes[index].name);
        free(node->changes[index].new_name);
    }
    node->changes_count = 0;
}

void lossy_node_free(struct lossy_node *node)
{
    forget_changes(node);
    free(node->changes);
    free(node->now.bytes);
    free(node->disk.bytes);
    free_names(&node->names_now);
    free_names(&node->names_disk);
    free(node);
}

static struct lossy_change *add_change(struct lossy_node *node, change_kind kind)
{
    struct lossy_change *change;
    if (node->changes_count == node->changes_capacity) {
        node->changes_capacity = node->changes_capacity == 0 ? 8 : node->changes_capacity * 2;
        node->changes =
            fc_realloc_array(node->changes, node->changes_capacity, sizeof(*node->changes));
    }
    change = &node->changes[node->changes_count++];
    memset(change, 0, sizeof(*change));
    change->kind = kind;
    return change;
}

static void set_size(struct lossy_content *content, uint64_t size)
{
    if (size > content->capacity) {
        uint64_t capacity = content->capacity * 2 > size ? content->capacity * 2 : size;
        content->bytes = fc_realloc_array(content->bytes, (size_t)capacity, 1);
        content->capacity = capacity;
    }
    if (size > content->size) {
        memset(content->bytes + content->size, 0, (size_t)(size - content->size));
    }
    content->size = size;
}

static void put_bytes(struct lossy_content *content, uint64_t at, const uint8_t *bytes,
                      size_t size)
{
    if (at + size > content->size) {
        set_size(content, at + size);
    }
    if (size > 0) {
        memcpy(content->bytes + at, bytes, size);
    }
}

void lossy_node_write(struct lossy_node *node, uint64_t at, const uint8_t *bytes, size_t size)
{
    struct lossy_change *change = add_change(node, CHANGE_WRITE);
    change->at = at;
    change->size = size;
    change->bytes = fc_new_array(uint8_t, size + 1);
    if (size > 0) {
        memcpy(change->bytes, bytes, size);
    }
    put_bytes(&node->now, at, bytes, size);
}

void lossy_node_truncate(struct lossy_node *node, uint64_t size)
{
    add_change(node, CHANGE_TRUNCATE)->at = size;
    set_size(&node->now, size);
}

static struct lossy_name *find_name(const struct lossy_names *names, const char *name)
{
    for (size_t index = 0; index < names->count; index++) {
        if (strcmp(names->items[index].name, name) == 0) {
            return &names->items[index];
        }
    }
    return NULL;
}

static void put_name(struct lossy_names *names, const char *name, struct lossy_node *node)
{
    struct lossy_name *found = find_name(names, name);
    if (found != NULL && node != NULL) {
        found->node = node;
    } else if (found != NULL) {
        free(found->name);
        *found = names->items[--names->count];
    } else if (node != NULL) {
        names->items = fc_realloc_array(names->items, names->count + 1, sizeof(*names->items));
        names->items[names->count].name = fc_strdup(name);
        names->items[names->count].node = node;
        names->count++;
    }
}

struct lossy_node *lossy_node_find(const struct lossy_node *dir, const char *name)
{
    const struct lossy_name *found = find_name(&dir->names_now, name);
    return found == NULL ? NULL : found->node;
}

void lossy_node_link(struct lossy_node *dir, const char *name, struct lossy_node *node)
{
    struct lossy_change *change = add_change(dir, CHANGE_LINK);
    change->name = fc_strdup(name);
    change->node = node;
    put_name(&dir->names_now, name, node);
}

void lossy_node_rename(struct lossy_node *dir, const char *from, const char *to)
{
    struct lossy_change *change = add_change(dir, CHANGE_RENAME);
    change->name = fc_strdup(from);
    change->new_name = fc_strdup(to);
    change->node = lossy_node_find(dir, from);
    put_name(&dir->names_now, from, NULL);
    put_name(&dir->names_now, to, change->node);
}

static void apply(struct lossy_node *node, const struct lossy_change *change)
{
    switch (change->kind) {
    case CHANGE_WRITE:
        put_bytes(&node->disk, change->at, change->bytes, change->size);
        break;
    case CHANGE_TRUNCATE:
        set_size(&node->disk, change->at);
        break;
    case CHANGE_LINK:
        put_name(&node->names_disk, change->name, change->node);
        break;
    case CHANGE_RENAME:
        put_name(&node->names_disk, change->name, NULL);
        put_name(&node->names_disk, change->new_name, change->node);
        break;
    }
}

void lossy_node_settle(struct lossy_node *node, bool (*survives)(void *ctx), void *ctx)
{
    for (size_t index = 0; index < node->changes_count; index++) {
        if (survives == NULL || survives(ctx)) {
            apply(node, &node->changes[index]);
        }
    }
    forget_changes(node);
}

void lossy_node_restart(struct lossy_node *node)
{
    set_size(&node->now, 0);
    put_bytes(&node->now, 0, node->disk.bytes, (size_t)node->disk.size);
    free_names(&node->names_now);
    for (size_t index = 0; index < node->names_disk.count; index++) {
        put_name(&node->names_now, node->names_disk.items[index].name,
                 node->names_disk.items[index].node);
    }
    node->locked = false;
}
