/* SPDX-License-Identifier: Apache-2.0 */
/* Chained buckets, doubled when there is more than one entry a slot; a cursor counts slots and
 * depth in a chain. */
#include "core/base/hashmap.h"

#include <stdlib.h>

#include <xxhash.h>

#include "core/base/alloc.h"

struct fc_hashmap_entry {
    struct fc_hashmap_entry *next;
    uint64_t hash;
    void *value;
    size_t key_len;
    uint8_t key[];
};

enum { HASHMAP_FIRST_SLOTS = 16 };

uint64_t fc_hash64(struct fc_slice bytes)
{
    return XXH3_64bits(bytes.data == NULL ? (const void *)"" : bytes.data, bytes.len);
}

void fc_hashmap_init(struct fc_hashmap *map)
{
    memset(map, 0, sizeof(*map));
}

void fc_hashmap_release(struct fc_hashmap *map, void (*on_value)(void *value))
{
    for (size_t slot = 0; slot < map->slot_count; slot++) {
        struct fc_hashmap_entry *entry = map->slots[slot];
        while (entry != NULL) {
            struct fc_hashmap_entry *next = entry->next;
            if (on_value != NULL) {
                on_value(entry->value);
            }
            free(entry);
            entry = next;
        }
    }
    free(map->slots);
    fc_hashmap_init(map);
}

/* The link that points at the entry for key, or at the NULL that ends its chain. */
static struct fc_hashmap_entry **find_link(const struct fc_hashmap *map, struct fc_slice key,
                                           uint64_t hash)
{
    struct fc_hashmap_entry **link = &map->slots[hash & (map->slot_count - 1)];
    while (*link != NULL && ((*link)->hash != hash || (*link)->key_len != key.len ||
                             (key.len > 0 && memcmp((*link)->key, key.data, key.len) != 0))) {
        link = &(*link)->next;
    }
    return link;
}

void *fc_hashmap_get(const struct fc_hashmap *map, struct fc_slice key)
{
    struct fc_hashmap_entry *entry =
        map->count == 0 ? NULL : *find_link(map, key, fc_hash64(key));
    return entry == NULL ? NULL : entry->value;
}

static void grow(struct fc_hashmap *map)
{
    size_t slot_count = map->slot_count == 0 ? HASHMAP_FIRST_SLOTS : map->slot_count * 2;
    struct fc_hashmap_entry **slots = fc_new_array(struct fc_hashmap_entry *, slot_count);
    for (size_t slot = 0; slot < map->slot_count; slot++) {
        struct fc_hashmap_entry *entry = map->slots[slot];
        while (entry != NULL) {
            struct fc_hashmap_entry *next = entry->next;
            entry->next = slots[entry->hash & (slot_count - 1)];
            slots[entry->hash & (slot_count - 1)] = entry;
            entry = next;
        }
    }
    free(map->slots);
    map->slots = slots;
    map->slot_count = slot_count;
}

void *fc_hashmap_put(struct fc_hashmap *map, struct fc_slice key, void *value)
{
    uint64_t hash = fc_hash64(key);
    struct fc_hashmap_entry **link;
    if (map->count >= map->slot_count) {
        grow(map);
    }
    link = find_link(map, key, hash);
    if (*link != NULL) {
        void *old = (*link)->value;
        (*link)->value = value;
        return old;
    }
    *link = fc_alloc_zeroed(1, sizeof(**link) + key.len);
    (*link)->hash = hash;
    (*link)->value = value;
    (*link)->key_len = key.len;
    if (key.len > 0) {
        memcpy((*link)->key, key.data, key.len);
    }
    map->count++;
    return NULL;
}

void *fc_hashmap_remove(struct fc_hashmap *map, struct fc_slice key)
{
    struct fc_hashmap_entry **link =
        map->count == 0 ? NULL : find_link(map, key, fc_hash64(key));
    struct fc_hashmap_entry *entry = link == NULL ? NULL : *link;
    void *value;
    if (entry == NULL) {
        return NULL;
    }
    value = entry->value;
    *link = entry->next;
    free(entry);
    map->count--;
    return value;
}

bool fc_hashmap_next(const struct fc_hashmap *map, size_t *cursor, struct fc_slice *out_key,
                     void **out_value)
{
    size_t seen = 0;
    for (size_t slot = *cursor >> 20; slot < map->slot_count; slot++) {
        size_t depth = slot == *cursor >> 20 ? *cursor & 0xfffff : 0;
        struct fc_hashmap_entry *entry = map->slots[slot];
        for (seen = 0; entry != NULL && seen < depth; seen++) {
            entry = entry->next;
        }
        if (entry != NULL) {
            *cursor = (slot << 20) | (depth + 1);
            *out_key = fc_slice_of(entry->key, entry->key_len);
            *out_value = entry->value;
            return true;
        }
    }
    *cursor = map->slot_count << 20;
    return false;
}
