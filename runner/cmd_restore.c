/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restore: tables as they were at a point of their history, loaded, compared with the log, and
 * only then put in place.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/stopper.h"
#include "core/base/terminal.h"
#include "runner/history.h"
#include "runner/marker.h"

enum { PARALLEL_MAX = 64 };

struct restore_flags {
    struct fc_history_flags history;
    const char *binlog;
    const char *format;
    uint64_t parallel;
    bool replace;
    bool dry_run;
    bool no_verify;
    bool without_dead_letters;
};

struct job {
    struct fc_command *command;
    struct restore_flags flags;
    struct fc_history history;
    struct fc_table_info *infos; /* of the destinations */
    struct fc_progress *progress;
    fc_restore_phase phase;
    struct fc_marker *marker; /* NULL: none is needed */
    json_t *notes;
    int64_t begun_ms;
    int64_t load_ms;
    bool json;
    bool write_binlog;
    pthread_mutex_t lock;
    /* Guarded by lock. */
    struct fc_restore *restore;
};

static void on_stop(void *ctx)
{
    struct job *job = ctx;
    atomic_store(&job->history.stop, true);
    (void)pthread_mutex_lock(&job->lock);
    if (job->restore != NULL) {
        fc_restore_interrupt(job->restore);
    }
    (void)pthread_mutex_unlock(&job->lock);
}

static void on_progress(void *ctx, fc_restore_phase phase, uint64_t done, uint64_t total)
{
    struct job *job = ctx;
    if (job->progress == NULL || phase != job->phase) {
        fc_progress_end(job->progress);
        job->phase = phase;
        job->progress = fc_history_progress(
            &job->history, phase == FC_RESTORE_LOADING ? "loading" : "verifying", "rows",
            total);
    }
    if (job->progress != NULL) {
        fc_progress_set(job->progress, done);
    }
}

/* --- the steps --------------------------------------------------------------------------- */

static fc_code read_flags(struct job *job, struct fc_error *err)
{
    const char *binlog = job->flags.binlog;
    if (binlog != NULL && strcmp(binlog, "on") != 0 && strcmp(binlog, "off") != 0) {
        return fc_fail(err, FC_ERR_CONFIG, "--binlog %s: write on or off", binlog);
    }
    if (job->flags.parallel < 1 || job->flags.parallel > PARALLEL_MAX) {
        return fc_fail(err, FC_ERR_CONFIG, "--parallel %" PRIu64 ": write 1 to %d",
                       job->flags.parallel, PARALLEL_MAX);
    }
    job->write_binlog = binlog != NULL && strcmp(binlog, "on") == 0;
    return FC_OK;
}

/* A change that went to the dead-letter topic is missing from the rows. */
static fc_code check_dead_letters(const struct job *job, struct fc_error *err)
{
    const struct fc_fold *fold = job->history.fold;
    for (uint32_t index = 0; index < fold->table_count && !job->flags.without_dead_letters;
         index++) {
        if (fold->tables[index]->dead_letters > 0) {
            return fc_fail(
                err, FC_ERR_REFUSED,
                "%s: %" PRIu64 " of its changes went to the dead-letter topic %s, so its "
                "rows would not be what they were; --without-dead-letters restores it "
                "nevertheless",
                fold->tables[index]->name, fold->tables[index]->dead_letters,
                job->history.setup.config->dead_letter_topic);
        }
    }
    return FC_OK;
}

static const char *sort_dir(void)
{
    const char *dir =
        getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe): nothing here sets it */
    return dir == NULL || *dir == '\0' ? "/var/tmp" : dir;
}

static fc_code open_restore(struct job *job, struct fc_error *err)
{
    struct fc_history *history = &job->history;
    struct fc_restore_config config;
    struct fc_restore *restore = NULL;
    fc_code code;
    memset(&config, 0, sizeof(config));
    config.view = history->view;
    config.fold = history->fold;
    config.into = history->places;
    config.ops = history->target->target;
    config.host = history->target_host;
    config.replace = job->flags.replace;
    config.write_binlog = job->write_binlog;
    config.verify = !job->flags.no_verify;
    config.parallel = (uint32_t)job->flags.parallel;
    config.sort_bytes = history->memory_bytes;
    config.sort_dir = sort_dir();
    config.on_progress = on_progress;
    config.ctx = job;
    code = fc_restore_new(&config, &restore, err);
    if (code != FC_OK) {
        return code;
    }
    (void)pthread_mutex_lock(&job->lock);
    job->restore = restore;
    if (atomic_load(&history->stop)) {
        fc_restore_interrupt(restore);
    }
    (void)pthread_mutex_unlock(&job->lock);
    job->infos = fc_new_array(struct fc_table_info, history->fold->table_count + 1);
    return fc_restore_check(restore, job->infos, err);
}

