/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What restore and verify have in common: a connector's log opened for looking, the cut that the
 * user means, the fold up to it, and where its tables are in a target.
 *
 * Thread: one; stop may be set from any.
 */
#ifndef FC_RUNNER_HISTORY_H
#define FC_RUNNER_HISTORY_H

#include <jansson.h>

#include "runner/command.h"
#include "runner/restore/cut.h"
#include "runner/restore/fold.h"
#include "runner/restore/restore.h"

/* As they are given on the command line. */
struct fc_history_flags {
    const char *to;
    const char *before;
    const char *memory;
    const char *target; /* FILE whose connection is used instead */
    const char *into;
    struct fc_flag_list tables;
};

struct fc_history {
    struct fc_command *command;
    struct fc_history_flags flags;
    size_t memory_bytes;
    struct fc_setup setup;
    struct fc_setup target_setup;      /* zeroed when the target is the source */
    const struct fc_connector *target; /* of either */
    const struct fc_host *target_host;
    struct fc_stream *stream;
    struct fc_log_view *view;
    struct fc_cut_spec spec;
    struct fc_cut cut;
    struct fc_fold *fold;
    struct fc_restore_place *places; /* where each table of the fold is in the target */
    char **place_names;              /* what they point to */
    int64_t fold_ms;
    atomic_bool stop;
};

/* history is zeroed. Reads files, opens the log, finds the cut. */
FC_MUST_CHECK fc_code fc_history_open(struct fc_history *history, struct fc_command *command,
                                      const char *path, const struct fc_history_flags *flags,
                                      struct fc_error *err);
/* Folds with a progress bar and finds the places. */
FC_MUST_CHECK fc_code fc_history_fold(struct fc_history *history, struct fc_error *err);
void fc_history_release(struct fc_history *history);

/* Whether a table of the fold goes back to where it was captured. */
bool fc_history_is_in_place(const struct fc_history *history, uint32_t table);

/* What a person must know of what was folded (dead letters, statements after the newest row):
 * a list of texts, for the caller to decref. */
json_t *fc_history_notes(const struct fc_history *history);

/* Print the cut, and as JSON. */
void fc_history_print_cut(const struct fc_history *history, FILE *to);
json_t *fc_history_cut_json(const struct fc_history *history);

/* A progress bar as the command's flags ask for it; NULL: none. */
struct fc_progress *fc_history_progress(struct fc_history *history, const char *what,
                                        const char *unit, uint64_t total);

#endif
