/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a client's batch keeps the rules, and its form for the log; for the files of core/log
 * and tests.
 *
 * Each record of a batch is looked at, so that nothing is acknowledged that cannot be read again;
 * but for compressed batches that no rule of the topic wants opened: they are stored unseen, as
 * decompressing them would cost more than all else. Who reads such a one meets what its producer
 * wrote.
 */
#ifndef FC_LOG_WIRE_CHECK_H
#define FC_LOG_WIRE_CHECK_H

#include "core/log/append.h"
#include "core/log/batch_decoder.h"
#include "core/log/wire_append.h"

struct fc_wire_check {
    uint8_t *batch;
    size_t size;
    int64_t now_ms;
    struct fc_batch_header header;
    struct fc_append append; /* what is to be written, once it was checked */
    uint8_t packed_header[FC_BATCH_HEADER_SIZE];
    struct fc_slice plain; /* the records, once they were looked at */
    struct fc_buf packed;  /* the same under another codec */
    /* To look inside with; may be given, and is made when it is needed. The caller's after
     * fc_wire_check_release, unless it is NULL then, as one that has grown large is not kept. */
    struct fc_batch_decoder *decoder;
};

void fc_wire_check_init(struct fc_wire_check *check, uint8_t *batch, size_t size);
void fc_wire_check_release(struct fc_wire_check *check);

/* FC_ERR_REJECTED, with result->error and result->bad_record set. */
FC_MUST_CHECK fc_code fc_wire_check_run(struct fc_wire_check *check,
                                        const struct fc_append_rules *rules,
                                        struct fc_append_result *result, struct fc_error *err);

#endif
