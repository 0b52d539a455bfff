/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/history.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/quantity.h"
#include "core/base/terminal.h"
#include "runner/log_open.h"

enum { PARTITIONS_SHOWN_MAX = 8 };

static const int64_t memory_default = 256LL * 1024 * 1024;

/* --- opening ----------------------------------------------------------------------------- */

static fc_code read_flags(struct fc_history *history, struct fc_error *err)
{
    const struct fc_history_flags *flags = &history->flags;
    int64_t memory = memory_default;
    if (flags->memory != NULL &&
        (!fc_quantity_size(flags->memory, &memory) || memory < FC_FOLD_MEMORY_MIN)) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "--memory %s: write a size of at least %d bytes (64MiB)", flags->memory,
                       FC_FOLD_MEMORY_MIN);
    }
    history->memory_bytes = (size_t)memory;
    for (uint32_t index = 0; index < flags->tables.count; index++) {
        const char *dot = strchr(flags->tables.items[index], '.');
        if (dot == NULL || dot == flags->tables.items[index] || dot[1] == '\0') {
            return fc_fail(err, FC_ERR_CONFIG, "--table %s: write DB.TABLE or DB.*",
                           flags->tables.items[index]);
        }
    }
    return fc_cut_parse(flags->to, flags->before, &history->spec, err);
}

static fc_code find_target(struct fc_history *history, struct fc_error *err)
{
    const struct fc_setup *setup = &history->setup;
    if (history->flags.target != NULL) {
        fc_code code =
            fc_setup_load(history->command, history->flags.target, &history->target_setup, err);
        if (code != FC_OK) {
            return code;
        }
        setup = &history->target_setup;
    }
    history->target = setup->connector;
    history->target_host = setup->host;
    if (setup->connector->target == NULL) {
        return fc_fail(err, FC_ERR_CONFIG, "connector `%s` cannot be restored into",
                       setup->connector->name);
    }
    return FC_OK;
}

static fc_code open_log(struct fc_history *history, struct fc_error *err)
{
    const struct fc_config *config = history->setup.config;
    struct fc_log_view_config view;
    fc_code code;
    code = fc_log_open_whole(config, history->command->clock, &history->stream, err);
    if (code != FC_OK) {
        return code;
    }
    memset(&view, 0, sizeof(view));
    view.stream = history->stream;
    view.clock = history->command->clock;
    view.connector = config->name;
    view.topic = config->topic;
    view.dead_letter_topic = config->dead_letter_topic;
    return fc_log_view_open(&view, &history->view, err);
}

fc_code fc_history_open(struct fc_history *history, struct fc_command *command,
                        const char *path, const struct fc_history_flags *flags,
                        struct fc_error *err)
{
    fc_code code;
    history->command = command;
    history->flags = *flags;
    code = read_flags(history, err);
    if (code == FC_OK) {
        code = fc_setup_load(command, path, &history->setup, err);
    }
    if (code == FC_OK) {
        code = find_target(history, err);
    }
    if (code == FC_OK) {
        code = open_log(history, err);
    }
    return code == FC_OK ? fc_cut_resolve(history->view, &history->spec, &history->cut, err)
                         : code;
}

void fc_history_release(struct fc_history *history)
{
    for (uint32_t index = 0; history->place_names != NULL && history->fold != NULL &&
                             index < 2 * history->fold->table_count;
         index++) {
        free(history->place_names[index]);
    }
    free(history->place_names);
    free(history->places);
    fc_fold_free(history->fold);
    fc_cut_release(&history->cut);
    fc_log_view_close(history->view);
    fc_stream_close(history->stream);
    fc_setup_release(&history->target_setup);
    fc_setup_release(&history->setup);
}

/* --- places ------------------------------------------------------------------------------ */

/* "copy.*", "copy.": a database; "copy.orders": a table; "orders": a table of the same database.
 * NULL: each table's own. */
static fc_code find_places(struct fc_history *history, struct fc_error *err)
{
    const char *into = history->flags.into;
    uint32_t count = history->fold->table_count;
    const char *dot = into == NULL ? NULL : strchr(into, '.');
    bool whole_db = dot != NULL && (dot[1] == '\0' || strcmp(dot, ".*") == 0);
    history->places = fc_new_array(struct fc_restore_place, count + 1);
    history->place_names = fc_new_array(char *, 2 * (size_t)count + 1);
    if (into != NULL && (*into == '\0' || dot == into)) {
        return fc_fail(err, FC_ERR_CONFIG, "--into \"%s\": write DB.TABLE, TABLE or DB.*",
                       into);
    }
    if (into != NULL && !whole_db && count > 1) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "--into %s names one table, but %" PRIu32
                       " are asked for; choose one by --table, or write DB.*",
                       into, count);
    }
    for (uint32_t index = 0; index < count; index++) {
        const struct fc_fold_table *table = history->fold->tables[index];
        char **names = &history->place_names[2 * (size_t)index];
        names[0] = dot == NULL ? fc_strdup(table->db) : fc_strndup(into, (size_t)(dot - into));
        names[1] = into == NULL || whole_db ? fc_strdup(table->table)
                                            : fc_strdup(dot == NULL ? into : dot + 1);
        history->places[index].db = names[0];
        history->places[index].table = names[1];
    }
    return FC_OK;
}

