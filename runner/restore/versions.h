/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema versions that a table went through in the log, and how a row of an older one looks
 * in the newest.
 *
 * Columns are the same when their names are, or when an ALTER statement between says that one
 * became the other. A column that vanishes while another appears, with no statement between that
 * names the table, cannot be understood and ends the restore.
 *
 * Thread: one at a time.
 */
#ifndef FC_RESTORE_VERSIONS_H
#define FC_RESTORE_VERSIONS_H

#include "catalog/schema.h"
#include "runner/restore/log_view.h"

#define FC_NO_COLUMN UINT32_MAX

struct fc_version {
    uint64_t from_seq;
    const struct fc_schema *schema; /* of the schema store */
    uint32_t *to_next;              /* for each column its index in the next version, or
                                       FC_NO_COLUMN; NULL in the newest */
};

/* A statement that named the table after its newest record. */
struct fc_version_ddl {
    struct fc_log_mark mark;
    char *statement;
};

struct fc_versions {
    struct fc_version *items; /* ascending */
    uint32_t count;
    uint64_t last_seq; /* of the newest record */
    struct fc_version_ddl *pending;
    uint32_t pending_count;
};

void fc_versions_init(struct fc_versions *versions);
/* Also ready for use again. */
void fc_versions_release(struct fc_versions *versions);

/*
 * A record of the table with this schema. name: the table's, for messages. has_rows: rows of
 * older versions are still there.
 *
 * Errors: FC_ERR_REFUSED: an unexplained change, or another key while there are rows.
 */
FC_MUST_CHECK fc_code fc_versions_add(struct fc_versions *versions, const char *name,
                                      const struct fc_schema *schema, uint64_t seq,
                                      bool has_rows, struct fc_error *err);

void fc_versions_drop_ddl(struct fc_versions *versions);

/* The same for what comes with nearly each record: nothing new. */
FC_MUST_CHECK static inline fc_code
fc_versions_note(struct fc_versions *versions, const char *name, const struct fc_schema *schema,
                 uint64_t seq, bool has_rows, struct fc_error *err)
{
    if (versions->count > 0 && versions->items[versions->count - 1].schema == schema) {
        versions->last_seq = seq;
        if (versions->pending_count > 0) {
            fc_versions_drop_ddl(versions); /* they did not change the shape */
        }
        return FC_OK;
    }
    return fc_versions_add(versions, name, schema, seq, has_rows, err);
}

/* A statement that names the table. */
void fc_versions_note_ddl(struct fc_versions *versions, const struct fc_log_mark *mark,
                          const char *statement);

/*
 * The version of a record; count > 0. A transaction can hold two: a capture that was killed inside it
 * may have described the table anew. The schema's id tells them apart.
 */
uint32_t fc_versions_index(const struct fc_versions *versions, uint64_t seq,
                           uint64_t schema_id);

/* The newest version's schema, or NULL. */
static inline const struct fc_schema *fc_versions_newest(const struct fc_versions *versions)
{
    return versions->count == 0 ? NULL : versions->items[versions->count - 1].schema;
}

/* How rows of one version look in the newest. */
struct fc_projection {
    const struct fc_schema *schema; /* of the version */
    struct fc_shape shape;     /* its columns that the newest has, by the newest's names, in the
                              newest's order */
    struct fc_column *columns; /* the shape's; owned */
    uint32_t *from;            /* for each of them its index in the version's rows */
    uint32_t *to;              /* and in the newest's */
    bool whole;                /* the version is the newest */
    char *missing; /* names of the newest's columns that it lacks, by ", "; "" none */
};

/* versions outlives the projection. */
void fc_projection_init(struct fc_projection *projection, const struct fc_versions *versions,
                        uint32_t index);
void fc_projection_release(struct fc_projection *projection);

/* Pick the projection's values from a row of its version. */
static inline void fc_projection_apply(const struct fc_projection *projection,
                                       const struct fc_value *row, struct fc_value *out)
{
    for (uint32_t index = 0; index < projection->shape.column_count; index++) {
        out[index] = row[projection->from[index]];
    }
}

#endif
