/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store of what is declared and remembered about a cluster: paths ("acls/...") to bytes.
 *
 * One number, the revision, counts the changes of the whole store; each key knows the revision
 * that last changed it. A change can be made to depend on that (compare and set), and several
 * keys change together or not at all. The semantics are etcd's, so that a store behind a network
 * can stand behind the same interface: any call may then block or fail with FC_ERR_TIMEOUT.
 *
 * Thread: any number at once.
 */
#ifndef FC_CATALOG_STORE_H
#define FC_CATALOG_STORE_H

#include "core/base/buf.h"
#include "core/base/error.h"
#include "core/base/slice.h"

enum {
    FC_STORE_KEY_MAX = 4096,          /* bytes */
    FC_STORE_VALUE_MAX = 1024 * 1024, /* bytes */
    FC_STORE_CHANGES_MAX = 128        /* of one call of apply */
};

/* What a change may expect of its key beside a revision. */
enum { FC_STORE_ANYTHING = -1, FC_STORE_ABSENT = 0 };

struct fc_store_change {
    struct fc_slice key;
    struct fc_slice value; /* null: the key is removed */
    int64_t expected;      /* the revision that last changed the key, or one of the above */
};

/* Borrowed for the call that gets it. */
struct fc_store_entry {
    struct fc_slice key;
    struct fc_slice value; /* null in an event: the key was removed */
    int64_t revision;      /* that last changed it */
};

/* Embedded in what watches; stays where it is until it is unwatched. */
struct fc_store_watch {
    const char *prefix; /* of keys; outlives the watch */
    /* Once for each revision that changed such keys, in order. It may read the store, but not
     * change it. Any thread, one call at a time. */
    void (*on_change)(void *ctx, const struct fc_store_entry *events, size_t count);
    void *ctx;
    struct fc_store_watch *next;
};

struct fc_store;

struct fc_store_ops {
    fc_code (*get)(struct fc_store *store, struct fc_slice key, struct fc_buf *out_value,
                   int64_t *out_revision, struct fc_error *err);
    fc_code (*range)(struct fc_store *store, const char *prefix,
                     void (*on_entry)(void *ctx, const struct fc_store_entry *entry), void *ctx,
                     int64_t *out_revision, struct fc_error *err);
    fc_code (*apply)(struct fc_store *store, const struct fc_store_change *changes,
                     size_t count, int64_t *out_revision, struct fc_error *err);
    fc_code (*watch)(struct fc_store *store, struct fc_store_watch *watch, int64_t from,
                     struct fc_error *err);
    void (*unwatch)(struct fc_store *store, struct fc_store_watch *watch);
    void (*close)(struct fc_store *store);
};

/* Implementations put this first in their own structs. */
struct fc_store {
    const struct fc_store_ops *ops;
};

/* Append the key's value to out_value (NULL: it is not wanted). out_revision may be NULL.
 * Errors: FC_ERR_NOT_FOUND; FC_ERR_LIMIT (of out_value). */
FC_MUST_CHECK static inline fc_code fc_store_get(struct fc_store *store, struct fc_slice key,
                                                 struct fc_buf *out_value,
                                                 int64_t *out_revision, struct fc_error *err)
{
    return store->ops->get(store, key, out_value, out_revision, err);
}

/* All keys that begin with the prefix, in the order of their bytes, as of out_revision (may be
 * NULL). on_entry must not call the store. */
FC_MUST_CHECK static inline fc_code
fc_store_range(struct fc_store *store, const char *prefix,
               void (*on_entry)(void *ctx, const struct fc_store_entry *entry), void *ctx,
               int64_t *out_revision, struct fc_error *err)
{
    return store->ops->range(store, prefix, on_entry, ctx, out_revision, err);
}

/*
 * Make all changes, durable, as one revision (out_revision, may be NULL), or none of them. No key
 * stands there twice. Removing what is not there changes nothing.
 *
 * Errors: FC_ERR_REJECTED (a key is not as expected), FC_ERR_LIMIT (too long, too many),
 * FC_ERR_FULL, FC_ERR_IO. After FC_ERR_IO the changes may have been made or not.
 */
FC_MUST_CHECK static inline fc_code fc_store_apply(struct fc_store *store,
                                                   const struct fc_store_change *changes,
                                                   size_t count, int64_t *out_revision,
                                                   struct fc_error *err)
{
    return store->ops->apply(store, changes, count, out_revision, err);
}

/* One change; value null: remove. */
FC_MUST_CHECK static inline fc_code fc_store_put(struct fc_store *store, struct fc_slice key,
                                                 struct fc_slice value, int64_t expected,
                                                 struct fc_error *err)
{
    struct fc_store_change change = { key, value, expected };
    return store->ops->apply(store, &change, 1, NULL, err);
}

/*
 * Tell watch of every revision from `from` on; those that are there already are told before this
 * returns or soon after. A reader takes the revision of fc_store_range plus one.
 *
 * Errors: FC_ERR_NOT_FOUND (so old changes are not kept: read the range again).
 */
FC_MUST_CHECK static inline fc_code fc_store_watch(struct fc_store *store,
                                                   struct fc_store_watch *watch, int64_t from,
                                                   struct fc_error *err)
{
    return store->ops->watch(store, watch, from, err);
}

/* No call of on_change is under way afterwards. Not within one. Fine when not watched. */
static inline void fc_store_unwatch(struct fc_store *store, struct fc_store_watch *watch)
{
    store->ops->unwatch(store, watch);
}

/* Nobody watches any more. NULL is fine. */
static inline void fc_store_close(struct fc_store *store)
{
    if (store != NULL) {
        store->ops->close(store);
    }
}

#endif
