/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table names met in a log, and which tables of a fold take rows that were written under
 * them.
 *
 * Thread: one at a time.
 */
#ifndef FC_RESTORE_FOLD_NAMES_H
#define FC_RESTORE_FOLD_NAMES_H

#include "core/base/hashmap.h"
#include "runner/restore/fold_table.h"

/* A table that takes the name's rows from number `from` to number `to`. */
struct fc_fold_use {
    struct fc_fold_table *table;
    uint64_t from;
    uint64_t to;
};

struct fc_fold_name {
    char *db;
    char *table;
    bool in_snapshot;   /* rows of its snapshot have come, not yet all */
    uint64_t whole_seq; /* number of the last row of its newest whole snapshot; 0: none */
    struct fc_fold_use *uses;
    uint32_t use_count;
};

enum { FC_FOLD_NAMES_CACHE = 256 };

struct fc_fold_names {
    struct fc_hashmap by_name;       /* "db\0table" -> struct fc_fold_name */
    struct fc_schema_store *schemas; /* borrowed */
    struct {
        const struct fc_schema *schema; /* NULL: free */
        struct fc_fold_name *name;
    } cache[FC_FOLD_NAMES_CACHE]; /* by the id's low bits */
};

void fc_fold_names_init(struct fc_fold_names *names, struct fc_schema_store *schemas);
void fc_fold_names_release(struct fc_fold_names *names);

/* The name, added when it is new. */
struct fc_fold_name *fc_fold_names_add(struct fc_fold_names *names, const char *db,
                                       const char *table, bool *out_new);
/* NULL when it was never met. */
struct fc_fold_name *fc_fold_names_get(const struct fc_fold_names *names, const char *db,
                                       const char *table);
/* Start with *cursor == 0; NULL at the end. */
struct fc_fold_name *fc_fold_names_next(const struct fc_fold_names *names, size_t *cursor);

/* Forget the uses, keeping the names. */
void fc_fold_names_forget_uses(struct fc_fold_names *names);
/* The table takes rows of each stretch of its path. */
void fc_fold_names_use(struct fc_fold_names *names, struct fc_fold_table *table);

/* The schema and the name that a record of this schema belongs to; out_new as in add. */
FC_MUST_CHECK fc_code fc_fold_names_of_schema(struct fc_fold_names *names, uint64_t schema_id,
                                              const struct fc_schema **out_schema,
                                              struct fc_fold_name **out_name, bool *out_new,
                                              struct fc_error *err);

#endif
