/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/auth/acl_store.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/arena.h"
#include "core/spu/auth/path.h"

enum { PART_MAX = 1024 };

void fc_acl_key_append(struct fc_buf *to, const struct fc_acl *acl)
{
    fc_buf_append_fmt(to, FC_ACL_STORE_PREFIX "%s/%s/", fc_resource_name(acl->resource),
                      fc_pattern_name(acl->pattern));
    fc_path_append(to, acl->name);
    fc_buf_append_u8(to, '/');
    fc_path_append(to, acl->principal);
    fc_buf_append_u8(to, '/');
    fc_path_append(to, acl->host);
    fc_buf_append_fmt(to, "/%s/%s", fc_operation_name(acl->operation),
                      fc_permission_name(acl->permission));
}

/* Entries as they come, with the texts that they point to. */
struct list {
    struct fc_acl *items;
    size_t count;
    size_t capacity;
    struct fc_arena texts;
    struct fc_buf part;
    struct fc_error *err;
    fc_code code;
};

static struct fc_slice take(struct list *list, struct fc_slice *path)
{
    fc_buf_clear(&list->part);
    return fc_path_take(path, &list->part)
               ? fc_arena_copy(&list->texts, fc_slice_of(list->part.data, list->part.len))
               : fc_slice_null();
}

static void add_entry(void *ctx, const struct fc_store_entry *entry)
{
    struct list *list = ctx;
    struct fc_slice path = entry->key;
    struct fc_acl acl;
    path.data += strlen(FC_ACL_STORE_PREFIX);
    path.len -= strlen(FC_ACL_STORE_PREFIX);
    acl.resource = (fc_resource)fc_resource_of(take(list, &path));
    acl.pattern = (fc_pattern)fc_pattern_of(take(list, &path));
    acl.name = take(list, &path);
    acl.principal = take(list, &path);
    acl.host = take(list, &path);
    acl.operation = (fc_operation)fc_operation_of(take(list, &path));
    acl.permission = (fc_permission)fc_permission_of(take(list, &path));
    if ((int)acl.resource == 0 || (int)acl.pattern == 0 || acl.name.data == NULL ||
        acl.name.len > FC_ACL_NAME_MAX || acl.principal.data == NULL ||
        acl.principal.len > FC_ACL_PRINCIPAL_MAX || acl.host.data == NULL ||
        (int)acl.operation == 0 || (int)acl.permission == 0 || path.len != 0) {
        list->code = fc_fail(list->err, FC_ERR_CORRUPT, "the store's key %.*s is no ACL",
                             (int)entry->key.len, (const char *)entry->key.data);
        return;
    }
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        list->items = fc_realloc_array(list->items, list->capacity, sizeof(struct fc_acl));
    }
    list->items[list->count++] = acl;
}

fc_code fc_acls_load(struct fc_store *store, struct fc_acls **out_acls, int64_t *out_revision,
                     struct fc_error *err)
{
    struct list list = { .err = err };
    fc_code code;
    fc_arena_init(&list.texts, SIZE_MAX / 2); /* as large as the store at most */
    fc_buf_init(&list.part, PART_MAX);
    code = fc_store_range(store, FC_ACL_STORE_PREFIX, add_entry, &list, out_revision, err);
    code = code == FC_OK ? list.code : code;
    if (code == FC_OK) {
        *out_acls = fc_acls_new(list.items, list.count);
    }
    fc_buf_release(&list.part);
    fc_arena_release(&list.texts);
    free(list.items);
    return code;
}
