/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The live line of a running capture: redrawn at most 5 times a second on a terminal, a plain
 * line every 10 seconds otherwise.
 *
 * Thread: tick belongs to one; rate may be asked by any.
 */
#ifndef FC_RUNNER_STATUSLINE_H
#define FC_RUNNER_STATUSLINE_H

#include "core/base/clock.h"
#include "core/base/diag.h"
#include "runner/pipeline.h"

enum { FC_STATUSLINE_TICK_MS = 200, FC_STATUSLINE_SIZE = 512 };

struct fc_statusline;

/* stream is what the diag writes to. */
struct fc_statusline *fc_statusline_new(const char *name, struct fc_diag *diag, FILE *stream,
                                        const struct fc_clock *clock);
/* Removes the line; NULL is fine. */
void fc_statusline_free(struct fc_statusline *line);

/* Call it about every FC_STATUSLINE_TICK_MS. */
void fc_statusline_tick(struct fc_statusline *line, const struct fc_pipeline_status *status);

/* Changes read a second, over the last second or so. */
uint64_t fc_statusline_rate(const struct fc_statusline *line);

/* The line for a terminal, into `to` of FC_STATUSLINE_SIZE bytes; returns `to`. */
const char *fc_statusline_text(const char *name, const struct fc_pipeline_status *status,
                               uint64_t rows_per_second, char *to);

#endif
