/* SPDX-License-Identifier: Apache-2.0 */
/* check: what would go wrong in a capture, before it does. */
#include <limits.h>
#include <stdlib.h>

#include <jansson.h>

#include "runner/command.h"
#include "runner/preflight.h"
#include "runner/preflight_names.h"

enum { POSITION_BYTES_MAX = 16 * 1024 * 1024 };

struct results {
    struct fc_command *command;
    json_t *json; /* NULL: print a table */
    unsigned failed;
    unsigned warned;
};

static const char *result_name(fc_check_result result)
{
    switch (result) {
    case FC_CHECK_OK:
        return "ok";
    case FC_CHECK_WARN:
        return "warn";
    case FC_CHECK_FAIL:
        return "FAIL";
    }
    return "?";
}

static void on_result(void *ctx, fc_check_result result, const char *what, const char *detail,
                      const char *fix)
{
    struct results *results = ctx;
    results->failed += result == FC_CHECK_FAIL ? 1 : 0;
    results->warned += result == FC_CHECK_WARN ? 1 : 0;
    detail = detail == NULL ? "" : detail;
    if (results->json != NULL) {
        json_t *entry = json_pack("{s:s,s:s,s:s,s:s?}", "result",
                                  result == FC_CHECK_FAIL ? "fail" : result_name(result),
                                  "what", what, "detail", detail, "fix", fix);
        (void)json_array_append_new(results->json, entry == NULL ? json_null() : entry);
        return;
    }
    if (result == FC_CHECK_OK && results->command->quiet) {
        return;
    }
    (void)fprintf(results->command->out, "%-5s %-24s %s\n", result_name(result), what, detail);
    if (fix != NULL) {
        (void)fprintf(results->command->out, "      %-24s fix: %s\n", "", fix);
    }
    (void)fflush(results->command->out); /* what comes next may wait for a server */
}

/* Without the log it is not known where a capture would go on: as if from the beginning. */
static void check_source(struct results *results, const struct fc_setup *setup,
                         bool log_answers)
{
    struct fc_error error = { 0 };
    struct fc_buf position;
    fc_code code = FC_OK;
    fc_buf_init(&position, POSITION_BYTES_MAX);
    if (log_answers) {
        code = fc_preflight_position(setup->config, &position, &error);
    }
    if (code != FC_OK) {
        on_result(results, FC_CHECK_FAIL, "checkpoint", error.message, NULL);
    } else {
        struct fc_slice resume = position.len == 0 ? fc_slice_null() : fc_buf_slice(&position);
        code = setup->connector->source->check(setup->host, resume, on_result, results, &error);
        if (code != FC_OK) {
            on_result(results, FC_CHECK_FAIL, setup->config->plugin, error.message, NULL);
        }
    }
    fc_buf_release(&position);
}

static void on_message_result(void *ctx, int result, const char *what, const char *detail,
                              const char *fix)
{
    on_result(ctx, (fc_check_result)result, what, detail, fix);
}

static void check_records(struct results *results, const struct fc_setup *setup,
                          const struct fc_preflight *preflight)
{
    struct fc_error error = { 0 };
    fc_code code =
        setup->config->is_sink
            ? setup->connector->sink->check(setup->host, on_message_result, results, &error)
            : setup->connector->feed->check(setup->host, on_message_result, results, &error);
    if (code != FC_OK) {
        on_result(results, FC_CHECK_FAIL, setup->config->plugin, error.message, NULL);
    } else if (setup->config->is_sink) {
        fc_preflight_copies(preflight);
    }
}

static void print_end(struct results *results, const char *name)
{
    FILE *out = results->command->out;
    char *text;
    if (results->json == NULL && results->command->quiet &&
        results->failed + results->warned == 0) {
        return;
    }
    if (results->json == NULL) {
        (void)fprintf(out, "\n%s: %u failed, %u warned%s\n", name, results->failed,
                      results->warned, results->failed == 0 ? "; ready to run" : "");
        return;
    }
    results->json = json_pack("{s:s,s:i,s:i,s:o}", "name", name, "failed", (int)results->failed,
                              "warned", (int)results->warned, "results", results->json);
    text = json_dumps(results->json, JSON_INDENT(2));
    (void)fprintf(out, "%s\n", text == NULL ? "null" : text);
    free(text);
    json_decref(results->json);
}

int fc_cmd_check(struct fc_command *command, int argc, char **argv)
{
    const char *format = NULL;
    const struct fc_flag flags[] = {
        { "output", 'o', FC_FLAG_TEXT, &format, "FORMAT", "table (default) or json" },
        { .name = NULL },
    };
    const struct fc_usage usage = {
        "check [FLAGS] FILE",
        "Look at everything that a capture by FILE needs and print what mends each\n"
        "thing that is wrong. Changes nothing. Exit code 1 when a capture would fail.",
        flags, 1, 1
    };
    struct results results = { .command = command };
    struct fc_preflight preflight = { 0 };
    struct fc_setup setup = { 0 };
    struct fc_error error = { 0 };
    char transforms_dir[PATH_MAX];
    char **operands = NULL;
    uint32_t count = 0;
    bool json = false;
    bool log_answers;
    fc_exit exit_code = FC_EXIT_DONE;
    if (!fc_command_parse(command, &usage, argc, argv, &operands, &count, &exit_code)) {
        return (int)exit_code;
    }
    if (!fc_command_format(command, format, &json)) {
        return FC_EXIT_USAGE;
    }
    if (fc_setup_load(command, operands[0], &setup, &error) != FC_OK) {
        return (int)fc_command_fail(command, &error);
    }
    results.json = json ? json_array() : NULL;
    preflight.config = setup.config;
    preflight.ready_made_dir = fc_command_transforms_dir(command, transforms_dir);
    preflight.connector = setup.connector;
    preflight.host = setup.host;
    preflight.fields = setup.connector->source == NULL ? NULL : setup.connector->source->fields;
    preflight.copies = setup.connector->feed != NULL;
    preflight.clock = command->clock;
    preflight.on_result = on_result;
    preflight.ctx = &results;
    log_answers = fc_preflight_run(&preflight);
    if (setup.config->is_sink || setup.connector->feed != NULL) {
        check_records(&results, &setup, &preflight);
    } else if (setup.connector->source == NULL) {
        on_result(&results, FC_CHECK_FAIL, setup.config->plugin,
                  "this connector cannot read, only be restored into", NULL);
    } else {
        check_source(&results, &setup, log_answers);
    }
    print_end(&results, setup.config->name);
    fc_setup_release(&setup);
    return results.failed > 0 ? FC_EXIT_FAILED : FC_EXIT_DONE;
}