/* A restore in place that the binlog does not show must be told to the log. */
static fc_code open_marker(struct job *job, struct fc_error *err)
{
    bool needed = false;
    for (uint32_t index = 0; index < job->history.fold->table_count; index++) {
        needed = needed || (!job->write_binlog && fc_history_is_in_place(&job->history, index));
    }
    return needed ? fc_marker_open(job->history.setup.config, job->command->clock, &job->marker,
                                   err)
                  : FC_OK;
}

/* Also after a failure: for the tables that are live. */
static fc_code write_markers(struct job *job, struct fc_error *err)
{
    const struct fc_fold *fold = job->history.fold;
    fc_code code = FC_OK;
    for (uint32_t index = 0; code == FC_OK && index < fold->table_count; index++) {
        const struct fc_table_load_result *result = fc_restore_result(job->restore, index);
        if (job->marker == NULL || result == NULL || !result->committed ||
            !fc_history_is_in_place(&job->history, index)) {
            continue;
        }
        code = fc_marker_write(job->marker, fold->tables[index]->db, fold->tables[index]->table,
                               job->history.cut.seq, err);
        if (code != FC_OK) {
            return fc_wrap(
                err,
                "%s is restored, but the log could not be told, so a later restore of "
                "it would go wrong; restore it again with --binlog on",
                fold->tables[index]->name);
        }
    }
    return code;
}

static fc_code load_and_mark(struct job *job, struct fc_error *err)
{
    int64_t begun_ms = fc_clock_steady_ms(job->command->clock);
    struct fc_error marking;
    fc_code code = open_marker(job, err);
    if (code != FC_OK) {
        return code;
    }
    code = fc_restore_run(job->restore, err);
    fc_progress_end(job->progress);
    job->progress = NULL;
    job->load_ms = fc_clock_steady_ms(job->command->clock) - begun_ms;
    if (write_markers(job, &marking) != FC_OK) {
        *err = marking;
        code = marking.code;
    }
    return code;
}

/* --- telling ----------------------------------------------------------------------------- */

static const char *describe_place(const struct job *job, uint32_t index)
{
    const struct fc_table_info *info = &job->infos[index];
    if (!info->exists) {
        return "new";
    }
    return info->empty ? "exists, empty" : "exists, is exchanged";
}

static json_t *table_json(const struct job *job, uint32_t index)
{
    const struct fc_fold_table *table = job->history.fold->tables[index];
    const struct fc_table_load_result *result = fc_restore_result(job->restore, index);
    char *into =
        fc_asprintf("%s.%s", job->history.places[index].db, job->history.places[index].table);
    json_t *entry =
        json_pack("{s:s,s:s,s:I,s:s}", "table", table->name, "into", into, "rows",
                  (json_int_t)table->rows, "destination", describe_place(job, index));
    if (result != NULL) {
        (void)json_object_set_new(entry, "live", json_boolean(result->committed));
        (void)json_object_set_new(entry, "verified", json_boolean(result->verified));
        (void)json_object_set_new(entry, "loadMs", json_integer(result->load_ms));
        (void)json_object_set_new(entry, "verifyMs", json_integer(result->verify_ms));
        (void)json_object_set_new(entry, "defaultedColumns", json_string(result->missing));
    }
    free(into);
    return entry == NULL ? json_null() : entry;
}

