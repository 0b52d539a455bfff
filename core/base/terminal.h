/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person sees while waiting: a progress bar on a terminal, plain lines otherwise.
 *
 * Drawn through the diag, so that diagnostic lines and the bar never mix. Nothing is shown for
 * what takes less than a second; at most 5 redraws a second, or one plain line in 10 seconds.
 */
#ifndef FC_BASE_TERMINAL_H
#define FC_BASE_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/clock.h"
#include "core/base/diag.h"

bool fc_terminal_is(FILE *stream);

/* Columns of the terminal, 80 when it is none. */
unsigned fc_terminal_width(FILE *stream);

/* Text for people; each returns `to`, which has room for FC_HUMAN_SIZE bytes. */
enum { FC_HUMAN_SIZE = 32 };
const char *fc_human_count(uint64_t count, char *to); /* "1,234,567" */
const char *fc_human_bytes(uint64_t bytes, char *to); /* "1.5 MiB" */
const char *fc_human_duration(int64_t ms, char *to);  /* "850 ms", "12.3 s", "3 m 05 s" */

struct fc_progress;

struct fc_progress_config {
    struct fc_diag *diag;
    const struct fc_clock *clock; /* NULL: the system's */
    FILE *stream;                 /* that the diag writes to: decides between bar and lines */
    const char *unit;             /* "rows", "records"; static */
};

/* what: "reading shop/0"; copied. total: 0 when it is not known. */
struct fc_progress *fc_progress_new(const struct fc_progress_config *config, const char *what,
                                    uint64_t total);

/* Cheap enough for every batch. Thread: one at a time. */
void fc_progress_set(struct fc_progress *progress, uint64_t done);

/* The total became known or changed. */
void fc_progress_set_total(struct fc_progress *progress, uint64_t total);

/* Removes the bar and frees; NULL is fine. */
void fc_progress_end(struct fc_progress *progress);

#endif
