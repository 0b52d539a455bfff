/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/diag.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/alloc.h"

enum { FOOTER_SIZE = 1024 };

/* Back to the line's start, and everything on it erased (ECMA-48). */
static const char ERASE_LINE[] = "\r\033[K";

struct fc_diag {
    FILE *to;
    fc_diag_level lowest;
    pthread_mutex_t lock;     /* guards writing to `to`, and the footer */
    char footer[FOOTER_SIZE]; /* what stands on the last line; "" when nothing */
};

struct fc_diag *fc_diag_new(FILE *to, fc_diag_level lowest)
{
    struct fc_diag *diag = fc_new(struct fc_diag);
    diag->to = to;
    diag->lowest = lowest;
    (void)pthread_mutex_init(&diag->lock, NULL); /* never fails with default attributes */
    return diag;
}

void fc_diag_free(struct fc_diag *diag)
{
    if (diag != NULL) {
        (void)pthread_mutex_destroy(&diag->lock);
        free(diag);
    }
}

void fc_diag_footer(struct fc_diag *diag, const char *text)
{
    if (diag == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&diag->lock);
    if (diag->footer[0] != '\0' || text != NULL) {
        (void)snprintf(diag->footer, sizeof(diag->footer), "%s", text == NULL ? "" : text);
        (void)fprintf(diag->to, "%s%s", ERASE_LINE, diag->footer);
        (void)fflush(diag->to); /* a closed stderr leaves nobody to tell */
    }
    (void)pthread_mutex_unlock(&diag->lock);
}

static const char *level_name(fc_diag_level level)
{
    switch (level) {
    case FC_DIAG_DEBUG:
        return "debug";
    case FC_DIAG_INFO:
        return "info";
    case FC_DIAG_WARN:
        return "warn";
    case FC_DIAG_ERROR:
        return "error";
    }
    return "?";
}

void fc_diag_report(struct fc_diag *diag, fc_diag_level level, const char *fmt, ...)
{
    char text[1024];
    char stamp[32];
    struct timespec now = { 0, 0 };
    struct tm parts;
    va_list args;
    if (diag == NULL || level < diag->lowest) {
        return;
    }
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args); /* cut when too long */
    va_end(args);
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &parts);
    (void)strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &parts);
    (void)pthread_mutex_lock(&diag->lock);
    (void)fprintf(diag->to, "%s%s.%03ldZ %-5s %s\n%s",
                  diag->footer[0] == '\0' ? "" : ERASE_LINE, stamp, now.tv_nsec / 1000000,
                  level_name(level), text, diag->footer);
    (void)fflush(diag->to);
    (void)pthread_mutex_unlock(&diag->lock);
}