static void print_json(const struct job *job)
{
    json_t *tables = json_array();
    char *text;
    json_t *root;
    for (uint32_t index = 0; index < job->history.fold->table_count; index++) {
        (void)json_array_append_new(tables, table_json(job, index));
    }
    root =
        json_pack("{s:o,s:b,s:o,s:O,s:I,s:I,s:I}", "cut", fc_history_cut_json(&job->history),
                  "dryRun", job->flags.dry_run, "tables", tables, "notes", job->notes, "logMs",
                  (json_int_t)job->history.fold_ms, "loadMs", (json_int_t)job->load_ms, "ms",
                  (json_int_t)(fc_clock_steady_ms(job->command->clock) - job->begun_ms));
    text = json_dumps(root, JSON_INDENT(2));
    (void)fprintf(job->command->out, "%s\n", text == NULL ? "null" : text);
    free(text);
    json_decref(root);
}

static void print_table(const struct job *job, uint32_t index)
{
    const struct fc_fold_table *table = job->history.fold->tables[index];
    const struct fc_table_load_result *result = fc_restore_result(job->restore, index);
    char rows[FC_HUMAN_SIZE];
    char load[FC_HUMAN_SIZE];
    char verify[FC_HUMAN_SIZE];
    (void)fprintf(job->command->out, "%s -> %s.%s: %s rows", table->name,
                  job->history.places[index].db, job->history.places[index].table,
                  fc_human_count(table->rows, rows));
    if (result == NULL) {
        (void)fprintf(job->command->out, " (%s)\n", describe_place(job, index));
        return;
    }
    (void)fprintf(job->command->out, ", loaded in %s",
                  fc_human_duration(result->load_ms, load));
    if (result->verified) {
        (void)fprintf(job->command->out, ", verified in %s",
                      fc_human_duration(result->verify_ms, verify));
    } else {
        (void)fprintf(job->command->out, ", not verified");
    }
    (void)fprintf(job->command->out, "\n");
    if (*result->missing != '\0') {
        (void)fprintf(job->command->out, "  rows that lack them have the default of: %s\n",
                      result->missing);
    }
}

static void print_summary(const struct job *job)
{
    const struct fc_fold *fold = job->history.fold;
    FILE *out = job->command->out;
    char count[FC_HUMAN_SIZE];
    char all[FC_HUMAN_SIZE];
    char log[FC_HUMAN_SIZE];
    char load[FC_HUMAN_SIZE];
    uint64_t rows = 0;
    size_t at;
    json_t *note;
    for (uint32_t index = 0; index < fold->table_count; index++) {
        print_table(job, index);
        rows += fold->tables[index]->rows;
    }
    json_array_foreach(job->notes, at, note)
    {
        (void)fprintf(out, "note: %s\n", json_string_value(note));
    }
    if (job->flags.dry_run) {
        (void)fprintf(out, "dry run: nothing was changed\n");
        return;
    }
    (void)fprintf(
        out, "restored %s rows of %" PRIu32 " table%s in %s (log %s, load %s), %s\n",
        fc_human_count(rows, count), fold->table_count, fold->table_count == 1 ? "" : "s",
        fc_human_duration(fc_clock_steady_ms(job->command->clock) - job->begun_ms, all),
        fc_human_duration(job->history.fold_ms, log), fc_human_duration(job->load_ms, load),
        job->flags.no_verify ? "NOT verified" : "verified");
}

/* --- the command ------------------------------------------------------------------------- */

static fc_code work(struct job *job, const char *path, struct fc_error *err)
{
    fc_code code = read_flags(job, err);
    if (code == FC_OK) {
        code = fc_history_open(&job->history, job->command, path, &job->flags.history, err);
    }
    if (code == FC_OK && !job->json) {
        fc_history_print_cut(&job->history, job->command->out);
        (void)fflush(job->command->out); /* before anything is done */
    }
    if (code == FC_OK) {
        code = fc_history_fold(&job->history, err);
    }
    if (code == FC_OK) {
        job->notes = fc_history_notes(&job->history);
        code = check_dead_letters(job, err);
    }
    if (code == FC_OK) {
        code = open_restore(job, err);
    }
    if (code == FC_OK && !job->flags.dry_run) {
        code = load_and_mark(job, err);
    }
    if (code == FC_OK && job->json) {
        print_json(job);
    } else if (code == FC_OK) {
        print_summary(job);
    }
    return code;
}

