/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/terminal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/base/alloc.h"

enum {
    WIDTH_DEFAULT = 80,
    WIDTH_MAX = 200,
    BAR_WIDTH = 24,
    QUIET_MS = 1000, /* nothing is shown before */
    REDRAW_MS = 200, /* on a terminal */
    LINE_MS = 10000  /* otherwise */
};

bool fc_terminal_is(FILE *stream)
{
    return isatty(fileno(stream)) == 1;
}

unsigned fc_terminal_width(FILE *stream)
{
    struct winsize size = { 0 };
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        return WIDTH_DEFAULT;
    }
    return size.ws_col < WIDTH_MAX ? size.ws_col : WIDTH_MAX;
}

const char *fc_human_count(uint64_t count, char *to)
{
    char digits[24];
    size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, count);
    size_t at = 0;
    for (size_t index = 0; index < len; index++) {
        if (index > 0 && (len - index) % 3 == 0) {
            to[at++] = ',';
        }
        to[at++] = digits[index];
    }
    to[at] = '\0';
    return to;
}

const char *fc_human_bytes(uint64_t bytes, char *to)
{
    static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    double value = (double)bytes / 1024;
    size_t unit = 0;
    if (bytes < 1024) {
        (void)snprintf(to, FC_HUMAN_SIZE, "%" PRIu64 " B", bytes);
        return to;
    }
    while (value >= 1023.95 && unit + 1 < sizeof(units) / sizeof(*units)) {
        value /= 1024;
        unit++;
    }
    (void)snprintf(to, FC_HUMAN_SIZE, "%.1f %s", value, units[unit]);
    return to;
}

const char *fc_human_duration(int64_t ms, char *to)
{
    int64_t seconds = ms / 1000;
    if (ms < 1000) {
        (void)snprintf(to, FC_HUMAN_SIZE, "%" PRId64 " ms", ms < 0 ? 0 : ms);
    } else if (seconds < 60) {
        (void)snprintf(to, FC_HUMAN_SIZE, "%" PRId64 ".%" PRId64 " s", seconds,
                       ms % 1000 / 100);
    } else if (seconds < 3600) {
        (void)snprintf(to, FC_HUMAN_SIZE, "%" PRId64 " m %02" PRId64 " s", seconds / 60,
                       seconds % 60);
    } else {
        (void)snprintf(to, FC_HUMAN_SIZE, "%" PRId64 " h %02" PRId64 " m", seconds / 3600,
                       seconds % 3600 / 60);
    }
    return to;
}

/* --- progress ----------------------------------------------------------------------------- */

struct fc_progress {
    struct fc_diag *diag;
    const struct fc_clock *clock;
    const char *unit;
    char *what;
    uint64_t total;
    int64_t started_ms;
    int64_t shown_ms; /* when something was shown last; the start before that */
    unsigned width;
    bool terminal;
};

struct fc_progress *fc_progress_new(const struct fc_progress_config *config, const char *what,
                                    uint64_t total)
{
    struct fc_progress *progress = fc_new(struct fc_progress);
    progress->diag = config->diag;
    progress->clock = config->clock == NULL ? fc_clock_system() : config->clock;
    progress->unit = config->unit;
    progress->what = fc_strdup(what);
    progress->total = total;
    progress->terminal = config->stream != NULL && fc_terminal_is(config->stream);
    progress->width = progress->terminal ? fc_terminal_width(config->stream) : WIDTH_DEFAULT;
    progress->started_ms = fc_clock_steady_ms(progress->clock);
    progress->shown_ms = progress->started_ms;
    return progress;
}

/* "reading shop/0  [=====>      ]  45 %  1,234,567 records  512,000/s  12.3 s left" */
static void draw(const struct fc_progress *progress, uint64_t done, int64_t elapsed_ms,
                 char *to, size_t size)
{
    char bar[BAR_WIDTH + 1];
    char count[FC_HUMAN_SIZE];
    char rate[FC_HUMAN_SIZE];
    char left[FC_HUMAN_SIZE];
    uint64_t shown = done < progress->total ? done : progress->total;
    uint64_t per_second = done * 1000 / (uint64_t)(elapsed_ms > 0 ? elapsed_ms : 1);
    double part = progress->total == 0 ? 0 : (double)shown / (double)progress->total;
    size_t filled = (size_t)(part * BAR_WIDTH);
    (void)fc_human_count(done, count);
    (void)fc_human_count(per_second, rate);
    if (progress->total == 0) {
        (void)snprintf(to, size, "%s  %s %s  %s/s", progress->what, count, progress->unit,
                       rate);
        return;
    }
    memset(bar, ' ', BAR_WIDTH);
    memset(bar, '=', filled);
    if (filled < BAR_WIDTH) {
        bar[filled] = '>';
    }
    bar[BAR_WIDTH] = '\0';
    (void)fc_human_duration(
        per_second == 0 ? 0 : (int64_t)((progress->total - shown) * 1000 / per_second), left);
    if (progress->terminal) {
        (void)snprintf(to, size, "%s  [%s] %3d %%  %s %s  %s/s  %s left", progress->what, bar,
                       (int)(part * 100), count, progress->unit, rate, left);
    } else {
        (void)snprintf(to, size, "%s %d %% %s=%s per_second=%s left=%s", progress->what,
                       (int)(part * 100), progress->unit, count, rate, left);
    }
}

void fc_progress_set(struct fc_progress *progress, uint64_t done)
{
    char line[512];
    int64_t now_ms = fc_clock_steady_ms(progress->clock);
    int64_t elapsed_ms = now_ms - progress->started_ms;
    if (elapsed_ms < QUIET_MS ||
        now_ms - progress->shown_ms < (progress->terminal ? REDRAW_MS : LINE_MS)) {
        return;
    }
    progress->shown_ms = now_ms;
    draw(progress, done, elapsed_ms, line, sizeof(line));
    if (!progress->terminal) {
        fc_diag_report(progress->diag, FC_DIAG_INFO, "%s", line);
        return;
    }
    if (progress->width < sizeof(line)) {
        line[progress->width - 1] = '\0'; /* a wrapped line could not be erased */
    }
    fc_diag_footer(progress->diag, line);
}

void fc_progress_set_total(struct fc_progress *progress, uint64_t total)
{
    progress->total = total;
}

void fc_progress_end(struct fc_progress *progress)
{
    if (progress != NULL) {
        if (progress->terminal) {
            fc_diag_footer(progress->diag, NULL);
        }
        free(progress->what);
        free(progress);
    }
}
