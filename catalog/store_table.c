/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/store_table.h"

#include <stdlib.h>

#include "core/base/alloc.h"

struct fc_store_row {
    int64_t revision;
    size_t key_len;
    size_t value_len;
    uint8_t bytes[]; /* key, then value */
};

void fc_store_table_release(struct fc_store_table *table)
{
    for (size_t index = 0; index < table->count; index++) {
        free(table->rows[index]);
    }
    free(table->rows);
    memset(table, 0, sizeof(*table));
}

static int compare(struct fc_slice a, struct fc_slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len == 0 ? 0 : memcmp(a.data, b.data, len);
    if (order != 0) {
        return order;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

struct fc_store_entry fc_store_table_at(const struct fc_store_table *table, size_t index)
{
    const struct fc_store_row *row = table->rows[index];
    struct fc_store_entry entry = { fc_slice_of(row->bytes, row->key_len),
                                    fc_slice_of(row->bytes + row->key_len, row->value_len),
                                    row->revision };
    return entry;
}

size_t fc_store_table_find(const struct fc_store_table *table, struct fc_slice prefix)
{
    size_t low = 0;
    size_t high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(fc_store_table_at(table, middle).key, prefix) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool fc_store_table_get(const struct fc_store_table *table, struct fc_slice key,
                        struct fc_store_entry *out_entry)
{
    size_t index = fc_store_table_find(table, key);
    if (index == table->count || compare(fc_store_table_at(table, index).key, key) != 0) {
        return false;
    }
    *out_entry = fc_store_table_at(table, index);
    return true;
}

static struct fc_store_row *new_row(const struct fc_store_entry *entry)
{
    struct fc_store_row *row =
        fc_alloc_zeroed(1, sizeof(*row) + entry->key.len + entry->value.len + 1);
    row->revision = entry->revision;
    row->key_len = entry->key.len;
    row->value_len = entry->value.len;
    memcpy(row->bytes, entry->key.data, entry->key.len);
    if (entry->value.len > 0) {
        memcpy(row->bytes + entry->key.len, entry->value.data, entry->value.len);
    }
    return row;
}

void fc_store_table_put(struct fc_store_table *table, const struct fc_store_entry *entry)
{
    size_t index = fc_store_table_find(table, entry->key);
    struct fc_store_entry present;
    bool there = fc_store_table_get(table, entry->key, &present);
    struct fc_store_row *row = entry->value.data == NULL ? NULL : new_row(entry);
    if (there) {
        table->bytes -= present.key.len + present.value.len;
        free(table->rows[index]);
        if (row != NULL) {
            table->rows[index] = row;
        } else {
            table->count--;
            memmove(&table->rows[index], &table->rows[index + 1],
                    (table->count - index) * sizeof(struct fc_store_row *));
        }
    } else if (row != NULL) {
        if (table->count == table->capacity) {
            table->capacity = table->capacity == 0 ? 16 : table->capacity * 2;
            table->rows =
                fc_realloc_array(table->rows, table->capacity, sizeof(struct fc_store_row *));
        }
        memmove(&table->rows[index + 1], &table->rows[index],
                (table->count - index) * sizeof(struct fc_store_row *));
        table->rows[index] = row;
        table->count++;
    }
    if (row != NULL) {
        table->bytes += row->key_len + row->value_len;
    }
}
