/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin's table of contents: options, source, target. */
#include "connectors/mysql/source.h"
#include "connectors/mysql/target.h"
#include "fc/connector.h"

static const struct fc_option options[] = {
    { .key = "host",
      .type = FC_OPTION_TEXT,
      .default_text = "127.0.0.1",
      .help = "name or address of the server" },
    { .key = "port",
      .type = FC_OPTION_INT,
      .default_text = "3306",
      .min = 1,
      .max = 65535,
      .help = "TCP port of the server" },
    { .key = "socket",
      .type = FC_OPTION_TEXT,
      .help = "path of the server's Unix socket; takes the place of host and port" },
    { .key = "user", .type = FC_OPTION_TEXT, .required = true, .help = "name to log in with" },
    { .key = "password", .type = FC_OPTION_SECRET, .help = "password of the user" },
    { .key = "tls",
      .type = FC_OPTION_CHOICE,
      .default_text = "preferred",
      .choices = "disabled|preferred|required|verify-ca|verify-identity",
      .help = "whether the connection is encrypted, and what of the server's certificate is "
              "verified" },
    { .key = "tls-ca",
      .type = FC_OPTION_TEXT,
      .help = "PEM file with the authorities that are trusted" },
    { .key = "tls-cert", .type = FC_OPTION_TEXT, .help = "PEM file with our certificate" },
    { .key = "tls-key", .type = FC_OPTION_TEXT, .help = "PEM file with our private key" },
    { .key = "tables",
      .type = FC_OPTION_LIST,
      .help = "tables to capture as database.table, where * stands for any characters; without "
              "it all tables but the server's own" },
    { .key = "exclude-tables",
      .type = FC_OPTION_LIST,
      .help = "tables to leave out, as database.table with *" },
    { .key = "server-id",
      .type = FC_OPTION_INT,
      .min = 1,
      .max = 4294967295,
      .help =
          "replica id that we show to the server, unlike that of any other replica; without "
          "it one is made from the connector's name" },
    { .key = "snapshot",
      .type = FC_OPTION_CHOICE,
      .default_text = "initial",
      .choices = "initial|never|only",
      .help =
          "read the tables' present rows at the first start (initial), never, or only those" },
    { .key = "snapshot-chunk-rows",
      .type = FC_OPTION_INT,
      .default_text = "8192",
      .min = 1,
      .max = 1000000,
      .help = "rows that a snapshot reads at a time" },
    { .key = "connect-timeout",
      .type = FC_OPTION_DURATION,
      .default_text = "10s",
      .min = 1000,
      .max = 120000,
      .help = "how long a connection may take to be made" },
    { .key = "heartbeat",
      .type = FC_OPTION_DURATION,
      .default_text = "5s",
      .min = 1000,
      .max = 10000,
      .help = "how often an idle server shows that it is alive" },
    { .key = "include-query",
      .type = FC_OPTION_BOOL,
      .default_text = "false",
      .help = "put the statement into source.query where the server sends it" },
    { .key = NULL },
};

static const struct fc_connector connector = {
    .abi = FC_CONNECTOR_ABI,
    .size = sizeof(struct fc_connector),
    .name = "mysql",
    .version = FC_VERSION,
    .help = "captures MySQL and MariaDB from the binlog, and restores into them",
    .options = options,
    .source = &fc_mysql_source_ops,
    .target = &fc_mysql_target_ops,
};

FC_EXPORT const struct fc_connector *fc_connector_entry(void)
{
    return &connector;
}
