/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/snapshot_plan.h"

#include "core/base/alloc.h"

static json_t *tables_of(const json_t *plan)
{
    return json_object_get(plan, "tables");
}

static json_t *pair_of(struct fc_slice db, struct fc_slice table)
{
    json_t *pair = json_array();
    fc_assert(pair != NULL);
    /* Names are UTF-8 as the server sends them; what is not is no name of a table. */
    if (json_array_append_new(pair, json_stringn((const char *)db.data, db.len)) != 0 ||
        json_array_append_new(pair, json_stringn((const char *)table.data, table.len)) != 0) {
        json_decref(pair);
        return NULL;
    }
    return pair;
}

json_t *fc_snapshot_plan_new(const struct fc_table_list *list)
{
    json_t *plan = json_pack("{s:[]}", "tables");
    fc_assert(plan != NULL);
    for (size_t index = 0; index < list->count; index++) {
        fc_snapshot_plan_add(plan, fc_slice_text(list->tables[index].db),
                             fc_slice_text(list->tables[index].table));
    }
    return plan;
}

size_t fc_snapshot_plan_count(const json_t *plan)
{
    return json_array_size(tables_of(plan));
}

static bool names_at(const json_t *plan, size_t index, const char **out_db,
                     const char **out_table)
{
    const json_t *pair = json_array_get(tables_of(plan), index);
    *out_db = json_string_value(json_array_get(pair, 0));
    *out_table = json_string_value(json_array_get(pair, 1));
    return *out_db != NULL && *out_table != NULL;
}

bool fc_snapshot_plan_current(const json_t *plan, const char **out_db, const char **out_table)
{
    return names_at(plan, 0, out_db, out_table);
}

const json_t *fc_snapshot_plan_key(const json_t *plan)
{
    return json_object_get(plan, "key");
}

void fc_snapshot_plan_set_key(json_t *plan, json_t *key)
{
    if (key == NULL) {
        (void)json_object_del(plan, "key"); /* fails when there is none */
    } else {
        fc_assert(json_object_set_new(plan, "key", key) == 0);
    }
}

static void remove_at(json_t *plan, size_t index)
{
    (void)json_array_remove(tables_of(plan), index); /* fails past the end */
    if (index == 0) {
        fc_snapshot_plan_set_key(plan, NULL);
    }
}

void fc_snapshot_plan_next(json_t *plan)
{
    remove_at(plan, 0);
}

static bool is_named(const json_t *plan, size_t index, struct fc_slice db,
                     struct fc_slice table)
{
    const char *db_at;
    const char *table_at;
    return names_at(plan, index, &db_at, &table_at) && fc_slice_equal_text(db, db_at) &&
           (table.len == 0 || fc_slice_equal_text(table, table_at));
}

bool fc_snapshot_plan_drop(json_t *plan, struct fc_slice db, struct fc_slice table)
{
    bool current = false;
    for (size_t index = fc_snapshot_plan_count(plan); index-- > 0;) {
        if (is_named(plan, index, db, table)) {
            remove_at(plan, index);
            current = current || index == 0;
        }
    }
    return current;
}

void fc_snapshot_plan_add(json_t *plan, struct fc_slice db, struct fc_slice table)
{
    json_t *pair = NULL;
    for (size_t index = 0; index < fc_snapshot_plan_count(plan); index++) {
        if (is_named(plan, index, db, table)) {
            return;
        }
    }
    pair = pair_of(db, table);
    if (pair != NULL) {
        fc_assert(json_array_append_new(tables_of(plan), pair) == 0);
    }
}

bool fc_snapshot_plan_rename(json_t *plan, const struct fc_ddl_table *names, bool keep)
{
    bool current = false;
    for (size_t index = fc_snapshot_plan_count(plan); index-- > 0;) {
        if (!is_named(plan, index, names->db, names->table)) {
            continue;
        }
        current = current || index == 0;
        if (keep) {
            json_t *pair = pair_of(names->new_db, names->new_table);
            fc_assert(pair != NULL && json_array_set_new(tables_of(plan), index, pair) == 0);
        } else {
            remove_at(plan, index);
        }
    }
    return current;
}
