/* SPDX-License-Identifier: Apache-2.0 */
/* version: of client, library and, when a cluster is known, of the server. */
#include <string.h>

#include "core/cli/cluster.h"
#include "core/cli/commands.h"
#include "core/cli/output.h"
#include "core/cli/version.h"

/* A Kafka release is known by an API, or a version of one, that it was the first to have. */
struct mark {
    int16_t api_key;
    int16_t version;
    const char *release;
};

static const struct mark MARKS[] = {
    { 1, 18, "4.1" }, { 3, 13, "4.0" }, { 1, 17, "3.9" }, { 1, 16, "3.7" },    { 1, 15, "3.5" },
    { 1, 13, "3.1" }, { 1, 12, "2.7" }, { 44, 0, "2.3" }, { 43, 0, "2.2" },    { 1, 10, "2.1" },
    { 1, 8, "2.0" },  { 36, 0, "1.0" }, { 1, 4, "0.11" }, { .release = NULL },
};

const char *fc_version_guess(const struct fc_wire_client *client)
{
    for (const struct mark *at = MARKS; at->release != NULL; at++) {
        if (fc_wire_client_version(client, at->api_key) >= at->version) {
            return at->release;
        }
    }
    return "0.10";
}

static fc_code ask_server(struct fc_cli *cli, json_t *versions, struct fc_error *err)
{
    struct fc_settings settings = { .where = NULL };
    struct fc_wire_client *client = NULL;
    fc_code code = fc_settings_resolve(cli, &settings, err);
    if (code == FC_OK) {
        struct fc_link_settings link = fc_settings_link(&settings);
        code = fc_wire_client_open(&link, cli->timeout_ms, &client, err);
    }
    if (code == FC_OK) {
        json_object_set_new(versions, "server", json_string(fc_wire_client_peer(client)));
        json_object_set_new(versions, "protocol", json_string(fc_version_guess(client)));
    }
    fc_wire_client_close(client);
    fc_settings_release(&settings);
    return code;
}

static void print(struct fc_cli *cli, json_t *versions)
{
    const char *server = json_string_value(json_object_get(versions, "server"));
    if (cli->format != FC_CLI_TABLE) {
        fc_output_value(cli, versions);
        return;
    }
    (void)fprintf(cli->out, "fluvio      %s\nlibrdkafka  %s\n", FC_VERSION,
                  rd_kafka_version_str());
    if (server != NULL) {
        (void)fprintf(cli->out, "server      %s, protocol as of Kafka %s\n", server,
                      json_string_value(json_object_get(versions, "protocol")));
    }
}

int fc_cmd_version(struct fc_cli *cli, int argc, char **argv)
{
    bool client_only = false;
    const struct fc_flag flags[] = {
        { "client", 'c', FC_FLAG_BOOL, &client_only, NULL, "do not ask the server" },
        { .name = NULL },
    };
    const struct fc_cli_usage usage = {
        .usage = { "version [FLAGS]",
                   "Print the versions of this program, of librdkafka and, when a cluster is\n"
                   "chosen, how new a protocol its server speaks.",
                   flags, 0, 0 },
        .examples = "  fluvio version\n  fluvio version -O json",
    };
    struct fc_error error = { 0 };
    bool wanted;
    json_t *versions;
    fc_code code = FC_OK;
    if (!fc_cli_parse(cli, &usage, argc, argv)) {
        return cli->exit_code;
    }
    versions = json_object();
    json_object_set_new(versions, "fluvio", json_string(FC_VERSION));
    json_object_set_new(versions, "librdkafka", json_string(rd_kafka_version_str()));
    wanted = cli->cluster != NULL || cli->profile != NULL;
    if (!client_only) {
        code = ask_server(cli, versions, &error);
    }
    print(cli, versions);
    json_decref(versions);
    if (code != FC_OK && wanted) {
        return fc_cli_fail(cli, &error);
    }
    if (code != FC_OK && code != FC_ERR_CONFIG) {
        fc_cli_warn(cli, "%s", error.message); /* nobody asked for the server by name */
    }
    return FC_EXIT_DONE;
}
