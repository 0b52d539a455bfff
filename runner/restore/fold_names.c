/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/restore/fold_names.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"

void fc_fold_names_init(struct fc_fold_names *names, struct fc_schema_store *schemas)
{
    memset(names, 0, sizeof(*names));
    fc_hashmap_init(&names->by_name);
    names->schemas = schemas;
}

static void free_name(void *value)
{
    struct fc_fold_name *name = value;
    free(name->uses);
    free(name->db);
    free(name->table);
    free(name);
}

void fc_fold_names_release(struct fc_fold_names *names)
{
    fc_hashmap_release(&names->by_name, free_name);
}

/* "db\0table", freed by the caller. */
static char *make_key(const char *db, const char *table, size_t *out_length)
{
    char *key = fc_asprintf("%s%c%s", db, '\0', table);
    *out_length = strlen(db) + 1 + strlen(table);
    return key;
}

struct fc_fold_name *fc_fold_names_get(const struct fc_fold_names *names, const char *db,
                                       const char *table)
{
    size_t length;
    char *key = make_key(db, table, &length);
    struct fc_fold_name *name = fc_hashmap_get(&names->by_name, fc_slice_of(key, length));
    free(key);
    return name;
}

struct fc_fold_name *fc_fold_names_add(struct fc_fold_names *names, const char *db,
                                       const char *table, bool *out_new)
{
    size_t length;
    char *key = make_key(db, table, &length);
    struct fc_fold_name *name = fc_hashmap_get(&names->by_name, fc_slice_of(key, length));
    *out_new = name == NULL;
    if (name == NULL) {
        name = fc_new(struct fc_fold_name);
        name->db = fc_strdup(db);
        name->table = fc_strdup(table);
        (void)fc_hashmap_put(&names->by_name, fc_slice_of(key, length), name);
    }
    free(key);
    return name;
}

struct fc_fold_name *fc_fold_names_next(const struct fc_fold_names *names, size_t *cursor)
{
    struct fc_slice key;
    void *value;
    return fc_hashmap_next(&names->by_name, cursor, &key, &value) ? value : NULL;
}

void fc_fold_names_forget_uses(struct fc_fold_names *names)
{
    struct fc_fold_name *name;
    for (size_t cursor = 0; (name = fc_fold_names_next(names, &cursor)) != NULL;) {
        free(name->uses);
        name->uses = NULL;
        name->use_count = 0;
        name->in_snapshot = false;
        name->whole_seq = 0;
    }
}

void fc_fold_names_use(struct fc_fold_names *names, struct fc_fold_table *table)
{
    for (uint32_t index = 0; index < table->path.count; index++) {
        const struct fc_lineage_stretch *stretch = &table->path.stretches[index];
        bool added;
        struct fc_fold_name *name =
            fc_fold_names_add(names, stretch->db, stretch->table, &added);
        struct fc_fold_use *use;
        name->uses = fc_realloc_array(name->uses, name->use_count + 1, sizeof(*name->uses));
        use = &name->uses[name->use_count++];
        use->table = table;
        use->from = stretch->from;
        use->to = stretch->to;
    }
}

fc_code fc_fold_names_of_schema(struct fc_fold_names *names, uint64_t schema_id,
                                const struct fc_schema **out_schema,
                                struct fc_fold_name **out_name, bool *out_new,
                                struct fc_error *err)
{
    size_t slot = schema_id % FC_FOLD_NAMES_CACHE;
    const struct fc_schema *schema = names->cache[slot].schema;
    *out_new = false;
    if (schema == NULL || schema->id != schema_id) {
        schema = fc_schema_store_get(names->schemas, schema_id);
        if (schema == NULL) {
            return fc_fail(err, FC_ERR_CORRUPT,
                           "table schema %016" PRIx64
                           " is not in the log: topic %s is not whole",
                           schema_id, FC_SCHEMA_TOPIC);
        }
        names->cache[slot].schema = schema;
        names->cache[slot].name =
            fc_fold_names_add(names, schema->shape->db, schema->shape->table, out_new);
    }
    *out_schema = schema;
    *out_name = names->cache[slot].name;
    return FC_OK;
}
