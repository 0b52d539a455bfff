/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagnostics of connections, so many lines a second at most: a flood of bad clients must not
 * become a flood of lines. What is left out is counted and told with the next line.
 */
#ifndef FC_SERVER_REPORT_H
#define FC_SERVER_REPORT_H

#include <pthread.h>

#include "core/base/clock.h"
#include "core/base/diag.h"

enum { FC_REPORT_LINES_PER_SECOND = 10 };

struct fc_server_report {
    struct fc_diag *diag;
    const struct fc_clock *clock;
    pthread_mutex_t lock;
    /* Guarded by lock. */
    int64_t window_ms;
    unsigned lines;
    uint64_t suppressed;
};

void fc_server_report_init(struct fc_server_report *report, struct fc_diag *diag,
                           const struct fc_clock *clock);
void fc_server_report_release(struct fc_server_report *report);

/* Any thread. */
void fc_server_report_line(struct fc_server_report *report, fc_diag_level level,
                           const char *fmt, ...) FC_PRINTF(3, 4);

#endif
