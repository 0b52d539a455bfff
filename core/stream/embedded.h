/* SPDX-License-Identifier: Apache-2.0 */
/* The log in this process: opens a data directory and gives a struct fc_stream on it. */
#ifndef FC_STREAM_EMBEDDED_H
#define FC_STREAM_EMBEDDED_H

#include "core/base/clock.h"
#include "core/base/fs.h"
#include "core/stream/stream.h"

/* The file in a data directory whose lock says that a process has the directory open. */
#define FC_EMBEDDED_LOCK_NAME ".lock"

struct fc_embedded_config {
    const char *dir;
    /*
     * Look only: takes no lock, creates and mends nothing, and may be used while another
     * process appends. Reads end at the durable offset as of when the partition was opened or
     * last refreshed (each reader_next at the end looks again), whatever the topic's flush
     * policy: what was read is in the log for ever, and positions in it stay true. `end` is
     * that of the last whole batch on disk, so readers do not get there while `durable` is
     * below.
     */
    bool read_only;
    /*
     * With read_only: reads go to `end`. For who reads once and keeps no position: a power loss
     * may take back what was read. A process that was killed leaves there what it had no time
     * to enter as durable.
     */
    bool read_whole;
    struct fc_fs *fs;             /* NULL: the system's */
    const struct fc_clock *clock; /* NULL: the system's */
    /* Called when retention, scrub or recovery has something to tell a person; may be NULL. Any
     * thread; must not call the stream. */
    void (*on_notice)(void *ctx, const char *text);
    void *notice_ctx;
};

/*
 * Creates the directory unless read_only, and starts a background thread unless read_only.
 *
 * Damage in one topic or partition does not fail the open: it is told as a notice, what is
 * damaged answers every call with FC_ERR_CORRUPT (file and byte named; nothing was changed),
 * and the rest works. With read_only the undamaged part of such a partition can still be read.
 *
 * Errors: FC_ERR_REFUSED (another process has the directory, its pid named), FC_ERR_NOT_FOUND
 * (read_only and no such directory), FC_ERR_IO, FC_ERR_FULL.
 */
FC_MUST_CHECK fc_code fc_embedded_open(const struct fc_embedded_config *config,
                                       struct fc_stream **out_stream, struct fc_error *err);

/* The open directory below an embedded stream, for what serves it to others; lives as long as
 * the stream. */
struct fc_data_dir;
struct fc_data_dir *fc_embedded_data_dir(struct fc_stream *stream);

#endif
