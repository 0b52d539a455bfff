/* SPDX-License-Identifier: Apache-2.0 */
/* The captured tables that exist now, and what of them matters to a capture. */
#ifndef FC_MYSQL_TABLE_LIST_H
#define FC_MYSQL_TABLE_LIST_H

#include "connectors/mysql/session.h"
#include "connectors/mysql/table_filter.h"

struct fc_listed_table {
    char *db;
    char *table;
    char *engine; /* "InnoDB" */
    bool has_key; /* a primary key, or a unique one without NULLs; after find_keys */
};

struct fc_table_list {
    struct fc_listed_table *tables; /* ordered by database and name */
    size_t count;
};

/* Inits out_list. */
FC_MUST_CHECK fc_code fc_table_list_read(struct fc_session *session,
                                         const struct fc_table_filter *filter,
                                         struct fc_table_list *out_list, struct fc_error *err);
/* Set has_key of each table. */
FC_MUST_CHECK fc_code fc_table_list_find_keys(struct fc_session *session,
                                              struct fc_table_list *list, struct fc_error *err);
void fc_table_list_release(struct fc_table_list *list);

/* The first table that `tables` names without a star and that is not there; NULL: none. */
const char *fc_table_list_unmatched(const struct fc_table_list *list,
                                    const struct fc_table_filter *filter);

/* As fc_source_ops.look. */
FC_MUST_CHECK fc_code fc_table_list_look(const struct fc_host *host,
                                         void (*on_found)(void *ctx,
                                                          const struct fc_found *found),
                                         void *ctx, struct fc_error *err);

#endif
