/* SPDX-License-Identifier: Apache-2.0 */
/* user list, add, delete: SCRAM passwords that the servers keep, salted. */
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "core/base/kafka_error.h"
#include "core/cli/commands.h"
#include "core/cli/output.h"
#include "core/cli/password.h"
#include "core/cli/settings.h"
#include "core/link/link_scram.h"
#include "core/link/wire_client.h"
#include "core/wire/messages.h"

enum { SALT_SIZE = 24, ITERATIONS = 8192 };

struct session {
    struct fc_settings settings;
    struct fc_wire_client *client;
};

static fc_code session_open(struct fc_cli *cli, struct session *session, struct fc_error *err)
{
    fc_code code = fc_settings_resolve(cli, &session->settings, err);
    if (code == FC_OK) {
        struct fc_link_settings link = fc_settings_link(&session->settings);
        code = fc_wire_client_open_controller(&link, cli->timeout_ms, &session->client, err);
    }
    return code;
}

static void session_close(struct session *session)
{
    fc_wire_client_close(session->client);
    fc_settings_release(&session->settings);
}

/* --- list --------------------------------------------------------------------------------- */

static void add_rows(json_t *rows,
                     const struct fc_msg_describe_user_scram_credentials_response_result *user)
{
    for (int32_t index = 0; index < user->credential_infos_count; index++) {
        json_t *row = json_object();
        int8_t kind = user->credential_infos[index].mechanism;
        json_object_set_new(row, "user",
                            fc_output_text((const char *)user->user.data, user->user.len));
        json_object_set_new(row, "mechanism",
                            json_string(kind == FC_SCRAM_SHA_256   ? "SCRAM-SHA-256"
                                        : kind == FC_SCRAM_SHA_512 ? "SCRAM-SHA-512"
                                                                   : "unknown"));
        json_object_set_new(row, "iterations",
                            json_integer(user->credential_infos[index].iterations));
        json_array_append_new(rows, row);
    }
}

static fc_code list(const struct session *session, json_t *rows, struct fc_error *err)
{
    struct fc_msg_describe_user_scram_credentials_request request;
    struct fc_msg_describe_user_scram_credentials_response response;
    fc_code code;
    fc_wire_init(&fc_msg_describe_user_scram_credentials_request_type, &request);
    request.users = NULL;
    request.users_count =
        0; /* all; Kafka 4.1 answers a null one with nothing when it refuses it */
    code = fc_wire_client_call(session->client, FC_API_DESCRIBE_USER_SCRAM_CREDENTIALS,
                               &request, &response, err);
    if (code == FC_OK) {
        code = fc_wire_client_check(response.error_code, response.error_message, "list users",
                                    err);
    }
    for (int32_t index = 0; code == FC_OK && index < response.results_count; index++) {
        code = fc_wire_client_check(response.results[index].error_code,
                                    response.results[index].error_message, "list users", err);
        if (code == FC_OK) {
            add_rows(rows, &response.results[index]);
        }
    }
    return code;
}

int fc_cmd_user_list(struct fc_cli *cli, int argc, char **argv)
{
    static const struct fc_column columns[] = {
        { "USER", "user", FC_COLUMN_TEXT },
        { "MECHANISM", "mechanism", FC_COLUMN_TEXT },
        { "ITERATIONS", "iterations", FC_COLUMN_NUMBER },
        { .title = NULL },
    };
    const struct fc_cli_usage usage = {
        .usage = { "user list [FLAGS]", "List the users that have a SCRAM password.", NULL, 0,
                   0 },
        .examples = "  fluvio user list",
    };
    struct session session = { .client = NULL };
    struct fc_error error = { 0 };
    json_t *rows;
    fc_code code;
    if (!fc_cli_parse(cli, &usage, argc, argv)) {
        return cli->exit_code;
    }
    rows = json_array();
    code = session_open(cli, &session, &error);
    if (code == FC_OK) {
        code = list(&session, rows, &error);
    }
    if (code == FC_OK) {
        fc_output_rows(cli, rows, columns);
    }
    json_decref(rows);
    session_close(&session);
    return code == FC_OK ? FC_EXIT_DONE : fc_cli_fail(cli, &error);
}

