/* SPDX-License-Identifier: Apache-2.0 */
/* The names of segment files that a partition's directory holds. */
#ifndef FC_LOG_DIRECTORY_H
#define FC_LOG_DIRECTORY_H

#include "core/log/segment.h"

struct fc_directory_name {
    int64_t base;
    fc_segment_file kind;
    bool swap; /* it has its swap name */
};

/* Sorted by base, then kind, then swap names last. */
struct fc_directory {
    struct fc_directory_name *names;
    size_t count;
    size_t capacity;
};

/* Other names are passed over. */
FC_MUST_CHECK fc_code fc_directory_read(struct fc_directory *directory, struct fc_fs *fs,
                                        const char *path, struct fc_error *err);
void fc_directory_release(struct fc_directory *directory);

bool fc_directory_has_log(const struct fc_directory *directory, int64_t base);
bool fc_directory_has_any_log(const struct fc_directory *directory);

#endif
