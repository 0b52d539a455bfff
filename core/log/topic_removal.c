/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removing a topic: topic.json says first that it is deleted, then its directories are renamed
 * to names that no topic can have, then they are emptied. Whatever a crash leaves, the next open
 * goes on from there.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/log/topic_store.h"

/* Topics' directories end with a number. */
#define ASIDE_PREFIX ".deleted-"
#define ASIDE_SUFFIX ".d"

fc_code fc_topic_store_set_aside(struct fc_fs *fs, const char *dir, const char *name,
                                 const struct fc_topic_record *record, struct fc_error *err)
{
    char id[FC_UUID_TEXT_SIZE];
    fc_code code = FC_OK;
    fc_uuid_to_text(record->id, id);
    for (uint32_t left = record->partitions; code == FC_OK && left > 0; left--) {
        char *from = fc_topic_store_partition_dir(dir, name, left - 1);
        char *to =
            fc_asprintf("%s/" ASIDE_PREFIX "%s-%" PRIu32 ASIDE_SUFFIX, dir, id, left - 1);
        if (left == 1) {
            code = fs->ops->sync_dir(fs, dir, err); /* the others are gone for good */
        }
        if (code == FC_OK) {
            code = fs->ops->rename(fs, from, to, err);
            code = code == FC_ERR_NOT_FOUND ? FC_OK : code;
        }
        free(from);
        free(to);
    }
    return code == FC_OK ? fs->ops->sync_dir(fs, dir, err) : code;
}

struct names {
    char **items;
    size_t count;
};

static void add_name(struct names *names, const char *name)
{
    names->items = fc_realloc_array(names->items, names->count + 1, sizeof(char *));
    names->items[names->count++] = fc_strdup(name);
}

static void free_names(struct names *names)
{
    for (size_t index = 0; index < names->count; index++) {
        free(names->items[index]);
    }
    free(names->items);
}

static int on_any(void *ctx, const char *name)
{
    add_name(ctx, name);
    return 0;
}

static int on_aside(void *ctx, const char *name)
{
    size_t length = strlen(name);
    size_t suffix = strlen(ASIDE_SUFFIX);
    if (strncmp(name, ASIDE_PREFIX, strlen(ASIDE_PREFIX)) == 0 && length > suffix &&
        strcmp(name + length - suffix, ASIDE_SUFFIX) == 0) {
        add_name(ctx, name);
    }
    return 0;
}

static fc_code remove_dir(struct fc_fs *fs, const char *path, struct fc_error *err)
{
    struct names names = { 0 };
    fc_code code = fs->ops->list(fs, path, on_any, &names, err);
    for (size_t index = 0; code == FC_OK && index < names.count; index++) {
        char *file = fc_asprintf("%s/%s", path, names.items[index]);
        code = fs->ops->remove(fs, file, err);
        code = code == FC_ERR_NOT_FOUND ? FC_OK : code;
        free(file);
    }
    free_names(&names);
    if (code == FC_OK) {
        code = fs->ops->remove(fs, path, err);
    }
    return code == FC_ERR_NOT_FOUND ? FC_OK : code;
}

fc_code fc_topic_store_sweep(struct fc_fs *fs, const char *dir, struct fc_error *err)
{
    struct names names = { 0 };
    fc_code code = fs->ops->list(fs, dir, on_aside, &names, err);
    for (size_t index = 0; code == FC_OK && index < names.count; index++) {
        char *path = fc_asprintf("%s/%s", dir, names.items[index]);
        code = remove_dir(fs, path, err);
        free(path);
    }
    free_names(&names);
    return code;
}
