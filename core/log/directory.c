/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/directory.h"

#include <stdlib.h>

#include "core/base/alloc.h"

static int on_entry(void *ctx, const char *name)
{
    struct fc_directory *directory = ctx;
    struct fc_directory_name found;
    if (!fc_segment_parse_name(name, &found.base, &found.kind, &found.swap)) {
        return 0;
    }
    if (directory->count == directory->capacity) {
        directory->capacity = directory->capacity == 0 ? 64 : directory->capacity * 2;
        directory->names =
            fc_realloc_array(directory->names, directory->capacity, sizeof(found));
    }
    directory->names[directory->count++] = found;
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct fc_directory_name *left = a;
    const struct fc_directory_name *right = b;
    if (left->base != right->base) {
        return left->base < right->base ? -1 : 1;
    }
    if (left->kind != right->kind) {
        return (int)left->kind - (int)right->kind;
    }
    return (int)left->swap - (int)right->swap;
}

fc_code fc_directory_read(struct fc_directory *directory, struct fc_fs *fs, const char *path,
                          struct fc_error *err)
{
    fc_code code;
    memset(directory, 0, sizeof(*directory));
    code = fs->ops->list(fs, path, on_entry, directory, err);
    if (directory->count > 0) {
        qsort(directory->names, directory->count, sizeof(*directory->names), compare);
    }
    return code;
}

void fc_directory_release(struct fc_directory *directory)
{
    free(directory->names);
    memset(directory, 0, sizeof(*directory));
}

bool fc_directory_has_log(const struct fc_directory *directory, int64_t base)
{
    struct fc_directory_name wanted = { base, FC_SEGMENT_LOG, false };
    return directory->count > 0 && bsearch(&wanted, directory->names, directory->count,
                                           sizeof(wanted), compare) != NULL;
}

bool fc_directory_has_any_log(const struct fc_directory *directory)
{
    for (size_t index = 0; index < directory->count; index++) {
        if (directory->names[index].kind == FC_SEGMENT_LOG && !directory->names[index].swap) {
            return true;
        }
    }
    return false;
}
