/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run: capture until told to stop.
 *
 * The pipeline runs in a thread of its own. This thread waits for signals, which all threads
 * block, and draws the status line. SIGTERM and SIGINT end cleanly, the second one at once (the
 * log is made for that); SIGHUP reads the transforms again.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/terminal.h"
#include "runner/bridge/bridge.h"
#include "runner/command.h"
#include "runner/control.h"
#include "runner/log_open.h"
#include "runner/pipeline.h"
#include "runner/status.h"
#include "runner/statusline.h"

enum { MARK_BYTES_MAX = 48 * 1024, HURRY_MS = 10000 };

struct run {
    struct fc_command *command;
    const char *path;
    struct fc_setup setup;
    struct fc_log log;
    struct fc_pipeline *pipeline; /* of changes, or */
    struct fc_bridge *bridge;     /* of records */
    struct fc_control *control;
    struct fc_statusline *line;
    int64_t started_ms;
    int signal_fd;
    int ended_fd; /* readable once the pipeline has ended */
    pthread_t thread;
    bool stopping;
    int64_t stopped_ms;
    /* Written by the pipeline's thread before ended_fd is. */
    fc_code code;
    struct fc_error error;
};

/* --- whatever runs ------------------------------------------------------------------------ */

static void status_of(const struct run *run, struct fc_pipeline_status *out_status)
{
    if (run->bridge != NULL) {
        fc_bridge_status(run->bridge, out_status);
    } else {
        fc_pipeline_status(run->pipeline, out_status);
    }
}

static void stop(const struct run *run)
{
    if (run->bridge != NULL) {
        fc_bridge_stop(run->bridge);
    } else {
        fc_pipeline_stop(run->pipeline);
    }
}

/* --- transforms --------------------------------------------------------------------------- */

/* out_chain: NULL when the file lists no transforms. */
static fc_code load_chain(const struct run *run, const struct fc_config *config,
                          struct fc_transform_chain **out_chain, struct fc_error *err)
{
    const struct fc_source_field *fields = run->setup.connector->source->fields;
    struct fc_transform_config transforms = { .base_dir = config->dir };
    char dir[PATH_MAX];
    const char **names;
    size_t count = 0;
    fc_code code;
    if (config->step_count == 0) {
        *out_chain = NULL;
        return FC_OK;
    }
    while (fields[count].name != NULL) {
        count++;
    }
    names = fc_new_array(const char *, count + 1);
    for (size_t index = 0; index < count; index++) {
        names[index] = fields[index].name;
    }
    transforms.ready_made_dir = fc_command_transforms_dir(run->command, dir);
    transforms.source_fields = names;
    code =
        fc_transform_chain_new(config->steps, config->step_count, &transforms, out_chain, err);
    free(names);
    if (code != FC_OK) {
        (void)fc_wrap(err, "%s", config->path); /* the code is the same */
    }
    return code;
}

/* A file that is wrong now changes nothing: the transforms that run go on. */
static void reload(struct run *run)
{
    struct fc_config_source source = { .path = run->path,
                                       .secrets_path = run->command->secrets_path };
    struct fc_config *config = NULL;
    struct fc_transform_chain *chain = NULL;
    struct fc_error error = { 0 };
    fc_code code = fc_config_load(&source, &config, &error);
    if (code == FC_OK) {
        code = load_chain(run, config, &chain, &error);
    }
    if (code == FC_OK) {
        fc_pipeline_set_chain(run->pipeline, chain);
        fc_diag_report(run->command->diag, FC_DIAG_INFO,
                       "transforms read again count=%u (other settings need a new start)",
                       config->step_count);
    } else {
        fc_diag_report(run->command->diag, FC_DIAG_ERROR,
                       "the transforms stay as they were: %s", error.message);
    }
    fc_config_free(config);
}

/* --- control socket; these run on its thread ---------------------------------------------- */

static void on_status(void *ctx, struct fc_buf *out)
{
    const struct run *run = ctx;
    struct fc_pipeline_status status = { 0 };
    char place[FC_LOG_PLACE_TEXT_SIZE];
    struct fc_status_input input = {
        .name = run->setup.config->name,
        .dir = fc_log_place(run->setup.config, place),
        .stream = run->log.stream,
        .pipeline = &status,
        .uptime_ms = fc_clock_steady_ms(run->command->clock) - run->started_ms,
        .rows_per_second = fc_statusline_rate(run->line),
    };
    status_of(run, &status);
    input.bridge = run->bridge;
    fc_status_encode(&input, out);
}

static fc_code on_mark(void *ctx, struct fc_slice json, struct fc_error *err)
{
    const struct run *run = ctx;
    char *text;
    fc_code code;
    if (json.len > MARK_BYTES_MAX) {
        return fc_fail(err, FC_ERR_LIMIT, "a mark of more than %d bytes", MARK_BYTES_MAX);
    }
    if (run->bridge != NULL) {
        return fc_fail(err, FC_ERR_REFUSED, "a bridge takes no marks");
    }
    text = fc_strndup((const char *)json.data, json.len);
    code = fc_pipeline_mark(run->pipeline, text, err);
    free(text);
    return code;
}

