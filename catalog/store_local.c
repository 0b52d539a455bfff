/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A change is appended to the file and synced, then it becomes visible, then watchers are told.
 * One change at a time: the order of the file, of revisions and of what watchers see is one.
 *
 * The file is replaced by a fresh one when most of it is old, and at each start: what a sync that
 * failed left in the system's cache, but maybe not on the disk, is thereby written again. After
 * a failure that leaves open what the file holds, nothing is changed until the store is opened
 * again; reading goes on.
 */
#include "catalog/store_local.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#include "catalog/store_file.h"
#include "core/base/alloc.h"

enum {
    STORE_BYTES_MAX = 256 * 1024 * 1024, /* keys and values */
    FILE_BYTES_MAX = 1024 * 1024 * 1024,
    FILE_SPARE = 64 * 1024, /* old bytes that are not worth a new file */
    ROW_OVERHEAD = 40,      /* of a row in the file */
    HISTORY_COUNT = 256,    /* revisions kept for watchers that come late */
    HISTORY_BYTES_MAX = 4 * 1024 * 1024
};

/* One revision's changes. */
struct change_set {
    int64_t revision;
    struct fc_store_entry *entries;
    size_t count;
    size_t bytes;
};

struct local {
    struct fc_store store;
    struct fc_fs *fs;
    char *path;
    pthread_mutex_t
        change_lock; /* held for a whole change, with its watchers; first of the two */
    /* Guarded by change_lock. */
    struct fc_file *file;
    struct fc_store_file state; /* the revision is also guarded by lock */
    bool broken;
    bool dirty; /* something was appended since the file was written or closed */
    struct fc_store_watch *watches;
    struct change_set history[HISTORY_COUNT]; /* by revision, modulo */
    size_t history_bytes;
    int64_t history_first; /* the oldest revision that is kept */
    pthread_mutex_t lock;
    /* Guarded by lock; the holder of change_lock may read it without. */
    struct fc_store_table table;
};

static struct local *local_of(struct fc_store *store)
{
    return (struct local *)store;
}

/* --- the file --- */

static fc_code read_file(struct local *local, struct fc_error *err)
{
    struct fc_buf bytes;
    fc_code code;
    fc_buf_init(&bytes, FILE_BYTES_MAX);
    code = fc_fs_read_whole(local->fs, local->path, &bytes, err);
    if (code == FC_OK) {
        code = fc_store_file_decode(fc_buf_slice(&bytes), local->path, &local->table,
                                    &local->state, err);
    }
    fc_buf_release(&bytes);
    return code == FC_ERR_NOT_FOUND ? FC_OK : code;
}

/* A fresh file of what the table holds. */
static fc_code replace_file(struct local *local, struct fc_error *err)
{
    struct fc_store_file state;
    struct fc_buf bytes;
    struct fc_file *file = NULL;
    fc_code code;
    fc_buf_init(&bytes, FILE_BYTES_MAX);
    fc_store_file_encode(&bytes, &local->table, local->state.revision, &state);
    code = fc_buf_check(&bytes, local->path, err);
    if (code == FC_OK) {
        code = fc_fs_replace(local->fs, local->path, bytes.data, bytes.len, err);
    }
    if (code == FC_OK) {
        code = local->fs->ops->open(local->fs, local->path, FC_FS_WRITE, &file, err);
    }
    fc_buf_release(&bytes);
    if (code == FC_OK) {
        local->fs->ops->close(local->file);
        local->file = file;
        local->state.salt = state.salt; /* the revision stays: others may be reading it */
        local->state.size = state.size;
        local->dirty = false;
    }
    return code;
}

static void replace_if_old(struct local *local)
{
    uint64_t live = local->table.bytes + local->table.count * ROW_OVERHEAD;
    struct fc_error err;
    if (local->state.size > 2 * live + FILE_SPARE && !local->broken) {
        /* Whether the old file or the new one has the name is not known after a failure. */
        local->broken = replace_file(local, &err) != FC_OK;
    }
}

