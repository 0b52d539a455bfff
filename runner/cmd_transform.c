/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transform test: run scripts over changes from a file, without any server.
 *
 * A JSON line on stdout for each change that came out, or that was dropped; what was rejected is
 * told on stderr.
 */
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/text_file.h"
#include "runner/change_json.h"
#include "runner/command.h"
#include "runner/envelope/base64.h"
#include "runner/envelope/envelope.h"
#include "runner/envelope/json_write.h"
#include "transforms/json_reader.h"
#include "transforms/transform.h"

enum { INPUT_BYTES_MAX = 256 * 1024 * 1024, ARENA_BYTES_MAX = 64 * 1024 * 1024 };

struct trial {
    struct fc_command *command;
    const char *input_path;
    const char *with_json;
    struct fc_config *config; /* when the operand is a connector file */
    struct fc_transform_chain *chain;
    struct fc_transform_engine *engine;
    struct fc_change_file *changes;
    struct fc_envelope *envelope;
    struct fc_buf input;
    struct fc_buf line;
    struct fc_arena arena;
    uint32_t rejected;
};

/* --- set-up --------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static fc_code make_chain(struct trial *trial, const struct fc_transform_step *steps,
                          uint32_t count, const char *base_dir, struct fc_error *err)
{
    const struct fc_source_field *fields = fc_change_file_fields();
    const char *names[16] = { NULL };
    char dir[PATH_MAX];
    struct fc_transform_config config;
    memset(&config, 0, sizeof(config));
    for (size_t index = 0; fields[index].name != NULL; index++) {
        fc_assert(index + 1 < sizeof(names) / sizeof(names[0]));
        names[index] = fields[index].name;
    }
    config.base_dir = base_dir;
    config.ready_made_dir = fc_command_transforms_dir(trial->command, dir);
    config.source_fields = names;
    return fc_transform_chain_new(steps, count, &config, &trial->chain, err);
}

/* what: a script, a ready-made transform's name, or a connector file with its whole list. */
static fc_code load_chain(struct trial *trial, const char *what, struct fc_error *err)
{
    struct fc_transform_step step;
    struct fc_config_source source;
    fc_code code;
    memset(&step, 0, sizeof(step));
    if (!ends_with(what, ".yaml") && !ends_with(what, ".yml")) {
        step.uses = what;
        step.with_json = trial->with_json;
        return make_chain(trial, &step, 1, NULL, err);
    }
    if (trial->with_json != NULL) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "--with goes with one transform; %s has the options of its own", what);
    }
    memset(&source, 0, sizeof(source));
    source.path = what;
    source.secrets_path = trial->command->secrets_path;
    code = fc_config_load(&source, &trial->config, err);
    if (code != FC_OK) {
        return code;
    }
    if (trial->config->step_count == 0) {
        return fc_fail(err, FC_ERR_CONFIG, "%s lists no transforms", what);
    }
    code = make_chain(trial, trial->config->steps, trial->config->step_count,
                      trial->config->dir, err);
    return code == FC_OK ? FC_OK : fc_wrap(err, "%s", what);
}

static fc_code read_stdin(struct fc_buf *out, struct fc_error *err)
{
    for (;;) {
        enum { PIECE = 64 * 1024 };
        uint8_t *to = fc_buf_reserve(out, PIECE);
        ssize_t size = to == NULL ? 0 : read(STDIN_FILENO, to, PIECE);
        if (size < 0) {
            return fc_fail(err, FC_ERR_IO, "cannot read the standard input");
        }
        if (size == 0) {
            return fc_buf_check(out, "the input", err);
        }
        out->len += (size_t)size;
    }
}

static fc_code load_changes(struct trial *trial, struct fc_error *err)
{
    bool is_stdin = strcmp(trial->input_path, "-") == 0;
    fc_code code = is_stdin
                       ? read_stdin(&trial->input, err)
                       : fc_text_file_read(trial->input_path, "", &trial->input, NULL, err);
    if (code != FC_OK) {
        return code;
    }
    code = fc_change_file_parse(fc_buf_slice(&trial->input), &trial->changes, err);
    return code == FC_OK ? FC_OK : fc_wrap(err, "%s", trial->input_path);
}

static void encode_row(void *ctx, const struct fc_shape *shape, const struct fc_value *row,
                       struct fc_buf *out)
{
    fc_envelope_row(ctx, shape, row, out);
}

