/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader: owns the source, numbers transactions, fills units; reopens the source after transient
 * errors, for ever.
 *
 * Thread: run on its own; the other functions on any.
 */
#ifndef FC_RUNNER_READER_H
#define FC_RUNNER_READER_H

#include "core/base/clock.h"
#include "core/base/diag.h"
#include "fc/connector.h"
#include "runner/resume.h"
#include "runner/schema_store.h"
#include "runner/unit.h"
#include "runner/writer.h"

struct fc_reader_config {
    const char *connector;
    const struct fc_source_ops *source;
    const struct fc_host *host;
    struct fc_stream *stream;
    struct fc_schema_store *schemas;
    struct fc_unit_ring *ring;
    struct fc_writer *writer;
    struct fc_resume *resume; /* scanned with the checkpoint given */
    bool until_end;
    const struct fc_clock *clock;
    struct fc_diag *diag;
};

struct fc_reader_status {
    uint64_t changes;
    uint64_t restarts;
    bool connected;
    char waiting[FC_ERROR_MESSAGE_SIZE]; /* "" when connected */
    struct fc_source_status source;
};

struct fc_reader;

/* Takes a copy of the checkpoint to begin from. */
struct fc_reader *fc_reader_new(const struct fc_reader_config *config,
                                struct fc_checkpoint *checkpoint);
void fc_reader_free(struct fc_reader *reader); /* NULL is fine */

/*
 * Read until stopped, until the end, or until an error that needs a person. Returns with the ring
 * closed and all its units written. FC_OK when stopped or at the end.
 */
FC_MUST_CHECK fc_code fc_reader_run(struct fc_reader *reader, struct fc_error *err);

void fc_reader_stop(struct fc_reader *reader);

/* What the source calls itself ("mysql"); static text, "" before it was first open. */
const char *fc_reader_engine(struct fc_reader *reader);

/* Put a restore marker between changes; taken over. FC_ERR_REFUSED when one is still under way. */
FC_MUST_CHECK fc_code fc_reader_mark(struct fc_reader *reader, char *json,
                                     struct fc_error *err);
void fc_reader_status(struct fc_reader *reader, struct fc_reader_status *out_status);

#endif
