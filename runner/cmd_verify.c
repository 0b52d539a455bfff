/* SPDX-License-Identifier: Apache-2.0 */
/* verify: compare tables with the log as of a point of their history, and name what differs. */
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/stopper.h"
#include "core/base/terminal.h"
#include "runner/history.h"
#include "runner/restore/verify.h"

enum { ROW_SHOWN_BYTES = 300 };

struct verify_flags {
    struct fc_history_flags history;
    const char *format;
    uint64_t max_rows;
};

struct job {
    struct fc_command *command;
    struct verify_flags flags;
    struct fc_history history;
    struct fc_verify_result *results;
    struct fc_progress *progress;
    json_t *notes;
    json_t *rows; /* that differ, of all tables */
    int64_t begun_ms;
    bool json;
    pthread_mutex_t lock;
    /* Guarded by lock. */
    struct fc_target *target;
};

static void on_stop(void *ctx)
{
    struct job *job = ctx;
    atomic_store(&job->history.stop, true);
    (void)pthread_mutex_lock(&job->lock);
    if (job->target != NULL) {
        job->history.target->target->interrupt(job->target);
    }
    (void)pthread_mutex_unlock(&job->lock);
}

static void on_progress(void *ctx, uint64_t done, uint64_t total)
{
    struct job *job = ctx;
    if (job->progress != NULL) {
        fc_progress_set_total(job->progress, total);
        fc_progress_set(job->progress, done);
    }
}

static const char *difference_name(fc_difference what)
{
    switch (what) {
    case FC_ROW_MISSING:
        return "missing";
    case FC_ROW_EXTRA:
        return "extra";
    case FC_ROW_DIFFERENT:
        return "different";
    }
    return "?";
}

static void on_difference(void *ctx, uint32_t table, fc_difference what, struct fc_slice key)
{
    struct job *job = ctx;
    int shown = key.len < ROW_SHOWN_BYTES ? (int)key.len : ROW_SHOWN_BYTES;
    char *text = fc_strndup((const char *)key.data, (size_t)shown);
    json_t *entry = json_pack("{s:s,s:s,s:s}", "table", job->history.fold->tables[table]->name,
                              "what", difference_name(what), "key", text);
    /* A text that was cut within a character is no JSON string. */
    (void)json_array_append_new(job->rows, entry == NULL ? json_null() : entry);
    free(text);
}

/* --- the steps --------------------------------------------------------------------------- */

static fc_code compare(struct job *job, struct fc_error *err)
{
    struct fc_history *history = &job->history;
    struct fc_verify_config config;
    struct fc_target *target = NULL;
    fc_code code = history->target->target->open(history->target_host, &target, err);
    if (code != FC_OK) {
        return code;
    }
    (void)pthread_mutex_lock(&job->lock);
    job->target = target;
    (void)pthread_mutex_unlock(&job->lock);
    memset(&config, 0, sizeof(config));
    config.view = history->view;
    config.fold = history->fold;
    config.places = history->places;
    config.ops = history->target->target;
    config.target = target;
    config.memory_bytes = history->memory_bytes;
    config.rows_named_max = job->flags.max_rows;
    config.on_difference = on_difference;
    config.on_progress = on_progress;
    config.ctx = job;
    config.stop = &history->stop;
    job->results = fc_new_array(struct fc_verify_result, history->fold->table_count + 1);
    job->progress = fc_history_progress(history, "verifying", "rows", 0);
    code = fc_verify_run(&config, job->results, err);
    fc_progress_end(job->progress);
    job->progress = NULL;
    return code;
}

static uint32_t count_differing(const struct job *job)
{
    uint32_t count = 0;
    for (uint32_t index = 0; index < job->history.fold->table_count; index++) {
        count += job->results[index].equal ? 0 : 1;
    }
    return count;
}

/* --- telling ----------------------------------------------------------------------------- */

