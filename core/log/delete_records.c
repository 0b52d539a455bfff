/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moving the start of a log to any offset: made durable with the checkpoint first; segments that
 * are wholly below it go with the next retention, right away here.
 */
#include <inttypes.h>

#include "core/log/producer_state.h"
#include "core/log/upkeep.h"
#include "core/log/watch.h"

/* Where the log is to begin; what producers did below it has to be saved by the next sync. */
static fc_code choose(struct fc_partition *partition, int64_t before, int64_t *out_start,
                      struct fc_error *err)
{
    fc_code code = FC_OK;
    (void)pthread_mutex_lock(&partition->lock);
    *out_start = before == FC_DELETE_TO_HIGH_WATERMARK ? partition->high.offset : before;
    if (partition->failed) {
        code = partition->failure.code;
        if (err != NULL) {
            *err = partition->failure;
        }
    } else if (*out_start < 0 || *out_start > partition->high.offset) {
        code = fc_fail(err, FC_ERR_LIMIT,
                       "%s: records up to %" PRId64 " can be deleted, not to %" PRId64,
                       partition->dir, partition->high.offset, *out_start);
    } else {
        partition->snapshot_wanted = true;
    }
    (void)pthread_mutex_unlock(&partition->lock);
    return code;
}

/* Both locks are held. */
static fc_code check_saved(const struct fc_partition *partition, int64_t start,
                           struct fc_error *err)
{
    if (partition->failed) {
        if (err != NULL) {
            *err = partition->failure;
        }
        return partition->failure.code;
    }
    return partition->durable >= start && fc_producer_state_covers(partition, start)
               ? FC_OK
               : fc_fail(err, FC_ERR_FULL, "%s: no room to delete records", partition->dir);
}

/* sync_lock is held. */
static fc_code move_start(struct fc_partition *partition, int64_t start, struct fc_error *err)
{
    struct fc_checkpoint checkpoint = partition->synced;
    fc_code code;
    checkpoint.start = start;
    code = fc_manifest_put(&partition->manifest, &checkpoint, err);
    if (code == FC_OK) {
        code = fc_manifest_sync(&partition->manifest, err);
    }
    if (code == FC_OK) {
        partition->synced.start = start;
        (void)pthread_mutex_lock(&partition->lock);
        partition->start = start;
        (void)pthread_mutex_unlock(&partition->lock);
    }
    return code;
}

fc_code fc_partition_delete_records(struct fc_partition *partition, int64_t before,
                                    int64_t *out_start, struct fc_error *err)
{
    struct fc_error why;
    int64_t start = 0;
    fc_code code = fc_partition_prepare(partition, err);
    if (code == FC_OK) {
        code = choose(partition, before, &start, err);
    }
    if (code == FC_OK) {
        code = fc_partition_sync(partition, err);
    }
    if (code != FC_OK) {
        return code;
    }
    (void)pthread_mutex_lock(&partition->sync_lock);
    (void)pthread_mutex_lock(&partition->lock);
    code = check_saved(partition, start, err);
    start = start > partition->start ? start : partition->start;
    (void)pthread_mutex_unlock(&partition->lock);
    if (code == FC_OK && start > partition->start) {
        code = move_start(partition, start, &why);
        if (code != FC_OK && code != FC_ERR_FULL) {
            code = FC_ERR_IO;
            why.code = code;
            fc_partition_fail(partition, &why, false);
        }
        if (code != FC_OK && err != NULL) {
            *err = why;
        }
    }
    (void)pthread_mutex_unlock(&partition->sync_lock);
    if (code == FC_OK) {
        fc_upkeep_retain(partition);
        fc_partition_notify(partition);
        *out_start = start;
    }
    return code;
}