static void release(struct job *job)
{
    struct fc_restore *restore;
    (void)pthread_mutex_lock(&job->lock);
    restore = job->restore;
    job->restore = NULL;
    (void)pthread_mutex_unlock(&job->lock);
    fc_progress_end(job->progress);
    fc_restore_free(restore);
    fc_marker_close(job->marker);
    free(job->infos);
    json_decref(job->notes);
    fc_history_release(&job->history);
    (void)pthread_mutex_destroy(&job->lock);
}

static bool parse(struct job *job, int argc, char **argv, char ***out_operands,
                  fc_exit *out_exit)
{
    struct restore_flags *flags = &job->flags;
    const struct fc_flag table[] = {
        { "to", 't', FC_FLAG_TEXT, &flags->history.to, "TIME|GTID|OFFSET",
          "the point to go to, that transaction included (default: end)" },
        { "before", 'b', FC_FLAG_TEXT, &flags->history.before, "TX",
          "the point just before this transaction" },
        { "table", 0, FC_FLAG_LIST, &flags->history.tables, "DB.TABLE",
          "this table, or DB.*; may be repeated (default: all)" },
        { "into", 0, FC_FLAG_TEXT, &flags->history.into, "NAME",
          "another place: DB.TABLE, TABLE, or DB.* for several" },
        { "target", 0, FC_FLAG_TEXT, &flags->history.target, "FILE",
          "into the server of another connector file" },
        { "replace", 0, FC_FLAG_BOOL, &flags->replace, NULL, "exchange tables that hold rows" },
        { "dry-run", 'n', FC_FLAG_BOOL, &flags->dry_run, NULL,
          "look, say what would be done, change nothing" },
        { "binlog", 0, FC_FLAG_TEXT, &flags->binlog, "on|off",
          "write the restore to the target's binlog (default: off)" },
        { "no-verify", 0, FC_FLAG_BOOL, &flags->no_verify, NULL,
          "do not compare what was stored with the log" },
        { "without-dead-letters", 0, FC_FLAG_BOOL, &flags->without_dead_letters, NULL,
          "restore without the changes that went to the dead-letter topic" },
        { "parallel", 0, FC_FLAG_UINT, &flags->parallel, "N",
          "tables at a time, 1 to 64 (default: 2)" },
        { "memory", 0, FC_FLAG_TEXT, &flags->history.memory, "SIZE",
          "for looking up keys, then for sorting rows (default: 256MiB)" },
        { "output", 'o', FC_FLAG_TEXT, &flags->format, "FORMAT", "table (default) or json" },
        { .name = NULL },
    };
    const struct fc_usage usage = {
        "restore [FLAGS] FILE",
        "Bring the tables that FILE captures back as they were at a point of their\n"
        "history. Rows go into a table beside the destination, are compared with the\n"
        "log, and only then put in place; what fails before that changes nothing.\n"
        "TIME: '2026-11-23 14:03:59' (local) or 2026-11-23T14:03:59Z.\n"
        "GTID: 0-1-42, or <uuid>:17. OFFSET: topic/partition/offset.",
        table, 1, 1
    };
    uint32_t count = 0;
    return fc_command_parse(job->command, &usage, argc, argv, out_operands, &count, out_exit) &&
           (fc_command_format(job->command, flags->format, &job->json) ||
            (*out_exit = FC_EXIT_USAGE, false));
}

int fc_cmd_restore(struct fc_command *command, int argc, char **argv)
{
    struct job job = { .command = command, .flags = { .parallel = 2 } };
    struct fc_stopper *stopper = NULL;
    struct fc_error error = { 0 };
    char **operands = NULL;
    fc_exit exit_code = FC_EXIT_DONE;
    fc_code code;
    if (!parse(&job, argc, argv, &operands, &exit_code)) {
        return (int)exit_code;
    }
    job.begun_ms = fc_clock_steady_ms(command->clock);
    (void)pthread_mutex_init(&job.lock, NULL);
    code = fc_stopper_start(on_stop, &job, &stopper, &error);
    if (code == FC_OK) {
        code = work(&job, operands[0], &error);
    }
    fc_stopper_end(stopper);
    release(&job);
    return code == FC_OK ? FC_EXIT_DONE : (int)fc_command_fail(command, &error);
}