static fc_code append(struct local *local, const struct fc_store_entry *entries, size_t count,
                      int64_t revision, struct fc_error *err)
{
    const struct fc_fs_ops *ops = local->fs->ops;
    struct fc_buf record;
    struct iovec part;
    fc_code code;
    fc_buf_init(&record, FC_STORE_RECORD_SIZE_MAX);
    fc_store_record_encode(&record, local->state.salt, local->state.size, revision, entries,
                           count);
    code = fc_buf_check(&record, "a change", err);
    if (code == FC_OK) {
        part.iov_base = record.data;
        part.iov_len = record.len;
        code = ops->write(local->file, local->state.size, &part, 1, err);
        if (code != FC_OK) {
            /* Nothing was synced: without these bytes nothing has happened. */
            local->broken = ops->truncate(local->file, local->state.size, NULL) != FC_OK;
        } else {
            code = ops->sync(local->file, err);
            local->broken = code != FC_OK;
        }
    }
    if (code == FC_OK) {
        local->state.size += record.len;
        local->dirty = true;
    }
    fc_buf_release(&record);
    return code == FC_OK ? FC_OK : fc_wrap(err, "write %s", local->path);
}

/* --- reading --- */

static fc_code local_get(struct fc_store *store, struct fc_slice key, struct fc_buf *out_value,
                         int64_t *out_revision, struct fc_error *err)
{
    struct local *local = local_of(store);
    struct fc_store_entry entry;
    fc_code code = FC_OK;
    (void)pthread_mutex_lock(&local->lock);
    if (!fc_store_table_get(&local->table, key, &entry)) {
        code =
            fc_fail(err, FC_ERR_NOT_FOUND, "no key %.*s", (int)key.len, (const char *)key.data);
    } else {
        if (out_value != NULL) {
            fc_buf_append_slice(out_value, entry.value);
            code = fc_buf_check(out_value, "a value", err);
        }
        if (out_revision != NULL) {
            *out_revision = entry.revision;
        }
    }
    (void)pthread_mutex_unlock(&local->lock);
    return code;
}

static fc_code local_range(struct fc_store *store, const char *prefix,
                           void (*on_entry)(void *ctx, const struct fc_store_entry *entry),
                           void *ctx, int64_t *out_revision, struct fc_error *err)
{
    struct local *local = local_of(store);
    struct fc_slice begins = fc_slice_text(prefix);
    (void)err;
    (void)pthread_mutex_lock(&local->lock);
    for (size_t index = fc_store_table_find(&local->table, begins); index < local->table.count;
         index++) {
        struct fc_store_entry entry = fc_store_table_at(&local->table, index);
        if (!fc_store_key_begins(entry.key, begins)) {
            break;
        }
        on_entry(ctx, &entry);
    }
    if (out_revision != NULL) {
        *out_revision = local->state.revision;
    }
    (void)pthread_mutex_unlock(&local->lock);
    return FC_OK;
}

/* --- watching --- */

static void tell(const struct fc_store_watch *watch, const struct change_set *set)
{
    struct fc_store_entry *wanted = fc_new_array(struct fc_store_entry, set->count + 1);
    struct fc_slice prefix = fc_slice_text(watch->prefix);
    size_t count = 0;
    for (size_t index = 0; index < set->count; index++) {
        if (fc_store_key_begins(set->entries[index].key, prefix)) {
            wanted[count++] = set->entries[index];
        }
    }
    if (count > 0) {
        watch->on_change(watch->ctx, wanted, count);
    }
    free(wanted);
}

static void forget(struct local *local, struct change_set *set)
{
    for (size_t index = 0; index < set->count; index++) {
        free(fc_unconst(set->entries[index].key.data)); /* ours: key and value */
    }
    free(set->entries);
    local->history_bytes -= set->bytes;
    memset(set, 0, sizeof(*set));
}

static struct change_set *set_at(struct local *local, int64_t revision)
{
    return &local->history[(uint64_t)revision % HISTORY_COUNT];
}

