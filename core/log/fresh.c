/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A partition that was never appended to has no file: a topic of thousands is made with a name
 * a partition, and those that are not used cost neither descriptors nor syncs.
 *
 * The manifest is durable before there is a segment, since a segment without a manifest is
 * damage.
 */
#include <stdlib.h>

#include "core/log/partition_state.h"

/* sync_lock is held. */
static fc_code make_files(struct fc_partition *partition, struct fc_error *err)
{
    const struct fc_checkpoint empty = { .max_timestamp_ms = INT64_MIN };
    struct fc_manifest_content content = { 0 };
    struct fc_fs *fs = partition->env->fs;
    fc_code code =
        fc_manifest_begin(&partition->manifest, fs, partition->dir, &empty, &content, err);
    free(content.segments);
    if (code != FC_OK) {
        return code;
    }
    (void)pthread_mutex_lock(&partition->lock);
    code = fc_partition_begin_active(partition, partition->end, err);
    if (code == FC_OK) {
        fc_partition_checkpoint_now(partition, &partition->synced);
        partition->fresh = false;
    }
    (void)pthread_mutex_unlock(&partition->lock);
    if (code != FC_OK) {
        fc_manifest_release(&partition->manifest);
    }
    return code;
}

bool fc_partition_is_fresh(const struct fc_partition *partition)
{
    return partition->fresh;
}

fc_code fc_partition_prepare(struct fc_partition *partition, struct fc_error *err)
{
    struct fc_error why = { 0 };
    fc_code code = FC_OK;
    bool wanted;
    if (!partition->fresh) {
        return FC_OK;
    }
    (void)pthread_mutex_lock(&partition->sync_lock);
    (void)pthread_mutex_lock(&partition->lock);
    wanted =
        partition->fresh && !partition->failed; /* a dropped one's files are none of ours */
    (void)pthread_mutex_unlock(&partition->lock);
    if (wanted) {
        code = make_files(partition, &why);
    }
    if (code != FC_OK && code != FC_ERR_FULL) {
        code = FC_ERR_IO;
        why.code = code;
        why.retriable = false;
        fc_partition_fail(partition, &why, false);
    }
    (void)pthread_mutex_unlock(&partition->sync_lock);
    if (code != FC_OK && err != NULL) {
        *err = why;
    }
    return code;
}