/* --- add and delete ----------------------------------------------------------------------- */

static fc_code alter(const struct session *session,
                     const struct fc_msg_alter_user_scram_credentials_request *request,
                     const char *user, struct fc_error *err)
{
    struct fc_msg_alter_user_scram_credentials_response response;
    fc_code code = fc_wire_client_call(session->client, FC_API_ALTER_USER_SCRAM_CREDENTIALS,
                                       request, &response, err);
    for (int32_t index = 0; code == FC_OK && index < response.results_count; index++) {
        int16_t error_code = response.results[index].error_code;
        code =
            fc_wire_client_check(error_code, response.results[index].error_message, user, err);
        if (error_code == FC_KAFKA_RESOURCE_NOT_FOUND) {
            err->code = FC_ERR_NOT_FOUND;
            code = FC_ERR_NOT_FOUND;
        }
    }
    return code;
}

static fc_code add(const struct session *session, const char *user, fc_link_scram_kind kind,
                   const char *password, struct fc_error *err)
{
    struct fc_msg_alter_user_scram_credentials_request request;
    struct fc_msg_alter_user_scram_credentials_request_upsertion upsertion;
    uint8_t salt[SALT_SIZE];
    uint8_t salted[FC_SCRAM_HASH_MAX];
    size_t size = 0;
    fc_code code;
    if (RAND_bytes(salt, SALT_SIZE) != 1) {
        return fc_fail(err, FC_ERR_IO, "OpenSSL has no random numbers");
    }
    code = fc_link_scram_salted(kind, password, fc_slice_of(salt, SALT_SIZE), ITERATIONS,
                                salted, &size, err);
    if (code == FC_OK) {
        fc_wire_init(&fc_msg_alter_user_scram_credentials_request_type, &request);
        fc_wire_init(&fc_msg_alter_user_scram_credentials_request_upsertion_type, &upsertion);
        upsertion.name = fc_slice_text(user);
        upsertion.mechanism = (int8_t)kind;
        upsertion.iterations = ITERATIONS;
        upsertion.salt = fc_slice_of(salt, SALT_SIZE);
        upsertion.salted_password = fc_slice_of(salted, size);
        request.upsertions = &upsertion;
        request.upsertions_count = 1;
        code = alter(session, &request, user, err);
    }
    explicit_bzero(salted, sizeof(salted));
    return code;
}

/* What a user has a password for: one entry each, since servers keep a hash for each. */
struct kinds {
    fc_link_scram_kind of[2];
    unsigned count;
    const char *text;
};

/* mechanism NULL: all there are. */
static fc_code read_kinds(const char *mechanism, struct kinds *out_kinds, struct fc_error *err)
{
    *out_kinds = (struct kinds){ { FC_SCRAM_SHA_256, FC_SCRAM_SHA_512 }, 2, "SCRAM" };
    if (mechanism == NULL) {
        return FC_OK;
    }
    if (!fc_link_scram_kind_of(mechanism, &out_kinds->of[0])) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "--mechanism must be SCRAM-SHA-256 or SCRAM-SHA-512, not `%s`",
                       mechanism);
    }
    out_kinds->count = 1;
    out_kinds->text = fc_link_scram_name(out_kinds->of[0]);
    return FC_OK;
}

