/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which tables are captured: patterns "db.table", where * stands for any characters within a
 * name.
 *
 * A table is captured when a `tables` pattern matches (or there is none) and no `exclude-tables`
 * pattern does. The server's own databases never are.
 */
#ifndef FC_MYSQL_TABLE_FILTER_H
#define FC_MYSQL_TABLE_FILTER_H

#include <stdbool.h>

#include "fc/connector.h"

struct fc_table_filter {
    const char *const *include; /* borrowed from the host */
    uint32_t include_count;
    const char *const *exclude;
    uint32_t exclude_count;
};

/* FC_ERR_CONFIG names a pattern that is not "db.table". */
FC_MUST_CHECK fc_code fc_table_filter_init(struct fc_table_filter *filter,
                                           const struct fc_host *host, struct fc_error *err);

bool fc_table_filter_match(const struct fc_table_filter *filter, struct fc_slice db,
                           struct fc_slice table);

/* Whether some table of db may match. */
bool fc_table_filter_match_db(const struct fc_table_filter *filter, struct fc_slice db);

/* A database of the server itself: mysql, sys, information_schema, performance_schema. */
bool fc_table_filter_is_system(struct fc_slice db);

/* One pattern alone. */
bool fc_table_filter_pattern_match(const char *pattern, struct fc_slice db,
                                   struct fc_slice table);

#endif
