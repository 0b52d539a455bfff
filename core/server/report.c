/* SPDX-License-Identifier: Apache-2.0 */
#include "core/server/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>

void fc_server_report_init(struct fc_server_report *report, struct fc_diag *diag,
                           const struct fc_clock *clock)
{
    report->diag = diag;
    report->clock = clock;
    (void)pthread_mutex_init(&report->lock, NULL); /* never fails with default attributes */
    report->window_ms = 0;
    report->lines = 0;
    report->suppressed = 0;
}

void fc_server_report_release(struct fc_server_report *report)
{
    if (report->suppressed > 0) {
        fc_diag_report(report->diag, FC_DIAG_WARN, "lines were left out count=%" PRIu64,
                       report->suppressed);
    }
    (void)pthread_mutex_destroy(&report->lock);
}

void fc_server_report_line(struct fc_server_report *report, fc_diag_level level,
                           const char *fmt, ...)
{
    char text[800];
    int64_t now_ms = fc_clock_steady_ms(report->clock);
    uint64_t suppressed = 0;
    bool told;
    va_list args;
    (void)pthread_mutex_lock(&report->lock);
    if (now_ms - report->window_ms >= 1000) {
        report->window_ms = now_ms;
        report->lines = 0;
        suppressed = report->suppressed;
        report->suppressed = 0;
    }
    told = report->lines < FC_REPORT_LINES_PER_SECOND;
    if (told) {
        report->lines++;
    } else {
        report->suppressed++;
    }
    (void)pthread_mutex_unlock(&report->lock);
    if (!told) {
        return;
    }
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args); /* cut when too long */
    va_end(args);
    if (suppressed > 0) {
        fc_diag_report(report->diag, level, "%s lines_left_out_before=%" PRIu64, text,
                       suppressed);
    } else {
        fc_diag_report(report->diag, level, "%s", text);
    }
}
