/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a table's rows stand in the log: which name it had when, and which stretches do not
 * count because a restore had put the table back.
 *
 * Renames lead a path backwards to the older name. A restore marker for a table at number M,
 * with the cut C, says that outside of the captured history the table was brought to what it was
 * at C: its path jumps from M back to C, and what stands between does not belong to it. Markers
 * in what was jumped over do not count, so restores of restores come out right.
 *
 * Thread: one at a time.
 */
#ifndef FC_RESTORE_LINEAGE_H
#define FC_RESTORE_LINEAGE_H

#include "runner/envelope/envelope.h"
#include "runner/restore/scan.h"

/* What a statement does to one table; new_* are NULL but for a rename. */
struct fc_lineage_table {
    char *db;
    char *table; /* NULL: all tables of db */
    char *new_db;
    char *new_table;
};

struct fc_lineage_event {
    struct fc_log_mark mark; /* when; offset is of its record */
    uint64_t row;            /* with mark.seq and part: its place in the order */
    uint32_t part;
    bool marker;      /* a restore marker; else DDL */
    uint64_t cut_seq; /* of a marker */
    fc_ddl_kind kind;
    bool if_not_exists;
    char *statement;
    struct fc_lineage_table *tables;
    uint32_t table_count;
};

struct fc_lineage {
    struct fc_lineage_event *events; /* ascending */
    uint32_t count;
    uint32_t capacity;
    struct fc_arena arena; /* for decoding */
};

void fc_lineage_init(struct fc_lineage *lineage);
void fc_lineage_release(struct fc_lineage *lineage);

/*
 * Note a record of op 's' or 'm', unless it is known. out_event: it, valid until the next note.
 */
FC_MUST_CHECK fc_code fc_lineage_note(struct fc_lineage *lineage,
                                      const struct fc_scan_item *item,
                                      const struct fc_lineage_event **out_event,
                                      struct fc_error *err);

/* Rows of db.table with numbers from `from` to `to`, both included. */
struct fc_lineage_stretch {
    char *db;
    char *table;
    uint64_t from;
    uint64_t to;
};

struct fc_lineage_path {
    struct fc_lineage_stretch *stretches; /* ascending, apart from each other; at least one */
    uint32_t count;
};

/* The path of the table that is called db.table at `seq`, by the events noted so far. */
void fc_lineage_resolve(const struct fc_lineage *lineage, const char *db, const char *table,
                        uint64_t seq, struct fc_lineage_path *out_path);
void fc_lineage_path_release(struct fc_lineage_path *path);
bool fc_lineage_path_equal(const struct fc_lineage_path *a, const struct fc_lineage_path *b);

/* The stretch that a number belongs to, or NULL. */
const struct fc_lineage_stretch *fc_lineage_path_at(const struct fc_lineage_path *path,
                                                    uint64_t seq);

#endif