static json_t *table_json(const struct job *job, uint32_t index)
{
    const struct fc_verify_result *result = &job->results[index];
    json_t *entry = json_pack("{s:s,s:b,s:b,s:I,s:I,s:I,s:I,s:I,s:b,s:s?}", "table",
                              job->history.fold->tables[index]->name, "equal", result->equal,
                              "absent", result->absent, "logRows", (json_int_t)result->log_rows,
                              "targetRows", (json_int_t)result->target_rows, "missing",
                              (json_int_t)result->missing, "extra", (json_int_t)result->extra,
                              "different", (json_int_t)result->different, "partly",
                              result->partly, "columns", result->columns);
    return entry == NULL ? json_null() : entry;
}

static void print_json(const struct job *job)
{
    json_t *tables = json_array();
    json_t *root;
    char *text;
    for (uint32_t index = 0; index < job->history.fold->table_count; index++) {
        (void)json_array_append_new(tables, table_json(job, index));
    }
    root = json_pack("{s:o,s:b,s:o,s:O,s:O,s:I}", "cut", fc_history_cut_json(&job->history),
                     "equal", count_differing(job) == 0, "tables", tables, "rows", job->rows,
                     "notes", job->notes, "ms",
                     (json_int_t)(fc_clock_steady_ms(job->command->clock) - job->begun_ms));
    text = json_dumps(root, JSON_INDENT(2));
    (void)fprintf(job->command->out, "%s\n", text == NULL ? "null" : text);
    free(text);
    json_decref(root);
}

static void print_table(const struct job *job, uint32_t index)
{
    const struct fc_verify_result *result = &job->results[index];
    const struct fc_restore_place *place = &job->history.places[index];
    FILE *out = job->command->out;
    char rows[FC_HUMAN_SIZE];
    char other[FC_HUMAN_SIZE];
    if (result->equal && job->command->quiet) {
        return;
    }
    if (result->equal) {
        (void)fprintf(out, "%s.%s: same, %s rows\n", place->db, place->table,
                      fc_human_count(result->log_rows, rows));
    } else if (result->absent) {
        (void)fprintf(out, "%s.%s: DIFFERS: it does not exist; the log has %s rows\n",
                      place->db, place->table, fc_human_count(result->log_rows, rows));
    } else if (result->columns != NULL) {
        (void)fprintf(out, "%s.%s: DIFFERS: %s\n", place->db, place->table, result->columns);
    } else {
        (void)fprintf(out,
                      "%s.%s: DIFFERS: %s rows in the log, %s here; %s%" PRIu64
                      " missing, %" PRIu64 " extra, %" PRIu64 " different\n",
                      place->db, place->table, fc_human_count(result->log_rows, rows),
                      fc_human_count(result->target_rows, other),
                      result->partly ? "at least " : "", result->missing, result->extra,
                      result->different);
    }
    if (result->unknown_columns != NULL && *result->unknown_columns != '\0') {
        (void)fprintf(out, "  not compared, for the log does not have them: %s\n",
                      result->unknown_columns);
    }
}

static void print_summary(const struct job *job)
{
    FILE *out = job->command->out;
    char took[FC_HUMAN_SIZE];
    uint64_t named = json_array_size(job->rows);
    size_t at;
    json_t *entry;
    for (uint32_t index = 0; index < job->history.fold->table_count; index++) {
        print_table(job, index);
    }
    json_array_foreach(job->rows, at, entry)
    {
        const char *key = json_string_value(json_object_get(entry, "key"));
        (void)fprintf(out, "  %s %s %s\n", json_string_value(json_object_get(entry, "table")),
                      json_string_value(json_object_get(entry, "what")),
                      key == NULL ? "?" : key);
    }
    if (named > 0) {
        (void)fprintf(out, "  (at most %" PRIu64 " rows a table are named: --max-rows)\n",
                      job->flags.max_rows);
    }
    json_array_foreach(job->notes, at, entry)
    {
        (void)fprintf(out, "note: %s\n", json_string_value(entry));
    }
    if (job->command->quiet) {
        return;
    }
    (void)fprintf(
        out, "%" PRIu32 " table%s compared in %s: %s\n", job->history.fold->table_count,
        job->history.fold->table_count == 1 ? "" : "s",
        fc_human_duration(fc_clock_steady_ms(job->command->clock) - job->begun_ms, took),
        count_differing(job) == 0 ? "all the same" : "NOT the same");
}