bool fc_history_is_in_place(const struct fc_history *history, uint32_t table)
{
    const struct fc_fold_table *folded = history->fold->tables[table];
    return history->flags.target == NULL &&
           strcmp(history->places[table].db, folded->db) == 0 &&
           strcmp(history->places[table].table, folded->table) == 0;
}

static void add_note(json_t *notes, char *text)
{
    json_t *note = json_string(text);
    (void)json_array_append_new(notes, note == NULL ? json_string("?") : note);
    free(text);
}

json_t *fc_history_notes(const struct fc_history *history)
{
    json_t *notes = json_array();
    char when[FC_TIME_TEXT_SIZE];
    for (uint32_t index = 0; index < history->fold->table_count; index++) {
        const struct fc_fold_table *table = history->fold->tables[index];
        if (table->dead_letters > 0) {
            add_note(notes, fc_asprintf("%s: %" PRIu64
                                        " changes went to the dead-letter topic %s and are "
                                        "missing from its rows",
                                        table->name, table->dead_letters,
                                        history->setup.config->dead_letter_topic));
        }
        for (uint32_t at = 0; at < table->versions.pending_count; at++) {
            const struct fc_version_ddl *ddl = &table->versions.pending[at];
            add_note(notes,
                     fc_asprintf("%s: has its columns as of its newest row; after that, at "
                                 "%s, came: %.300s",
                                 table->name, fc_time_text(ddl->mark.time_ms, when),
                                 ddl->statement));
        }
    }
    for (const char *at = history->fold->notes; *at != '\0';) {
        size_t length = strcspn(at, "\n");
        add_note(notes, fc_strndup(at, length));
        at += length + (at[length] == '\n' ? 1 : 0);
    }
    return notes;
}

/* --- folding ----------------------------------------------------------------------------- */

struct fc_progress *fc_history_progress(struct fc_history *history, const char *what,
                                        const char *unit, uint64_t total)
{
    struct fc_progress_config config;
    if (history->command->quiet) {
        return NULL;
    }
    memset(&config, 0, sizeof(config));
    config.diag = history->command->diag;
    config.clock = history->command->clock;
    config.stream = history->command->err;
    config.unit = unit;
    return fc_progress_new(&config, what, total);
}

static void on_fold_progress(void *ctx, uint64_t done, uint64_t total)
{
    struct fc_progress *progress = ctx;
    if (progress != NULL) {
        fc_progress_set_total(progress, total);
        fc_progress_set(progress, done);
    }
}

fc_code fc_history_fold(struct fc_history *history, struct fc_error *err)
{
    struct fc_progress *progress =
        fc_history_progress(history, "reading the log", "records", 0);
    int64_t begun_ms = fc_clock_steady_ms(history->command->clock);
    struct fc_fold_config config;
    fc_code code;
    memset(&config, 0, sizeof(config));
    config.view = history->view;
    config.cut_seq = history->cut.seq;
    config.memory_bytes = history->memory_bytes;
    config.tables = history->flags.tables.items;
    config.table_count = history->flags.tables.count;
    config.on_progress = on_fold_progress;
    config.ctx = progress;
    config.stop = &history->stop;
    code = fc_fold_run(&config, &history->fold, err);
    fc_progress_end(progress);
    history->fold_ms = fc_clock_steady_ms(history->command->clock) - begun_ms;
    return code == FC_OK ? find_places(history, err) : code;
}

/* --- telling the cut --------------------------------------------------------------------- */

void fc_history_print_cut(const struct fc_history *history, FILE *to)
{
    const struct fc_log_view *view = history->view;
    char text[FC_LOG_MARK_TEXT_SIZE];
    char place[FC_LOG_PLACE_SIZE];
    (void)fprintf(to, "cut: %s", fc_log_mark_text(&history->cut.last, text));
    if (history->spec.kind != FC_CUT_END) {
        (void)fprintf(to, " (%s%s)",
                      history->spec.before                ? "before "
                      : history->spec.kind == FC_CUT_TIME ? "as of "
                                                          : "",
                      history->spec.text);
    }
    (void)fprintf(to, "\n");
    for (uint32_t index = 0; index < view->partition_count && index < PARTITIONS_SHOWN_MAX;
         index++) {
        (void)fprintf(to, "     %s offset %" PRId64 "\n", fc_log_view_place(view, index, place),
                      history->cut.offsets[index]);
    }
    if (view->partition_count > PARTITIONS_SHOWN_MAX) {
        (void)fprintf(to, "     and %" PRIu32 " partitions more\n",
                      view->partition_count - PARTITIONS_SHOWN_MAX);
    }
}

json_t *fc_history_cut_json(const struct fc_history *history)
{
    const struct fc_log_view *view = history->view;
    json_t *offsets = json_object();
    char place[FC_LOG_PLACE_SIZE];
    for (uint32_t index = 0; index < view->partition_count; index++) {
        (void)json_object_set_new(offsets, fc_log_view_place(view, index, place),
                                  json_integer(history->cut.offsets[index]));
    }
    return json_pack("{s:I,s:s,s:I,s:o}", "number", (json_int_t)history->cut.seq, "transaction",
                     history->cut.last.tx_id, "timeMs", (json_int_t)history->cut.last.time_ms,
                     "offsets", offsets);
}
