/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a partition as a client with isolation.level=read_committed does: by fetches, with the
 * aborted transactions that come with them. Failures of the log end the test program. */
#ifndef FC_TESTS_COMMITTED_READER_H
#define FC_TESTS_COMMITTED_READER_H

#include "core/log/batch_decoder.h"
#include "core/log/partition.h"

enum { COMMITTED_PRODUCERS_MAX = 16 };

struct committed_reader {
    struct fc_partition *partition;
    int64_t offset; /* of what comes next */
    struct fc_batch_decoder decoder;
    bool aborted[COMMITTED_PRODUCERS_MAX]; /* by id: in an aborted transaction now */
    /* For each record that is given to the application. */
    void (*on_record)(void *ctx, const struct fc_record *record);
    void *ctx;
};

void committed_reader_init(struct committed_reader *reader, struct fc_partition *partition,
                           void (*on_record)(void *ctx, const struct fc_record *record),
                           void *ctx);
void committed_reader_release(struct committed_reader *reader);

/* One fetch; false when there is nothing more. */
bool committed_reader_next(struct committed_reader *reader, uint64_t bytes_max);

#endif
