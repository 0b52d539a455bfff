/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The staging table of a load: made beside the destination from the CREATE statement of the cut,
 * filled by others, given its indexes, and dropped when the load does not go through.
 */
#ifndef FC_MYSQL_LOAD_STAGING_H
#define FC_MYSQL_LOAD_STAGING_H

#include "connectors/mysql/create_sql.h"
#include "connectors/mysql/load_text.h"
#include "connectors/mysql/session.h"
#include "fc/connector.h"

/* A table's name as it goes into statements; texts are owned. */
struct fc_table_name {
    char *db;
    char *table;
    char *sql;        /* `db`.`table` */
    char *db_text;    /* 'db' */
    char *table_text; /* 'table' */
};

void fc_table_name_init(struct fc_table_name *name, const char *db, const char *table);
void fc_table_name_release(struct fc_table_name *name);

struct fc_staging {
    struct fc_session *session; /* the load's own; borrowed */
    struct fc_table_name to;    /* the destination */
    struct fc_table_name name;  /* the staging table */
    struct fc_table_name old;   /* what the destination is called once it has been exchanged */
    bool replace;
    bool created;
    struct fc_buf create_text; /* `create` borrows it */
    struct fc_create_sql create;
    struct fc_load_table columns;
};

/* What is known of a table; out_info->exists is false when there is none. FC_ERR_REFUSED when
 * the name belongs to something else than a base table. */
FC_MUST_CHECK fc_code fc_staging_inspect(struct fc_session *session,
                                         const struct fc_table_name *name,
                                         struct fc_table_info *out_info, struct fc_error *err);

/* FC_ERR_REFUSED when the destination holds rows and may not be replaced. */
FC_MUST_CHECK fc_code fc_staging_check_destination(const struct fc_staging *staging,
                                                   struct fc_table_info *out_info,
                                                   struct fc_error *err);

/*
 * Set the session up for loading, make sure that this is the only load of the table, drop a
 * left-over staging table and create a new one.
 *
 * staging  zeroed by the caller's fc_new; release it whatever comes.
 *
 * Errors: FC_ERR_REFUSED (destination not empty; another load runs); FC_ERR_CONFIG (a missing
 * grant, named; a CREATE statement that this server refuses); FC_ERR_NOT_FOUND (no such
 * database).
 */
FC_MUST_CHECK fc_code fc_staging_create(struct fc_staging *staging, struct fc_session *session,
                                        const struct fc_load_plan *plan, struct fc_error *err);

/* Build the indexes that were left out. */
FC_MUST_CHECK fc_code fc_staging_add_indexes(struct fc_staging *staging, struct fc_error *err);

/* Drop it if it was made; session may be another one than the load's. */
FC_MUST_CHECK fc_code fc_staging_drop(struct fc_staging *staging, struct fc_session *session,
                                      struct fc_error *err);

void fc_staging_release(struct fc_staging *staging); /* drops nothing */

#endif
