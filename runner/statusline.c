/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/statusline.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/terminal.h"

enum { RATE_MS = 1000, PLAIN_MS = 10000 };

struct fc_statusline {
    const char *name;
    struct fc_diag *diag;
    FILE *stream;
    const struct fc_clock *clock;
    bool terminal;
    int64_t sampled_ms; /* when the rate was computed last */
    uint64_t sampled_rows;
    int64_t drawn_ms;
    int64_t plain_ms; /* when the last plain line was written, and the rows then */
    uint64_t plain_rows;
    _Atomic uint64_t rate;
};

struct fc_statusline *fc_statusline_new(const char *name, struct fc_diag *diag, FILE *stream,
                                        const struct fc_clock *clock)
{
    struct fc_statusline *line = fc_new(struct fc_statusline);
    line->name = name;
    line->diag = diag;
    line->stream = stream;
    line->clock = clock;
    line->terminal = fc_terminal_is(stream);
    line->sampled_ms = fc_clock_steady_ms(clock);
    line->drawn_ms = line->sampled_ms;
    line->plain_ms = line->sampled_ms;
    return line;
}

void fc_statusline_free(struct fc_statusline *line)
{
    if (line != NULL) {
        if (line->terminal) {
            fc_diag_footer(line->diag, NULL);
        }
        free(line);
    }
}

uint64_t fc_statusline_rate(const struct fc_statusline *line)
{
    return atomic_load(&line->rate);
}

const char *fc_statusline_text(const char *name, const struct fc_pipeline_status *status,
                               uint64_t rows_per_second, char *to)
{
    char rows[FC_HUMAN_SIZE];
    char rate[FC_HUMAN_SIZE];
    char lag[FC_HUMAN_SIZE];
    if (status->waiting[0] != '\0') {
        (void)snprintf(to, FC_STATUSLINE_SIZE, "%s  waiting: %.400s", name, status->waiting);
        return to;
    }
    if (!status->connected) {
        (void)snprintf(to, FC_STATUSLINE_SIZE, "%s  connecting", name);
        return to;
    }
    (void)snprintf(to, FC_STATUSLINE_SIZE, "%s  %s  %s rows/s  lag %s  %s rows  %s", name,
                   status->source.phase, fc_human_count(rows_per_second, rate),
                   fc_human_duration(status->lag_us / 1000, lag),
                   fc_human_count(status->changes_read, rows), status->source.position);
    return to;
}

static void sample(struct fc_statusline *line, const struct fc_pipeline_status *status,
                   int64_t now_ms)
{
    int64_t passed_ms = now_ms - line->sampled_ms;
    if (passed_ms >= RATE_MS) {
        atomic_store(&line->rate,
                     (status->changes_read - line->sampled_rows) * 1000 / (uint64_t)passed_ms);
        line->sampled_ms = now_ms;
        line->sampled_rows = status->changes_read;
    }
}

static void write_plain(struct fc_statusline *line, const struct fc_pipeline_status *status,
                        int64_t now_ms)
{
    int64_t passed_ms = now_ms - line->plain_ms;
    uint64_t rate;
    if (passed_ms < PLAIN_MS) {
        return;
    }
    rate = (status->changes_read - line->plain_rows) * 1000 / (uint64_t)passed_ms;
    line->plain_ms = now_ms;
    line->plain_rows = status->changes_read;
    if (status->waiting[0] != '\0') {
        fc_diag_report(line->diag, FC_DIAG_WARN, "%s waiting: %s", line->name, status->waiting);
        return;
    }
    fc_diag_report(line->diag, FC_DIAG_INFO,
                   "%s %s rows_per_second=%" PRIu64 " lag_ms=%" PRId64 " rows=%" PRIu64
                   " records=%" PRIu64 " position=\"%s\"",
                   line->name, status->connected ? status->source.phase : "connecting", rate,
                   status->lag_us / 1000, status->changes_read, status->records_written,
                   status->source.position);
}

void fc_statusline_tick(struct fc_statusline *line, const struct fc_pipeline_status *status)
{
    char text[FC_STATUSLINE_SIZE];
    int64_t now_ms = fc_clock_steady_ms(line->clock);
    unsigned width;
    sample(line, status, now_ms);
    if (!line->terminal) {
        write_plain(line, status, now_ms);
        return;
    }
    if (now_ms - line->drawn_ms < FC_STATUSLINE_TICK_MS) {
        return;
    }
    line->drawn_ms = now_ms;
    (void)fc_statusline_text(line->name, status, fc_statusline_rate(line), text);
    width = fc_terminal_width(line->stream);
    if (width < sizeof(text)) {
        text[width - 1] = '\0'; /* a wrapped line could not be erased */
    }
    fc_diag_footer(line->diag, text);
}
