/* SPDX-License-Identifier: Apache-2.0 */
/* acl list, add, delete: librdkafka knows no transactional ids, so we ask ourselves. */
#include <stdlib.h>
#include <string.h>

#include "core/cli/acl_rule.h"
#include "core/cli/commands.h"
#include "core/cli/output.h"
#include "core/cli/settings.h"
#include "core/link/wire_client.h"
#include "core/wire/messages.h"

enum { ARENA_BYTES_MAX = 16 * 1024 * 1024 };

/* What the three commands share: flags, a connection, rows that are printed at the end. */
struct acl {
    struct fc_cli *cli;
    struct fc_acl_flags flags;
    bool all;
    struct fc_acl_rules rules;
    struct fc_settings settings;
    struct fc_wire_client *client;
    struct fc_arena arena;
    json_t *rows;
};

static struct fc_slice text_or_null(const char *text)
{
    return text == NULL ? fc_slice_null() : fc_slice_text(text);
}

static void add_row(json_t *rows, const struct fc_acl_rule *rule, struct fc_slice name,
                    struct fc_slice principal, struct fc_slice host)
{
    char text[FC_ACL_NAME_SIZE];
    json_t *row = json_object();
    json_object_set_new(row, "principal",
                        fc_output_text((const char *)principal.data, principal.len));
    json_object_set_new(row, "permission",
                        json_string(fc_acl_permission_name(rule->permission, text)));
    json_object_set_new(row, "operation",
                        json_string(fc_acl_operation_name(rule->operation, text)));
    json_object_set_new(row, "resource",
                        json_string(fc_acl_resource_name(rule->resource, text)));
    json_object_set_new(row, "name", fc_output_text((const char *)name.data, name.len));
    json_object_set_new(row, "pattern", json_string(fc_acl_pattern_name(rule->pattern, text)));
    json_object_set_new(row, "host", fc_output_text((const char *)host.data, host.len));
    json_array_append_new(rows, row);
}

static void print(struct acl *acl)
{
    static const struct fc_column columns[] = {
        { "PRINCIPAL", "principal", FC_COLUMN_TEXT },
        { "PERMISSION", "permission", FC_COLUMN_TEXT },
        { "OPERATION", "operation", FC_COLUMN_TEXT },
        { "RESOURCE", "resource", FC_COLUMN_TEXT },
        { "NAME", "name", FC_COLUMN_TEXT },
        { "PATTERN", "pattern", FC_COLUMN_TEXT },
        { "HOST", "host", FC_COLUMN_TEXT },
        { .title = NULL },
    };
    fc_output_rows(acl->cli, acl->rows, columns);
}

/* --- the three ---------------------------------------------------------------------------- */

static fc_code describe(struct acl *acl, const struct fc_acl_rule *filter, struct fc_error *err)
{
    struct fc_msg_describe_acls_request request;
    struct fc_msg_describe_acls_response response;
    fc_code code;
    fc_wire_init(&fc_msg_describe_acls_request_type, &request);
    request.resource_type_filter = filter->resource;
    request.resource_name_filter = text_or_null(filter->name);
    request.pattern_type_filter = filter->pattern;
    request.principal_filter = text_or_null(filter->principal);
    request.host_filter = text_or_null(filter->host);
    request.operation = filter->operation;
    request.permission_type = filter->permission;
    code = fc_wire_client_call(acl->client, FC_API_DESCRIBE_ACLS, &request, &response, err);
    if (code == FC_OK) {
        code = fc_wire_client_check(response.error_code, response.error_message, "list rules",
                                    err);
    }
    for (int32_t at = 0; code == FC_OK && at < response.resources_count; at++) {
        const struct fc_msg_describe_acls_response_resource *resource = &response.resources[at];
        for (int32_t index = 0; index < resource->acls_count; index++) {
            const struct fc_acl_rule rule = { .resource = resource->resource_type,
                                              .pattern = resource->pattern_type,
                                              .operation = resource->acls[index].operation,
                                              .permission =
                                                  resource->acls[index].permission_type };
            add_row(acl->rows, &rule, resource->resource_name, resource->acls[index].principal,
                    resource->acls[index].host);
        }
    }
    return code;
}

static fc_code list(struct acl *acl, struct fc_error *err)
{
    fc_code code = FC_OK;
    for (size_t index = 0; index < acl->rules.count && code == FC_OK; index++) {
        code = describe(acl, &acl->rules.items[index], err);
    }
    return code;
}

