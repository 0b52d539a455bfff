/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagnostics: messages for people, one line each, as text plus key=value. Never row data,
 * never secrets.
 *
 * Only main, a task's supervisor and a request handler report; libraries return errors. The
 * sink is built in main and passed down. Any thread may report; lines never interleave.
 */
#ifndef FC_BASE_DIAG_H
#define FC_BASE_DIAG_H

#include <stdio.h>

#include "core/base/error.h"

typedef enum fc_diag_level {
    FC_DIAG_DEBUG,
    FC_DIAG_INFO,
    FC_DIAG_WARN,
    FC_DIAG_ERROR
} fc_diag_level;

struct fc_diag;

/* Lines below `lowest` are dropped. */
struct fc_diag *fc_diag_new(FILE *to, fc_diag_level lowest);
void fc_diag_free(struct fc_diag *diag);

/*
 * Keep text, one line without its end, as the last line of a terminal, below what is reported;
 * a text replaces the one before, NULL removes it. Only for streams that are terminals. diag may
 * be NULL (nothing is drawn).
 */
void fc_diag_footer(struct fc_diag *diag, const char *text);

/* "2026-11-23T14:03:59.123Z info capture started connector=shop"; diag may be NULL (dropped).
 */
void fc_diag_report(struct fc_diag *diag, fc_diag_level level, const char *fmt, ...)
    FC_PRINTF(3, 4);

#endif