/* Keep a copy of the newest revision's changes, and the size of all copies bounded. */
static struct change_set *remember(struct local *local, const struct fc_store_entry *entries,
                                   size_t count, int64_t revision)
{
    struct change_set *set = set_at(local, revision);
    if (set->revision != 0) {
        forget(local, set);
    }
    set->revision = revision;
    set->entries = fc_new_array(struct fc_store_entry, count + 1);
    for (size_t index = 0; index < count; index++) {
        const struct fc_store_entry *entry = &entries[index];
        uint8_t *bytes = fc_alloc_zeroed(1, entry->key.len + entry->value.len + 1);
        memcpy(bytes, entry->key.data, entry->key.len);
        if (entry->value.len > 0) {
            memcpy(bytes + entry->key.len, entry->value.data, entry->value.len);
        }
        set->entries[index].revision = revision;
        set->entries[index].key = fc_slice_of(bytes, entry->key.len);
        if (entry->value.data != NULL) {
            set->entries[index].value = fc_slice_of(bytes + entry->key.len, entry->value.len);
        }
        set->bytes += entry->key.len + entry->value.len;
    }
    set->count = count;
    local->history_bytes += set->bytes;
    if (local->history_first <= revision - HISTORY_COUNT) {
        local->history_first = revision - HISTORY_COUNT + 1;
    }
    while (local->history_bytes > HISTORY_BYTES_MAX && local->history_first < revision) {
        forget(local, set_at(local, local->history_first++));
    }
    return set;
}

static fc_code local_watch(struct fc_store *store, struct fc_store_watch *watch, int64_t from,
                           struct fc_error *err)
{
    struct local *local = local_of(store);
    fc_code code = FC_OK;
    (void)pthread_mutex_lock(&local->change_lock);
    if (from < local->history_first) {
        code = fc_fail(err, FC_ERR_NOT_FOUND,
                       "changes of revision %" PRId64 " are not kept any more", from);
    } else {
        for (int64_t revision = from; revision <= local->state.revision; revision++) {
            tell(watch, set_at(local, revision));
        }
        watch->next = local->watches;
        local->watches = watch;
    }
    (void)pthread_mutex_unlock(&local->change_lock);
    return code;
}

static void local_unwatch(struct fc_store *store, struct fc_store_watch *watch)
{
    struct local *local = local_of(store);
    (void)pthread_mutex_lock(&local->change_lock);
    for (struct fc_store_watch **link = &local->watches; *link != NULL; link = &(*link)->next) {
        if (*link == watch) {
            *link = watch->next;
            break;
        }
    }
    (void)pthread_mutex_unlock(&local->change_lock);
}

/* --- changing --- */

static fc_code check_change(const struct local *local, const struct fc_store_change *changes,
                            size_t which, struct fc_error *err)
{
    const struct fc_store_change *change = &changes[which];
    struct fc_store_entry present = { .revision = FC_STORE_ABSENT };
    if (change->key.len == 0 || change->key.len > FC_STORE_KEY_MAX ||
        change->value.len > FC_STORE_VALUE_MAX) {
        return fc_fail(err, FC_ERR_LIMIT, "a key has 1 to %d bytes, a value at most %d",
                       FC_STORE_KEY_MAX, FC_STORE_VALUE_MAX);
    }
    for (size_t index = 0; index < which; index++) {
        fc_assert(!fc_slice_equal(changes[index].key, change->key));
    }
    (void)fc_store_table_get(&local->table, change->key, &present);
    if (change->expected != FC_STORE_ANYTHING && change->expected != present.revision) {
        return fc_fail_retriable(
            err, FC_ERR_REJECTED, "%.*s was changed by another (revision %" PRId64 ")",
            (int)change->key.len, (const char *)change->key.data, present.revision);
    }
    return FC_OK;
}

