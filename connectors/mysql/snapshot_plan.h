/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a snapshot still has to read, as the JSON that stands in the source's position:
 *
 *   {"tables":[["shop","orders"],["shop","customers"]],"key":[["id","17"]]}
 *
 * The first table is under way; key: that of the last row given out, absent before the first
 * chunk. Tables that come into existence after the snapshot began are not in it: the stream has
 * all of their rows.
 */
#ifndef FC_MYSQL_SNAPSHOT_PLAN_H
#define FC_MYSQL_SNAPSHOT_PLAN_H

#include <jansson.h>

#include "connectors/mysql/table_list.h"
#include "fc/change.h"

/* A plan of these tables; the caller decrefs it. */
json_t *fc_snapshot_plan_new(const struct fc_table_list *list);

size_t fc_snapshot_plan_count(const json_t *plan);
/* The table under way; false when there is none left. The texts live until the plan changes. */
bool fc_snapshot_plan_current(const json_t *plan, const char **out_db, const char **out_table);
const json_t *fc_snapshot_plan_key(const json_t *plan); /* NULL: from the table's start */

/* Takes over `key`; NULL: start the table again. */
void fc_snapshot_plan_set_key(json_t *plan, json_t *key);
/* The table under way is complete, or gone. */
void fc_snapshot_plan_next(json_t *plan);

/* Forget a table (an empty `table`: all of db). True when that changed the table under way. */
bool fc_snapshot_plan_drop(json_t *plan, struct fc_slice db, struct fc_slice table);
/* At the end, unless it is there. */
void fc_snapshot_plan_add(json_t *plan, struct fc_slice db, struct fc_slice table);
bool fc_snapshot_plan_rename(json_t *plan, const struct fc_ddl_table *names, bool keep);

#endif
