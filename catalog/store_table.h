/* SPDX-License-Identifier: Apache-2.0 */
/* A store's keys in memory, in the order of their bytes. Not thread-safe. */
#ifndef FC_CATALOG_STORE_TABLE_H
#define FC_CATALOG_STORE_TABLE_H

#include "catalog/store.h"

struct fc_store_row;

struct fc_store_table {
    struct fc_store_row **rows; /* ascending */
    size_t count;
    size_t capacity;
    size_t bytes; /* of all keys and values */
};

void fc_store_table_release(struct fc_store_table *table);

/* False when there is no such key. The entry borrows until the key changes. */
bool fc_store_table_get(const struct fc_store_table *table, struct fc_slice key,
                        struct fc_store_entry *out_entry);

/* Copies; a null value removes. */
void fc_store_table_put(struct fc_store_table *table, const struct fc_store_entry *entry);

/* The first row at or behind the prefix, and rows by number. */
size_t fc_store_table_find(const struct fc_store_table *table, struct fc_slice prefix);
struct fc_store_entry fc_store_table_at(const struct fc_store_table *table, size_t index);

static inline bool fc_store_key_begins(struct fc_slice key, struct fc_slice prefix)
{
    return key.len >= prefix.len &&
           (prefix.len == 0 || memcmp(key.data, prefix.data, prefix.len) == 0);
}

#endif