static void on_stop(void *ctx)
{
    stop(ctx);
}

static void on_notice(void *ctx, const char *text)
{
    fc_diag_report(ctx, FC_DIAG_WARN, "%s", text);
}

/* --- the two threads ---------------------------------------------------------------------- */

static void *pipeline_thread(void *ctx)
{
    struct run *run = ctx;
    uint64_t one = 1;
    ssize_t put;
    run->code = run->bridge != NULL ? fc_bridge_run(run->bridge, &run->error)
                                    : fc_pipeline_run(run->pipeline, &run->error);
    put = write(run->ended_fd, &one, sizeof(one));
    fc_assert(put == (ssize_t)sizeof(one)); /* an eventfd at 0 takes a 1 */
    return NULL;
}

static void on_signal(struct run *run)
{
    struct signalfd_siginfo info;
    if (read(run->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info)) {
        return; /* taken already */
    }
    if (info.ssi_signo == SIGHUP) {
        if (run->pipeline != NULL) {
            reload(run);
        }
        return;
    }
    if (run->stopping) {
        fc_command_tell(run->command, "second signal: ending at once");
        _exit(FC_EXIT_FAILED);
    }
    run->stopping = true;
    run->stopped_ms = fc_clock_steady_ms(run->command->clock);
    fc_diag_report(run->command->diag, FC_DIAG_INFO, "%s ending cleanly (once more: at once)",
                   run->setup.config->name);
    stop(run);
}

static void wait_for_end(struct run *run)
{
    for (;;) {
        struct pollfd waits[2] = { { .fd = run->signal_fd, .events = POLLIN },
                                   { .fd = run->ended_fd, .events = POLLIN } };
        struct fc_pipeline_status status = { 0 };
        int ready = poll(waits, 2, FC_STATUSLINE_TICK_MS);
        fc_assert(ready >= 0 || errno == EINTR);
        if (ready > 0 && waits[1].revents != 0) {
            return;
        }
        if (ready > 0 && waits[0].revents != 0) {
            on_signal(run);
        }
        if (run->stopping && run->bridge != NULL &&
            fc_clock_steady_ms(run->command->clock) - run->stopped_ms >= HURRY_MS) {
            fc_bridge_hurry(run->bridge);
        }
        status_of(run, &status);
        fc_statusline_tick(run->line, &status);
    }
}

/* --- start and end ------------------------------------------------------------------------ */

static fc_code open_signals(struct run *run, struct fc_error *err)
{
    sigset_t signals;
    (void)sigemptyset(&signals); /* these take any valid set and signal */
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGHUP);
    if (pthread_sigmask(SIG_BLOCK, &signals, NULL) != 0) {
        return fc_fail(err, FC_ERR_IO, "cannot block signals");
    }
    run->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    run->ended_fd = eventfd(0, EFD_CLOEXEC);
    if (run->signal_fd < 0 || run->ended_fd < 0) {
        return fc_fail(err, FC_ERR_IO, "signalfd: %s", strerrordesc_np(errno));
    }
    return FC_OK;
}

/* Records: the log is written by a feed, and only looked at for a sink. */
static fc_code make_bridge(struct run *run, bool until_end, struct fc_error *err)
{
    const struct fc_config *config = run->setup.config;
    struct fc_command *command = run->command;
    struct fc_log_notices notices = { .on_notice = on_notice, .ctx = command->diag };
    struct fc_bridge_config bridge = { .config = config,
                                       .plugin = run->setup.connector,
                                       .host = run->setup.host,
                                       .until_end = until_end,
                                       .clock = command->clock,
                                       .diag = command->diag };
    fc_code code = config->is_sink
                       ? fc_log_lock(config, &run->log, err)
                       : fc_log_open(config, command->clock, &notices, &run->log, err);
    if (code == FC_OK) {
        bridge.stream = run->log.stream;
        bridge.spu = run->log.spu;
        run->bridge = fc_bridge_new(&bridge);
    }
    return code;
}

static fc_code make_pipeline(struct run *run, bool until_end, struct fc_error *err)
{
    const struct fc_config *config = run->setup.config;
    struct fc_command *command = run->command;
    struct fc_log_notices notices = { .on_notice = on_notice,
                                      .ctx = command->diag,
                                      .diag = command->diag };
    struct fc_pipeline_config pipeline = { .config = config,
                                           .plugin = run->setup.connector,
                                           .host = run->setup.host,
                                           .until_end = until_end,
                                           .clock = command->clock,
                                           .diag = command->diag };
    struct fc_transform_chain *chain = NULL;
    fc_code code = load_chain(run, config, &chain, err);
    code = code == FC_OK ? fc_log_open(config, command->clock, &notices, &run->log, err) : code;
    if (code != FC_OK) {
        fc_transform_chain_free(chain);
        return code;
    }
    pipeline.stream = run->log.stream;
    run->pipeline = fc_pipeline_new(&pipeline, chain);
    return FC_OK;
}

