/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening a partition for writing, in two parts: a look at everything that changes nothing, and
 * the mending of what may be mended.
 */
#ifndef FC_LOG_RECOVERY_H
#define FC_LOG_RECOVERY_H

#include "core/log/directory.h"
#include "core/log/partition_state.h"

/* A segment behind the closed ones of the manifest; the last of them becomes the active one. */
struct fc_recovery_link {
    struct fc_active active; /* its size is where it will end */
    int64_t end;
    uint64_t file_size;
    uint64_t rewrite_from; /* byte; what stands from there on may not be on disk */
};

struct fc_recovery {
    struct fc_partition *partition;
    struct fc_directory names;
    struct fc_manifest_content content;
    struct fc_recovery_link *links;
    size_t links_count;
    struct fc_segment
        *overlong; /* closed segments with bytes behind what they were closed with */
    size_t overlong_count;
    bool cut;   /* the last link ends before its file does, or files follow it */
    bool fresh; /* the directory is empty */
};

/* Look: closed segments into the partition, the rest into links. Errors as
 * fc_partition_open. */
FC_MUST_CHECK fc_code fc_recovery_look(struct fc_recovery *recovery, struct fc_error *err);

/* Mend: after it the partition can be appended to. Takes the links' files and indexes. */
FC_MUST_CHECK fc_code fc_recovery_mend(struct fc_recovery *recovery, struct fc_error *err);

void fc_recovery_release(struct fc_recovery *recovery);

#endif