static fc_code open_engine(struct trial *trial, struct fc_error *err)
{
    struct fc_envelope_config config;
    fc_code code = fc_transform_engine_new(trial->chain, &trial->engine, err);
    if (code != FC_OK) {
        return code;
    }
    memset(&config, 0, sizeof(config));
    config.mode = FC_ENVELOPE_EXACT;
    config.connector_name = "test";
    config.engine = "test";
    config.version = FC_VERSION;
    config.fields = fc_change_file_fields();
    config.clock = trial->command->clock;
    trial->envelope = fc_envelope_new(&config);
    fc_envelope_begin_batch(trial->envelope);
    fc_transform_engine_set_row_encoder(trial->engine, encode_row, trial->envelope);
    return FC_OK;
}

/* --- what came out -------------------------------------------------------------------------- */

static void append_name(struct trial *trial, const char *name)
{
    fc_buf_append_text(&trial->line, ",\"");
    fc_buf_append_text(&trial->line, name);
    fc_buf_append_text(&trial->line, "\":");
}

static void append_text(struct trial *trial, const char *name, struct fc_slice text)
{
    if (!fc_slice_is_null(text)) {
        append_name(trial, name);
        fc_json_append_string(&trial->line, text);
    }
}

/* Bytes that are no text appear as <name>_base64. */
static void append_bytes(struct trial *trial, const char *name, struct fc_slice bytes)
{
    char long_name[64];
    uint8_t *to;
    size_t size = fc_base64_size(bytes.len);
    if (fc_slice_is_null(bytes) || fc_utf8_is_valid(bytes)) {
        append_text(trial, name, bytes);
        return;
    }
    (void)snprintf(long_name, sizeof(long_name), "%s_base64", name);
    append_name(trial, long_name);
    fc_buf_append_u8(&trial->line, '"');
    to = fc_buf_reserve(&trial->line, size);
    if (to != NULL) {
        (void)fc_base64_put((char *)to, bytes.data, bytes.len);
        trial->line.len += size;
    }
    fc_buf_append_u8(&trial->line, '"');
}

static void append_row(struct trial *trial, const char *name, const struct fc_shape *shape,
                       const struct fc_value *row)
{
    if (shape != NULL && row != NULL) {
        append_name(trial, name);
        fc_envelope_row(trial->envelope, shape, row, &trial->line);
    }
}

static void append_headers(struct trial *trial, const struct fc_transformed *result)
{
    if (result->header_count == 0) {
        return;
    }
    append_name(trial, "headers");
    for (uint32_t index = 0; index < result->header_count; index++) {
        fc_buf_append_u8(&trial->line, index == 0 ? '{' : ',');
        fc_json_append_string(&trial->line, result->headers[index].key);
        fc_buf_append_u8(&trial->line, ':');
        fc_json_append_string(&trial->line, result->headers[index].value);
    }
    fc_buf_append_u8(&trial->line, '}');
}

static void append_result(struct trial *trial, const struct fc_transformed *result)
{
    const struct fc_change *change = result->change;
    const struct fc_shape *shape = change->shape;
    char op = (char)change->op;
    append_text(trial, "op", fc_slice_of(&op, 1));
    append_text(trial, "db", shape != NULL ? fc_slice_text(shape->db) : change->db);
    append_text(trial, "table", shape != NULL ? fc_slice_text(shape->table) : change->table);
    append_text(trial, "topic", result->topic);
    append_bytes(trial, "key", result->key);
    append_bytes(trial, "value", result->value);
    if (result->tombstone) {
        append_name(trial, "tombstone");
        fc_buf_append_text(&trial->line, "true");
    }
    append_headers(trial, result);
    append_row(trial, "before", shape, change->before);
    append_row(trial, "after", shape, change->after);
    if (change->ddl != NULL) {
        append_text(trial, "ddl", change->ddl->statement);
    }
}

static void print_line(struct trial *trial, uint32_t number,
                       const struct fc_transformed *result)
{
    fc_buf_clear(&trial->line);
    fc_buf_append_fmt(&trial->line, "{\"change\":%u", number);
    if (result == NULL) {
        fc_buf_append_text(&trial->line, ",\"dropped\":true");
    } else {
        append_result(trial, result);
    }
    fc_buf_append_text(&trial->line, "}\n");
    if (!trial->line.failed) {
        (void)fwrite(trial->line.data, 1, trial->line.len, trial->command->out);
    }
}