static fc_code start(struct run *run, bool until_end, struct fc_error *err)
{
    const struct fc_config *config = run->setup.config;
    const struct fc_connector *connector = run->setup.connector;
    struct fc_command *command = run->command;
    struct fc_control_config control = { .dir = config->state_dir,
                                         .on_status = on_status,
                                         .on_mark = on_mark,
                                         .on_stop = on_stop,
                                         .ctx = run };
    char place[FC_LOG_PLACE_TEXT_SIZE];
    fc_code code;
    if (!config->is_sink && connector->source == NULL && connector->feed == NULL) {
        (void)fc_fail(err, FC_ERR_CONFIG, "connector `%s` cannot read, only be restored into",
                      config->plugin);
        return fc_config_wrap(config, "meta.type", err);
    }
    code = config->is_sink || connector->feed != NULL ? make_bridge(run, until_end, err)
                                                      : make_pipeline(run, until_end, err);
    if (code != FC_OK) {
        return code;
    }
    run->line = fc_statusline_new(config->name, command->diag, command->err, command->clock);
    fc_diag_report(command->diag, FC_DIAG_INFO,
                   "%s %s with %s %s %s %s, topic %s (fluvio-connect " FC_VERSION ")",
                   config->name, run->bridge == NULL ? "capturing" : "copying", config->plugin,
                   connector->version, config->is_sink ? "from" : "into",
                   fc_log_place(config, place), config->topic);
    code = fc_control_start(&control, &run->control, err);
    if (code == FC_OK && pthread_create(&run->thread, NULL, pipeline_thread, run) != 0) {
        code = fc_fail(err, FC_ERR_NOMEM, "no thread for the pipeline");
    }
    return code;
}

static void tell_summary(const struct run *run)
{
    struct fc_pipeline_status status = { 0 };
    char read[FC_HUMAN_SIZE];
    char written[FC_HUMAN_SIZE];
    char took[FC_HUMAN_SIZE];
    status_of(run, &status);
    fc_diag_report(
        run->command->diag, FC_DIAG_INFO,
        "%s ended after %s: %s rows read, %s records written, %" PRIu64 " rejected, %s",
        run->setup.config->name,
        fc_human_duration(fc_clock_steady_ms(run->command->clock) - run->started_ms, took),
        fc_human_count(status.changes_read, read),
        fc_human_count(status.records_written, written), status.rejected,
        status.source.position[0] == '\0' ? "no position yet" : status.source.position);
}

static void release(struct run *run)
{
    fc_control_stop(run->control);
    fc_statusline_free(run->line);
    fc_pipeline_free(run->pipeline);
    fc_bridge_free(run->bridge);
    fc_log_close(&run->log);
    fc_setup_release(&run->setup);
    if (run->signal_fd >= 0) {
        (void)close(run->signal_fd); /* nothing is lost */
    }
    if (run->ended_fd >= 0) {
        (void)close(run->ended_fd);
    }
}

int fc_cmd_run(struct fc_command *command, int argc, char **argv)
{
    struct run run = { .command = command, .signal_fd = -1, .ended_fd = -1 };
    bool until_end = false;
    const struct fc_flag flags[] = {
        { "until-end", 0, FC_FLAG_BOOL, &until_end, NULL,
          "end when caught up with the server as it was at the start" },
        { .name = NULL },
    };
    const struct fc_usage usage = {
        "run [FLAGS] FILE",
        "Capture or copy what FILE says into its log, or out of it (a sink), until\n"
        "SIGTERM or SIGINT. A new start goes on where the last one ended, however it\n"
        "ended. SIGHUP reads the transforms again.",
        flags, 1, 1
    };
    char **operands = NULL;
    uint32_t count = 0;
    fc_exit exit_code = FC_EXIT_DONE;
    fc_code code;
    if (!fc_command_parse(command, &usage, argc, argv, &operands, &count, &exit_code)) {
        return (int)exit_code;
    }
    run.path = operands[0];
    run.started_ms = fc_clock_steady_ms(command->clock);
    code = open_signals(&run, &run.error);
    code = code == FC_OK ? fc_setup_load(command, run.path, &run.setup, &run.error) : code;
    code = code == FC_OK ? start(&run, until_end, &run.error) : code;
    if (code == FC_OK) {
        wait_for_end(&run);
        (void)pthread_join(run.thread, NULL);
        code = run.code;
        fc_control_stop(run.control); /* it asks the line and the pipeline */
        run.control = NULL;
        fc_statusline_free(run.line);
        run.line = NULL;
        tell_summary(&run);
    }
    exit_code = code == FC_OK ? FC_EXIT_DONE : fc_command_fail(command, &run.error);
    release(&run);
    return (int)exit_code;
}