static fc_code create(struct acl *acl, struct fc_error *err)
{
    struct fc_msg_create_acls_request request;
    struct fc_msg_create_acls_response response;
    fc_code code;
    fc_wire_init(&fc_msg_create_acls_request_type, &request);
    request.creations_count = (int32_t)acl->rules.count;
    request.creations = fc_wire_array(&acl->arena, &fc_msg_create_acls_request_creation_type,
                                      request.creations_count);
    code = fc_arena_check(&acl->arena, "the request", err);
    for (size_t index = 0; index < acl->rules.count && code == FC_OK; index++) {
        const struct fc_acl_rule *rule = &acl->rules.items[index];
        request.creations[index].resource_type = rule->resource;
        request.creations[index].resource_name = fc_slice_text(rule->name);
        request.creations[index].resource_pattern_type = rule->pattern;
        request.creations[index].principal = fc_slice_text(rule->principal);
        request.creations[index].host = fc_slice_text(rule->host);
        request.creations[index].operation = rule->operation;
        request.creations[index].permission_type = rule->permission;
    }
    if (code == FC_OK) {
        code = fc_wire_client_call(acl->client, FC_API_CREATE_ACLS, &request, &response, err);
    }
    for (int32_t index = 0; code == FC_OK && index < response.results_count; index++) {
        const struct fc_acl_rule *rule = &acl->rules.items[index];
        code = fc_wire_client_check(response.results[index].error_code,
                                    response.results[index].error_message, "add a rule", err);
        if (code == FC_OK) {
            add_row(acl->rows, rule, fc_slice_text(rule->name), fc_slice_text(rule->principal),
                    fc_slice_text(rule->host));
        }
    }
    return code;
}

static fc_code take_deleted(struct acl *acl,
                            const struct fc_msg_delete_acls_response_filter_result *result,
                            struct fc_error *err)
{
    fc_code code =
        fc_wire_client_check(result->error_code, result->error_message, "delete rules", err);
    for (int32_t index = 0; code == FC_OK && index < result->matching_acls_count; index++) {
        const struct fc_msg_delete_acls_response_matching_acl *gone =
            &result->matching_acls[index];
        const struct fc_acl_rule rule = { .resource = gone->resource_type,
                                          .pattern = gone->pattern_type,
                                          .operation = gone->operation,
                                          .permission = gone->permission_type };
        code =
            fc_wire_client_check(gone->error_code, gone->error_message, "delete a rule", err);
        if (code == FC_OK) {
            add_row(acl->rows, &rule, gone->resource_name, gone->principal, gone->host);
        }
    }
    return code;
}

static fc_code delete_matching(struct acl *acl, struct fc_error *err)
{
    struct fc_msg_delete_acls_request request;
    struct fc_msg_delete_acls_response response;
    fc_code code;
    fc_wire_init(&fc_msg_delete_acls_request_type, &request);
    request.filters_count = (int32_t)acl->rules.count;
    request.filters = fc_wire_array(&acl->arena, &fc_msg_delete_acls_request_filter_type,
                                    request.filters_count);
    code = fc_arena_check(&acl->arena, "the request", err);
    for (size_t index = 0; index < acl->rules.count && code == FC_OK; index++) {
        const struct fc_acl_rule *rule = &acl->rules.items[index];
        request.filters[index].resource_type_filter = rule->resource;
        request.filters[index].resource_name_filter = text_or_null(rule->name);
        request.filters[index].pattern_type_filter = rule->pattern;
        request.filters[index].principal_filter = text_or_null(rule->principal);
        request.filters[index].host_filter = text_or_null(rule->host);
        request.filters[index].operation = rule->operation;
        request.filters[index].permission_type = rule->permission;
    }
    if (code == FC_OK) {
        code = fc_wire_client_call(acl->client, FC_API_DELETE_ACLS, &request, &response, err);
    }
    for (int32_t index = 0; code == FC_OK && index < response.filter_results_count; index++) {
        code = take_deleted(acl, &response.filter_results[index], err);
    }
    return code;
}

/* --- around them -------------------------------------------------------------------------- */

typedef fc_code (*work_fn)(struct acl *acl, struct fc_error *err);

static int connect_and(struct acl *acl, work_fn work, const char *note)
{
    struct fc_error error = { 0 };
    fc_code code = fc_settings_resolve(acl->cli, &acl->settings, &error);
    fc_arena_init(&acl->arena, ARENA_BYTES_MAX);
    acl->rows = json_array();
    if (code == FC_OK) {
        struct fc_link_settings link = fc_settings_link(&acl->settings);
        code =
            fc_wire_client_open_controller(&link, acl->cli->timeout_ms, &acl->client, &error);
    }
    if (code == FC_OK) {
        code = work(acl, &error);
    }
    if (code == FC_OK) {
        print(acl);
        if (note != NULL) {
            size_t count = json_array_size(acl->rows);
            fc_cli_note(acl->cli, "%zu %s %s", count, count == 1 ? "rule" : "rules", note);
        }
    }
    json_decref(acl->rows);
    fc_wire_client_close(acl->client);
    fc_settings_release(&acl->settings);
    fc_arena_release(&acl->arena);
    fc_acl_rules_release(&acl->rules);
    return code == FC_OK ? FC_EXIT_DONE : fc_cli_fail(acl->cli, &error);
}