/* What really changes. */
static fc_code check_all(const struct local *local, const struct fc_store_change *changes,
                         size_t count, struct fc_store_entry *out_entries, size_t *out_count,
                         struct fc_error *err)
{
    size_t bytes = local->table.bytes;
    if (local->broken) {
        return fc_fail(err, FC_ERR_IO,
                       "%s could not be written before; restart the node to go on",
                       local->path);
    }
    if (count > FC_STORE_CHANGES_MAX) {
        return fc_fail(err, FC_ERR_LIMIT, "more than %d changes at once", FC_STORE_CHANGES_MAX);
    }
    for (size_t index = 0; index < count; index++) {
        struct fc_store_entry present;
        fc_code code = check_change(local, changes, index, err);
        if (code != FC_OK) {
            return code;
        }
        if (changes[index].value.data != NULL ||
            fc_store_table_get(&local->table, changes[index].key, &present)) {
            out_entries[*out_count].key = changes[index].key;
            out_entries[(*out_count)++].value = changes[index].value;
            bytes += changes[index].key.len + changes[index].value.len;
        }
    }
    return bytes <= STORE_BYTES_MAX ? FC_OK
                                    : fc_fail(err, FC_ERR_LIMIT, "%s holds at most %d bytes",
                                              local->path, STORE_BYTES_MAX);
}

static fc_code local_apply(struct fc_store *store, const struct fc_store_change *changes,
                           size_t count, int64_t *out_revision, struct fc_error *err)
{
    struct local *local = local_of(store);
    struct fc_store_entry entries[FC_STORE_CHANGES_MAX] = { 0 };
    size_t entries_count = 0;
    fc_code code;
    (void)pthread_mutex_lock(&local->change_lock);
    code = check_all(local, changes, count, entries, &entries_count, err);
    if (code == FC_OK && entries_count > 0) {
        const int64_t revision = local->state.revision + 1;
        code = append(local, entries, entries_count, revision, err);
        if (code == FC_OK) {
            const struct change_set *set;
            (void)pthread_mutex_lock(&local->lock);
            for (size_t index = 0; index < entries_count; index++) {
                entries[index].revision = revision;
                fc_store_table_put(&local->table, &entries[index]);
            }
            local->state.revision = revision;
            (void)pthread_mutex_unlock(&local->lock);
            set = remember(local, entries, entries_count, revision);
            replace_if_old(local);
            for (struct fc_store_watch *watch = local->watches; watch != NULL;
                 watch = watch->next) {
                tell(watch, set);
            }
        }
    }
    if (code == FC_OK && out_revision != NULL) {
        *out_revision = local->state.revision;
    }
    (void)pthread_mutex_unlock(&local->change_lock);
    return code;
}

/* --- opening and closing --- */

static void local_close(struct fc_store *store)
{
    struct local *local = local_of(store);
    if (local->file != NULL && local->dirty && !local->broken) {
        /* Without this mark a damaged last record would be taken for a torn one. */
        (void)append(local, NULL, 0, local->state.revision, NULL);
    }
    local->fs->ops->close(local->file);
    for (size_t index = 0; index < HISTORY_COUNT; index++) {
        forget(local, &local->history[index]);
    }
    fc_store_table_release(&local->table);
    (void)pthread_mutex_destroy(&local->lock);
    (void)pthread_mutex_destroy(&local->change_lock);
    free(local->path);
    free(local);
}

static const struct fc_store_ops OPS = { local_get,   local_range,   local_apply,
                                         local_watch, local_unwatch, local_close };

fc_code fc_store_local_open(struct fc_fs *fs, const char *dir, struct fc_store **out_store,
                            struct fc_error *err)
{
    struct local *local = fc_new(struct local);
    fc_code code;
    local->store.ops = &OPS;
    local->fs = fs;
    local->path = fc_asprintf("%s/" FC_STORE_LOCAL_NAME, dir);
    (void)pthread_mutex_init(&local->change_lock, NULL); /* cannot fail on Linux */
    (void)pthread_mutex_init(&local->lock, NULL);
    code = read_file(local, err);
    if (code == FC_OK) {
        code = replace_file(local, err);
    }
    if (code != FC_OK) {
        local_close(&local->store);
        return code;
    }
    local->history_first = local->state.revision + 1;
    *out_store = &local->store;
    return FC_OK;
}
