/* SPDX-License-Identifier: Apache-2.0 */
/* Aborted transactions of a stretch of the log: from the files of its closed segments, and from
 * memory for those that are not written yet. */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/log/aborted.h"
#include "core/log/fetch.h"
#include "core/log/lookup.h"
#include "core/log/partition_state.h"

struct found {
    struct fc_aborted *items;
    size_t count;
};

static void add(struct found *found, const struct fc_aborted *items, size_t count, int64_t from,
                int64_t to)
{
    found->items =
        fc_realloc_array(found->items, found->count + count + 1, sizeof(struct fc_aborted));
    for (size_t index = 0; index < count; index++) {
        if (items[index].last_offset >= from && items[index].first_offset < to) {
            found->items[found->count++] = items[index];
        }
    }
}

/* Bases of closed segments with a file, from the one that holds `from` on; markers of
 * transactions that begin before `to` may be in any of them. lock is held. */
static int64_t *files_from(const struct fc_partition *partition, int64_t from,
                           size_t *out_count)
{
    size_t first = partition->aborted_files_count;
    int64_t *bases;
    while (first > 0 && partition->aborted_files[first - 1] > from) {
        first--;
    }
    first -= first > 0; /* that segment may hold `from` */
    *out_count = partition->aborted_files_count - first;
    bases = fc_new_array(int64_t, *out_count + 1);
    for (size_t index = 0; index < *out_count; index++) {
        bases[index] = partition->aborted_files[first + index];
    }
    return bases;
}

/* With the last stable offset at or behind `to` when it was ended, what follows began later. */
static bool is_complete(const struct found *found, int64_t to)
{
    return found->count > 0 && found->items[found->count - 1].stable_offset >= to;
}

static fc_code find(struct fc_partition *partition, int64_t from, int64_t to,
                    struct fc_aborted **out_aborted, size_t *out_count, struct fc_error *err)
{
    struct found in_memory = { 0 };
    struct found in_files = { 0 };
    int64_t *bases = NULL;
    size_t count = 0;
    fc_code code = FC_OK;
    (void)pthread_mutex_lock(&partition->lock);
    if (partition->damaged) {
        code = partition->failure.code;
        if (err != NULL) {
            *err = partition->failure;
        }
    } else {
        bases = files_from(partition, from, &count);
        for (size_t index = 0; index < partition->aborted_pending_count; index++) {
            const struct fc_aborted_segment *segment = &partition->aborted_pending[index];
            add(&in_memory, segment->items, segment->count, from, to);
        }
        add(&in_memory, partition->producers.aborted, partition->producers.aborted_count, from,
            to);
    }
    (void)pthread_mutex_unlock(&partition->lock);
    for (size_t index = 0; code == FC_OK && index < count && !is_complete(&in_files, to);
         index++) {
        code = fc_aborted_read(partition->env->fs, partition->dir, bases[index], from, to,
                               &in_files.items, &in_files.count, err);
    }
    free(bases);
    if (code != FC_OK) {
        free(in_files.items);
        free(in_memory.items);
        return code;
    }
    add(&in_files, in_memory.items, in_memory.count, from, to);
    free(in_memory.items);
    *out_aborted = in_files.items;
    *out_count = in_files.count;
    return FC_OK;
}

fc_code fc_partition_aborted(struct fc_partition *partition, int64_t from, int64_t to,
                             struct fc_aborted **out_aborted, size_t *out_count,
                             struct fc_error *err)
{
    struct fc_aborted *aborted = NULL;
    size_t count = 0;
    uint64_t swaps;
    fc_code code;
    do {
        free(aborted);
        aborted = NULL;
        swaps = fc_partition_swaps(partition);
        code = find(partition, from, to, &aborted, &count, err);
    } while (swaps != fc_partition_swaps(partition)); /* files were replaced meanwhile */
    if (code == FC_OK) {
        *out_aborted = aborted;
        *out_count = count;
    }
    return code;
}