/* The flags, with one more that only some have; false: return cli->exit_code. */
static bool parse(struct acl *acl, const struct fc_flag *own, const struct fc_usage *usage,
                  const char *examples, int argc, char **argv)
{
    struct fc_acl_flags *given = &acl->flags;
    const struct fc_flag flags[] = {
        { "user", 'u', FC_FLAG_LIST, &given->users, "NAME", "for this user ('*': everybody)" },
        { "principal", 0, FC_FLAG_LIST, &given->principals, "TYPE:NAME",
          "for this principal: User:ada" },
        { "topic", 't', FC_FLAG_LIST, &given->topics, "NAME", "on this topic ('*': all)" },
        { "group", 'g', FC_FLAG_LIST, &given->groups, "NAME", "on this consumer group" },
        { "transactional-id", 0, FC_FLAG_LIST, &given->transactional_ids, "ID",
          "on this transactional id" },
        { "on-cluster", 0, FC_FLAG_BOOL, &given->cluster, NULL, "on the cluster itself" },
        { "prefix", 0, FC_FLAG_BOOL, &given->prefix, NULL,
          "the names stand for all that begin so" },
        { "operation", 0, FC_FLAG_LIST, &given->operations, "NAME,...",
          "read, write, create, delete, describe, all, ..." },
        { "host", 0, FC_FLAG_TEXT, &given->host, "ADDRESS", "from this address (any)" },
        { "deny", 0, FC_FLAG_BOOL, &given->deny, NULL, "deny it" },
        { "allow", 0, FC_FLAG_BOOL, &given->allow, NULL, "allow it" },
        *own,
        { .name = NULL },
    };
    struct fc_cli_usage full = { .examples = examples };
    full.usage = *usage;
    full.usage.flags = flags;
    return fc_cli_parse(acl->cli, &full, argc, argv);
}

int fc_cmd_acl_add(struct fc_cli *cli, int argc, char **argv)
{
    struct acl acl = { .cli = cli };
    const struct fc_flag role = {
        "role",          0,      FC_FLAG_TEXT,
        &acl.flags.role, "NAME", "what a producer, consumer, user or admin needs"
    };
    const struct fc_usage usage = {
        "acl add [FLAGS]",
        "Allow (or --deny) users to do something. Where access control is "
        "on,\nwhat no rule allows is refused, and what one denies is, "
        "whatever others allow.\n\n"
        "Roles, the same as those of `fluvio-spu --add-user`:\n"
        "  producer  write to the topics named, with transactional ids named\n"
        "  consumer  read the topics named, in the groups named\n"
        "  user      both with all there are, and see topics' settings; change nothing\n"
        "  admin     everything",
        NULL, 0, 0
    };
    struct fc_error error = { 0 };
    if (!parse(
            &acl, &role, &usage,
            "  fluvio acl add --user ada --role producer --topic orders\n"
            "  fluvio acl add --user bob --role consumer --topic shop. --group bob --prefix\n"
            "  fluvio acl add --user dan --role user\n"
            "  fluvio acl add --user eve --deny --operation all --topic secrets",
            argc, argv)) {
        return cli->exit_code;
    }
    if (fc_acl_rules_to_add(&acl.flags, &acl.rules, &error) != FC_OK) {
        return fc_cli_fail(cli, &error);
    }
    return connect_and(&acl, create, "added");
}

int fc_cmd_acl_list(struct fc_cli *cli, int argc, char **argv)
{
    struct acl acl = { .cli = cli };
    const struct fc_flag none = { .name = NULL };
    const struct fc_usage usage = {
        "acl list [FLAGS]", "List who may do what; with flags, only what concerns them.", NULL,
        0, 0
    };
    struct fc_error error = { 0 };
    if (!parse(&acl, &none, &usage,
               "  fluvio acl list\n  fluvio acl list --user ada\n"
               "  fluvio acl list --topic orders",
               argc, argv)) {
        return cli->exit_code;
    }
    if (fc_acl_rules_to_find(&acl.flags, true, &acl.rules, &error) != FC_OK) {
        return fc_cli_fail(cli, &error);
    }
    return connect_and(&acl, list, NULL);
}

int fc_cmd_acl_delete(struct fc_cli *cli, int argc, char **argv)
{
    struct acl acl = { .cli = cli };
    const struct fc_flag all = {
        "all", 0, FC_FLAG_BOOL, &acl.all, NULL, "every rule there is"
    };
    const struct fc_usage usage = {
        "acl delete FLAGS",
        "Remove the rules that the flags describe; what a flag does not "
        "say is\nleft open. Prints what was removed.",
        NULL, 0, 0
    };
    struct fc_error error = { 0 };
    const struct fc_acl_rule *first;
    if (!parse(&acl, &all, &usage, "  fluvio acl delete --user bob --topic orders", argc,
               argv)) {
        return cli->exit_code;
    }
    if (fc_acl_rules_to_find(&acl.flags, false, &acl.rules, &error) != FC_OK) {
        return fc_cli_fail(cli, &error);
    }
    first = &acl.rules.items[0];
    if (!acl.all && first->principal == NULL && first->name == NULL) {
        fc_acl_rules_release(&acl.rules);
        (void)fc_fail(
            &error, FC_ERR_REFUSED,
            "this would remove rules of every user and resource: name one of them, or "
            "say --all");
        return fc_cli_fail(cli, &error);
    }
    return connect_and(&acl, delete_matching, "removed");
}
