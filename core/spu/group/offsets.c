/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/group/offsets.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/buf.h"
#include "core/spu/group/group_state.h"

/* A topic's name is at most 249 bytes; what is read from a damaged log may be longer. */
enum { KEY_SIZE = 4 + 1024 };

/* One commit that a transaction holds back. */
struct fc_offsets_pending {
    int64_t producer_id;
    struct fc_slice key; /* owned */
    struct fc_committed committed;
    struct fc_offsets_pending *next; /* older ones first */
};

/* Partition (4 bytes, as in memory), then the topic's name. The null slice when it is too long. */
static struct fc_slice key_of(struct fc_slice topic, int32_t partition, uint8_t to[KEY_SIZE])
{
    if (topic.len > KEY_SIZE - sizeof(partition)) {
        return fc_slice_null();
    }
    memcpy(to, &partition, sizeof(partition));
    if (topic.len > 0) {
        memcpy(to + sizeof(partition), topic.data, topic.len);
    }
    return fc_slice_of(to, sizeof(partition) + topic.len);
}

static void free_committed(void *value)
{
    struct fc_committed *committed = value;
    if (committed != NULL) {
        fc_group_disown(&committed->metadata);
        free(committed);
    }
}

static void free_pending(struct fc_offsets_pending *pending)
{
    fc_group_disown(&pending->key);
    fc_group_disown(&pending->committed.metadata);
    free(pending);
}

void fc_group_offsets_init(struct fc_group_offsets *offsets)
{
    fc_hashmap_init(&offsets->committed);
    offsets->pending = NULL;
}

void fc_group_offsets_release(struct fc_group_offsets *offsets)
{
    fc_hashmap_release(&offsets->committed, free_committed);
    while (offsets->pending != NULL) {
        struct fc_offsets_pending *next = offsets->pending->next;
        free_pending(offsets->pending);
        offsets->pending = next;
    }
}

static struct fc_committed *copy_of(const struct fc_committed *committed)
{
    struct fc_committed *copy = fc_new(struct fc_committed);
    *copy = *committed;
    copy->metadata = fc_group_own(committed->metadata);
    return copy;
}

static void commit_key(struct fc_group_offsets *offsets, struct fc_slice key,
                       const struct fc_committed *committed)
{
    const struct fc_committed *now = fc_hashmap_get(&offsets->committed, key);
    if (now == NULL || now->log_offset <= committed->log_offset) {
        free_committed(fc_hashmap_put(&offsets->committed, key, copy_of(committed)));
    }
}

void fc_group_offsets_commit(struct fc_group_offsets *offsets, struct fc_slice topic,
                             int32_t partition, const struct fc_committed *committed)
{
    uint8_t to[KEY_SIZE];
    struct fc_slice key = key_of(topic, partition, to);
    if (key.data != NULL) {
        commit_key(offsets, key, committed);
    }
}

void fc_group_offsets_commit_later(struct fc_group_offsets *offsets, int64_t producer_id,
                                   struct fc_slice topic, int32_t partition,
                                   const struct fc_committed *committed)
{
    uint8_t to[KEY_SIZE];
    struct fc_slice key = key_of(topic, partition, to);
    struct fc_offsets_pending **last = &offsets->pending;
    struct fc_offsets_pending *pending;
    if (key.data == NULL) {
        return;
    }
    while (*last != NULL) {
        last = &(*last)->next;
    }
    pending = fc_new(struct fc_offsets_pending);
    pending->producer_id = producer_id;
    pending->key = fc_group_own(key);
    pending->committed = *committed;
    pending->committed.metadata = fc_group_own(committed->metadata);
    *last = pending;
}

void fc_group_offsets_end(struct fc_group_offsets *offsets, int64_t producer_id, bool commit)
{
    struct fc_offsets_pending **link = &offsets->pending;
    while (*link != NULL) {
        struct fc_offsets_pending *pending = *link;
        if (pending->producer_id != producer_id) {
            link = &pending->next;
            continue;
        }
        if (commit) {
            commit_key(offsets, pending->key, &pending->committed);
        }
        *link = pending->next;
        free_pending(pending);
    }
}

const struct fc_committed *fc_group_offsets_get(const struct fc_group_offsets *offsets,
                                                struct fc_slice topic, int32_t partition)
{
    uint8_t to[KEY_SIZE];
    struct fc_slice key = key_of(topic, partition, to);
    return key.data == NULL ? NULL : fc_hashmap_get(&offsets->committed, key);
}

bool fc_group_offsets_is_pending(const struct fc_group_offsets *offsets, struct fc_slice topic,
                                 int32_t partition)
{
    uint8_t to[KEY_SIZE];
    struct fc_slice key = key_of(topic, partition, to);
    const struct fc_offsets_pending *pending = offsets->pending;
    while (pending != NULL && !fc_slice_equal(pending->key, key)) {
        pending = pending->next;
    }
    return pending != NULL;
}

bool fc_group_offsets_any_pending(const struct fc_group_offsets *offsets)
{
    return offsets->pending != NULL;
}

bool fc_group_offsets_remove(struct fc_group_offsets *offsets, struct fc_slice topic,
                             int32_t partition)
{
    uint8_t to[KEY_SIZE];
    struct fc_slice key = key_of(topic, partition, to);
    void *removed = key.data == NULL ? NULL : fc_hashmap_remove(&offsets->committed, key);
    free_committed(removed);
    return removed != NULL;
}

bool fc_group_offsets_next(const struct fc_group_offsets *offsets, size_t *cursor,
                           struct fc_slice *out_topic, int32_t *out_partition,
                           const struct fc_committed **out_committed)
{
    struct fc_slice key;
    void *value = NULL;
    if (!fc_hashmap_next(&offsets->committed, cursor, &key, &value)) {
        return false;
    }
    memcpy(out_partition, key.data, sizeof(*out_partition));
    *out_topic =
        fc_slice_of(key.data + sizeof(*out_partition), key.len - sizeof(*out_partition));
    *out_committed = value;
    return true;
}