int fc_cmd_user_add(struct fc_cli *cli, int argc, char **argv)
{
    const char *mechanism = NULL;
    const char *file = NULL;
    const struct fc_flag flags[] = {
        { "mechanism", 0, FC_FLAG_TEXT, &mechanism, "NAME",
          "only SCRAM-SHA-256 or SCRAM-SHA-512 (both)" },
        { "password-file", 0, FC_FLAG_TEXT, &file, "FILE",
          "its first line (-: stdin); else it is asked for" },
        { .name = NULL },
    };
    const struct fc_cli_usage usage = {
        .usage = { "user add [FLAGS] NAME",
                   "Give a user a password for SCRAM, or a new one. It is asked for on the\n"
                   "terminal; it is salted here, and the servers never see it.",
                   flags, 1, 1 },
        .examples = "  fluvio user add ada\n  fluvio user add ada --password-file ada.password",
    };
    struct session session = { .client = NULL };
    struct fc_error error = { 0 };
    struct kinds kinds;
    char *password = NULL;
    fc_code code;
    if (!fc_cli_parse(cli, &usage, argc, argv)) {
        return cli->exit_code;
    }
    code = read_kinds(mechanism, &kinds, &error);
    if (code == FC_OK) {
        code = fc_password_read(cli, file, true, &password, &error);
    }
    if (code == FC_OK) {
        code = session_open(cli, &session, &error);
    }
    for (unsigned index = 0; code == FC_OK && index < kinds.count; index++) {
        code = add(&session, cli->operands[0], kinds.of[index], password, &error);
    }
    if (code == FC_OK) {
        fc_cli_note(cli, "user %s has a password for %s", cli->operands[0], kinds.text);
    }
    fc_password_free(password);
    session_close(&session);
    return code == FC_OK ? FC_EXIT_DONE : fc_cli_fail(cli, &error);
}

static fc_code delete_one(const struct session *session, const char *user,
                          fc_link_scram_kind kind, struct fc_error *err)
{
    struct fc_msg_alter_user_scram_credentials_request request;
    struct fc_msg_alter_user_scram_credentials_request_deletion deletion;
    fc_wire_init(&fc_msg_alter_user_scram_credentials_request_type, &request);
    fc_wire_init(&fc_msg_alter_user_scram_credentials_request_deletion_type, &deletion);
    deletion.name = fc_slice_text(user);
    deletion.mechanism = (int8_t)kind;
    request.deletions = &deletion;
    request.deletions_count = 1;
    return alter(session, &request, user, err);
}

/* Those that the user has; FC_ERR_NOT_FOUND when that is none of them. */
static fc_code delete_all(const struct session *session, const char *user,
                          const struct kinds *kinds, struct fc_error *err)
{
    bool found = false;
    fc_code code = FC_OK;
    for (unsigned index = 0; code == FC_OK && index < kinds->count; index++) {
        code = delete_one(session, user, kinds->of[index], err);
        found = found || code == FC_OK;
        if (code == FC_ERR_NOT_FOUND && (found || index + 1 < kinds->count)) {
            code = FC_OK;
        }
    }
    return code;
}

int fc_cmd_user_delete(struct fc_cli *cli, int argc, char **argv)
{
    const char *mechanism = NULL;
    const struct fc_flag flags[] = {
        { "mechanism", 0, FC_FLAG_TEXT, &mechanism, "NAME",
          "only SCRAM-SHA-256 or SCRAM-SHA-512 (both)" },
        { .name = NULL },
    };
    const struct fc_cli_usage usage = {
        .usage = { "user delete [FLAGS] NAME",
                   "Remove a user's password: the user cannot log in any more. Rules stay.",
                   flags, 1, 1 },
        .examples = "  fluvio user delete ada",
    };
    struct session session = { .client = NULL };
    struct fc_error error = { 0 };
    struct kinds kinds;
    fc_code code;
    if (!fc_cli_parse(cli, &usage, argc, argv)) {
        return cli->exit_code;
    }
    code = read_kinds(mechanism, &kinds, &error);
    if (code == FC_OK) {
        code = session_open(cli, &session, &error);
    }
    if (code == FC_OK) {
        code = delete_all(&session, cli->operands[0], &kinds, &error);
    }
    if (code == FC_OK) {
        fc_cli_note(cli, "user %s has no password for %s any more", cli->operands[0],
                    kinds.text);
    }
    session_close(&session);
    return code == FC_OK ? FC_EXIT_DONE : fc_cli_fail(cli, &error);
}