/* --- the command ------------------------------------------------------------------------- */

static fc_code work(struct job *job, const char *path, struct fc_error *err)
{
    fc_code code = fc_history_open(&job->history, job->command, path, &job->flags.history, err);
    job->rows = json_array();
    if (code == FC_OK && !job->json && !job->command->quiet) {
        fc_history_print_cut(&job->history, job->command->out);
        (void)fflush(job->command->out); /* what follows may take long */
    }
    if (code == FC_OK) {
        code = fc_history_fold(&job->history, err);
    }
    if (code == FC_OK) {
        job->notes = fc_history_notes(&job->history);
        code = compare(job, err);
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
    struct fc_target *target;
    (void)pthread_mutex_lock(&job->lock);
    target = job->target;
    job->target = NULL;
    (void)pthread_mutex_unlock(&job->lock);
    if (target != NULL) {
        job->history.target->target->close(target);
    }
    for (uint32_t index = 0; job->results != NULL && index < job->history.fold->table_count;
         index++) {
        fc_verify_result_release(&job->results[index]);
    }
    free(job->results);
    json_decref(job->rows);
    json_decref(job->notes);
    fc_history_release(&job->history);
    (void)pthread_mutex_destroy(&job->lock);
}

static bool parse(struct job *job, int argc, char **argv, char ***out_operands,
                  fc_exit *out_exit)
{
    struct verify_flags *flags = &job->flags;
    const struct fc_flag table[] = {
        { "to", 't', FC_FLAG_TEXT, &flags->history.to, "TIME|GTID|OFFSET",
          "the point to compare with, that transaction included (default: end)" },
        { "before", 'b', FC_FLAG_TEXT, &flags->history.before, "TX",
          "the point just before this transaction" },
        { "table", 0, FC_FLAG_LIST, &flags->history.tables, "DB.TABLE",
          "this table, or DB.*; may be repeated (default: all)" },
        { "into", 0, FC_FLAG_TEXT, &flags->history.into, "NAME",
          "where they were restored: DB.TABLE, TABLE, or DB.* for several" },
        { "target", 0, FC_FLAG_TEXT, &flags->history.target, "FILE",
          "the server of another connector file" },
        { "max-rows", 0, FC_FLAG_UINT, &flags->max_rows, "N",
          "rows to name in each table that differs (default: 20)" },
        { "memory", 0, FC_FLAG_TEXT, &flags->history.memory, "SIZE",
          "for looking up keys (default: 256MiB)" },
        { "output", 'o', FC_FLAG_TEXT, &flags->format, "FORMAT", "table (default) or json" },
        { .name = NULL },
    };
    const struct fc_usage usage = {
        "verify [FLAGS] FILE",
        "Compare the tables that FILE captures with the log as of a point of their\n"
        "history, by checksums, and name the rows that differ. Changes nothing. Exit\n"
        "code 0: all the same, 1: something differs. While a table is written to, its\n"
        "newest rows may not have reached the log.",
        table, 1, 1
    };
    uint32_t count = 0;
    return fc_command_parse(job->command, &usage, argc, argv, out_operands, &count, out_exit) &&
           (fc_command_format(job->command, flags->format, &job->json) ||
            (*out_exit = FC_EXIT_USAGE, false));
}

int fc_cmd_verify(struct fc_command *command, int argc, char **argv)
{
    struct job job = { .command = command, .flags = { .max_rows = 20 } };
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
    if (code == FC_OK && count_differing(&job) > 0) {
        fc_command_tell(command, "%" PRIu32 " of %" PRIu32 " tables differ from the log",
                        count_differing(&job), job.history.fold->table_count);
        exit_code = FC_EXIT_FAILED;
    }
    fc_stopper_end(stopper);
    release(&job);
    return code == FC_OK ? (int)exit_code : (int)fc_command_fail(command, &error);
}
