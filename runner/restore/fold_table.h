/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One table while the log is folded, and afterwards: which records hold its rows as of the cut.
 *
 * A table with a key maps each key to the place of its newest record; a delete forgets the key.
 * A table without a key is a multiset of row images: each image maps to a record that holds it,
 * and how often it is there. Its changes count from its snapshot on, whose rows come together.
 *
 * Thread: one at a time while folding; then any.
 */
#ifndef FC_RESTORE_FOLD_TABLE_H
#define FC_RESTORE_FOLD_TABLE_H

#include "runner/restore/ascents.h"
#include "runner/restore/fold_room.h"
#include "runner/restore/lineage.h"
#include "runner/restore/offset_set.h"
#include "runner/restore/versions.h"

/* What the log says about the table up to where the fold is. */
typedef enum fc_base {
    FC_BASE_UNKNOWN,  /* neither its creation nor a whole snapshot has been seen */
    FC_BASE_SNAPSHOT, /* its snapshot is under way */
    FC_BASE_COMPLETE, /* all its rows are known */
    FC_BASE_GONE      /* dropped, or renamed to something else */
} fc_base;

/* Records of one partition. */
struct fc_survivors {
    uint32_t partition;             /* of the view */
    struct fc_offset_set ascending; /* in the order of transactions, of all partitions together,
                                       their keys go up, as far as that can be told */
    struct fc_offset_set displaced; /* the others */
};

struct fc_fold_table {
    char *db; /* its name at the cut */
    char *table;
    char *name;     /* "db.table" */
    bool asked_for; /* by name, so that its absence is an error */
    struct fc_lineage_path path;

    fc_base base;
    bool met;     /* a record of it has been seen */
    bool trusted; /* nothing that counts was removed by retention */
    bool keyed;
    struct fc_log_mark gone;
    char *gone_how;           /* "dropped", "renamed to shop.old" */
    struct fc_log_mark moved; /* the statement that made the base unknown by moving rows */
    struct fc_versions versions;
    struct fc_key_order key_order;
    struct fc_ascents ascents;
    struct fc_keymap places; /* of this pass: key or row image -> partition, ascent, offset */
    struct fc_keymap
        copies; /* of this pass, without key: row image -> how many more there are */

    /* Of all passes so far. */
    struct fc_survivors *survivors;
    uint32_t survivor_count;
    struct fc_keymap all_copies;
    bool has_ascent; /* `ascent` is chosen: by the first pass, whose keys are a fair sample */
    uint32_t ascent; /* whose survivors are the ascending ones */
    uint64_t rows;
    uint64_t dead_letters; /* changes of it that went to the dead-letter topic instead */
};

struct fc_fold_table *fc_fold_table_new(const char *db, const char *table,
                                        struct fc_fold_room *room);
void fc_fold_table_free(struct fc_fold_table *table); /* NULL is fine */

/* Before a pass: forget what the log said, but not the survivors. */
void fc_fold_table_begin(struct fc_fold_table *table, uint64_t lost_seq);

/* A record of op r, c, u, d, e or E on the table's path. late: of a snapshot whose last row has
 * come. lost_seq: fc_scan_lost_seq. */
FC_MUST_CHECK fc_code fc_fold_table_row(struct fc_fold_table *table, struct fc_fold_room *room,
                                        const struct fc_scan_item *item, bool late,
                                        const struct fc_schema *schema, uint64_t lost_seq,
                                        struct fc_error *err);

/* A TRUNCATE on the table's path. */
void fc_fold_table_truncate(struct fc_fold_table *table, uint64_t seq, uint64_t lost_seq);

/*
 * A statement; of no effect when it does not concern the table under the name it has then.
 * settled: no snapshot is pending, so a CREATE TABLE IF NOT EXISTS of a table never seen has
 * created it.
 */
void fc_fold_table_ddl(struct fc_fold_table *table, const struct fc_lineage_event *event,
                       bool settled, uint64_t lost_seq);

/* After a pass: its survivors join those of the passes before. */
void fc_fold_table_end(struct fc_fold_table *table);

/* The survivors of a partition, or NULL. */
const struct fc_survivors *fc_fold_table_survivors(const struct fc_fold_table *table,
                                                   uint32_t partition);
uint64_t fc_fold_table_survivor_count(const struct fc_fold_table *table);

#endif