static fc_code run_one(struct trial *trial, uint32_t index, struct fc_error *err)
{
    const struct fc_change *change = fc_change_file_get(trial->changes, index);
    struct fc_transformed *results = NULL;
    uint32_t count = 0;
    fc_code code;
    fc_arena_clear(&trial->arena);
    code = fc_transform_run(trial->engine, change, &trial->arena, &results, &count, err);
    if (code == FC_ERR_REJECTED || code == FC_ERR_LIMIT) {
        trial->rejected++;
        (void)fflush(trial->command->out); /* lines of both streams in order on a terminal */
        fc_command_tell(trial->command, "%s:%u: change %u rejected: %s", trial->input_path,
                        fc_change_file_line(trial->changes, index), index + 1, err->message);
        return FC_OK;
    }
    if (code != FC_OK) {
        return code;
    }
    for (uint32_t result = 0; result < count; result++) {
        print_line(trial, index + 1, &results[result]);
    }
    if (count == 0) {
        print_line(trial, index + 1, NULL);
    }
    return fc_buf_check(&trial->line, "a line of output", err);
}

static int run_trial(struct trial *trial, const char *what)
{
    struct fc_error error = { 0 };
    fc_code code = load_chain(trial, what, &error);
    if (code == FC_OK) {
        code = load_changes(trial, &error);
    }
    if (code == FC_OK) {
        code = open_engine(trial, &error);
    }
    for (uint32_t index = 0; code == FC_OK && index < fc_change_file_count(trial->changes);
         index++) {
        code = run_one(trial, index, &error);
    }
    if (code != FC_OK) {
        return (int)fc_command_fail(trial->command, &error);
    }
    if (fflush(trial->command->out) != 0) {
        fc_command_tell(trial->command, "cannot write the results");
        return FC_EXIT_FAILED;
    }
    return trial->rejected == 0 ? FC_EXIT_DONE : FC_EXIT_FAILED;
}

int fc_cmd_transform(struct fc_command *command, int argc, char **argv)
{
    struct trial trial;
    const struct fc_flag flags[] = {
        { "input", 'i', FC_FLAG_TEXT, &trial.input_path, "FILE",
          "changes as JSON, an array or one after another; - for stdin" },
        { "with", 'w', FC_FLAG_TEXT, &trial.with_json, "JSON",
          "the transform's options as a JSON object" },
        { .name = NULL },
    };
    const struct fc_usage usage = {
        .synopsis = "transform test SCRIPT.lua|NAME|CONNECTOR.yaml --input changes.json",
        .text = "Runs a script of your own, a ready-made transform, or all that a connector\n"
                "file lists, over changes from a file, and prints what comes out, a JSON line\n"
                "each. A rejected change is told with the script's line. No server is needed;\n"
                "docs/transforms.md says how changes are written.",
        .flags = flags,
        .operands_min = 2,
        .operands_max = 2,
    };
    char **operands = NULL;
    uint32_t count = 0;
    fc_exit status = FC_EXIT_USAGE;
    memset(&trial, 0, sizeof(trial));
    trial.command = command;
    if (!fc_command_parse(command, &usage, argc, argv, &operands, &count, &status)) {
        return (int)status;
    }
    if (strcmp(operands[0], "test") != 0) {
        fc_command_tell(command, "transform: there is only `transform test`, not `%s`",
                        operands[0]);
        return FC_EXIT_USAGE;
    }
    if (trial.input_path == NULL) {
        fc_command_tell(command,
                        "transform: --input FILE is missing: the changes to try it on");
        return FC_EXIT_USAGE;
    }
    fc_buf_init(&trial.input, INPUT_BYTES_MAX);
    fc_buf_init(&trial.line, INPUT_BYTES_MAX);
    fc_arena_init(&trial.arena, ARENA_BYTES_MAX);
    status = (fc_exit)run_trial(&trial, operands[1]);
    fc_transform_engine_free(trial.engine);
    fc_transform_chain_free(trial.chain);
    fc_envelope_free(trial.envelope);
    fc_change_file_free(trial.changes);
    fc_config_free(trial.config);
    fc_buf_release(&trial.input);
    fc_buf_release(&trial.line);
    fc_arena_release(&trial.arena);
    return (int)status;
}
