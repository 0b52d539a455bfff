/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugin contract: all that a connector's author needs.
 *
 * A connector is a shared object that exports one function, fc_connector_entry. The runner
 * loads it with RTLD_NOW | RTLD_LOCAL, refuses another FC_CONNECTOR_ABI, checks the user's file
 * against `options` and prints them as documentation.
 *
 * Every struct that crosses the boundary starts with its size (ops, host) or is allocated by
 * the side that knows its size; members are only ever appended.
 */
#ifndef FC_CONNECTOR_H
#define FC_CONNECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/base/options.h"
#include "core/base/slice.h"
#include "fc/change.h"
#include "fc/message.h"

#define FC_CONNECTOR_ABI 2U
#define FC_EXPORT __attribute__((visibility("default")))

/*
 * A batch that a source fills; owned by the runner. The public members are for looking; a
 * source adds through struct fc_host.
 */
struct fc_batch {
    struct fc_change *changes;
    uint32_t count;
    uint32_t count_max;       /* a source ends its read when count reaches this ... */
    size_t bytes;             /* memory handed out for this batch */
    size_t bytes_max;         /* ... or when bytes does; one change may go over */
    struct fc_slice position; /* see fc_host.batch_position; null while there is none */
};

typedef enum fc_check_result {
    FC_CHECK_OK,
    FC_CHECK_WARN, /* works, but says what will hurt */
    FC_CHECK_FAIL  /* capture cannot work or cannot be right */
} fc_check_result;

/* What the runner gives a connector. Valid until close returns. Functions may be called on the
 * thread of the call that the connector is in; `report` on any. */
struct fc_host {
    uint32_t size;
    bool exactly_once; /* what the file's `delivery` asks for; of records only */
    bool skips_gaps; /* what the file's `on-gap` asks for: records that are gone are left out */
    /* Checked options of the connector's block. Text is NULL when absent without default; it
     * lives as long as host. */
    const char *(*option_text)(const struct fc_host *host, const char *key);
    int64_t (*option_int)(const struct fc_host *host,
                          const char *key); /* INT, SIZE (bytes), DURATION (ms), BOOL */
    uint32_t (*option_list)(const struct fc_host *host, const char *key,
                            const char *const **out_items);
    /* A map of the block, of an option of type MAP: names and values in turn; returns the
     * number of pairs. */
    uint32_t (*option_map)(const struct fc_host *host, const char *key,
                           const char *const **out_pairs);
    const char *(*connector_name)(const struct fc_host *host); /* meta.name */
    /* A diagnostic line for the user; never row data, never secrets. level: 0 debug, 1 info, 2
     * warn, 3 error. */
    void (*report)(const struct fc_host *host, int level, const char *text);

    /* A zeroed change at the end of the batch; NULL past the batch's hard limit. */
    struct fc_change *(*batch_add)(struct fc_batch *batch);
    /* Memory that lives as long as the batch, 8-byte aligned, not zeroed; NULL past the batch's
     * hard limit. */
    void *(*batch_alloc)(struct fc_batch *batch, size_t size);
    /* The source's position after the last change added so far, which ends a transaction (or a
     * snapshot chunk). Bytes are copied. Call it as often as transactions end; the last one
     * counts. May be called with no change added. */
    void (*batch_position)(struct fc_batch *batch, struct fc_slice position);
    /* See fc_option_wrap, which is to be called instead. */
    fc_code (*option_wrap)(const struct fc_host *host, const char *key, uint32_t item,
                           struct fc_error *err);
};

/*
 * err says what is wrong with a value of the connector's block: prefix it with where that stands
 * in the user's file (file:line:column), as the runner's own errors have it. item: which one of a
 * LIST, or which name of a MAP, from 0; FC_OPTION_WHOLE: the option. Returns err's code.
 */
static inline fc_code fc_option_wrap(const struct fc_host *host, const char *key, uint32_t item,
                                     struct fc_error *err)
{
    if (host->size >= offsetof(struct fc_host, option_wrap) + sizeof(host->option_wrap)) {
        return host->option_wrap(host, key, item, err);
    }
    return err == NULL ? FC_ERR_CONFIG : err->code; /* a runner that was built before it */
}

/* A field of the envelope's `source` block, after Debezium's common part (version ... ts_ns).
 */
typedef enum fc_source_field_type {
    FC_SOURCE_VALUE,    /* the change's source value */
    FC_SOURCE_TABLE,    /* the table's name, from the change */
    FC_SOURCE_EVENT_ROW /* the change's event_row */
} fc_source_field_type;

struct fc_source_field {
    const char *name;
    fc_source_field_type type;
};

/* What a source tells about itself for the status line; filled by `status`. */
struct fc_source_status {
    char position[160];    /* for a person: "gtid 0-1-42 (binlog.000003:1234)" */
    char phase[96];        /* "streaming", "snapshot shop.orders 34%" */
    int64_t last_event_us; /* commit time of the newest change read, 0 when none */
    bool caught_up; /* all that the server had when the source was opened has been read */
};

/*
 * Reading from an outside system. Thread: open, read, ack, status and close come from one
 * thread, the pipeline's reader; interrupt from any.
 */
struct fc_source;
struct fc_source_ops {
    uint32_t size;
    const struct fc_source_field *fields; /* ends with name == NULL */

    /*
     * Connect and go to `resume`, a position this source gave earlier, or from the beginning
     * (snapshot) when it is the null slice. May block for the connector's own time-outs. What
     * may succeed later (server down) fails as retriable.
     */
    fc_code (*open)(const struct fc_host *host, struct fc_slice resume,
                    struct fc_source **out_source, struct fc_error *err);
    /*
     * Add changes to batch in commit order, until it is full or nothing more is at hand; wait
     * at most wait_ms for the first. The first read of a source that was opened at the beginning gives its
     * position and no change, so that a crash goes on from there. FC_OK with nothing added: nothing
     * yet. FC_ERR_CLOSED after
     * interrupt. After a retriable error the runner closes the source and opens it again from
     * the last position; changes of the failed read are dropped.
     */
    fc_code (*read)(struct fc_source *source, int wait_ms, struct fc_batch *batch,
                    struct fc_error *err);
    /* The log holds everything up to `position` durably. */
    fc_code (*ack)(struct fc_source *source, struct fc_slice position, struct fc_error *err);
    /* Make a blocked or coming read return FC_ERR_CLOSED; async-thread-safe, returns at once.
     */
    void (*interrupt)(struct fc_source *source);
    /* Debezium's source.connector, known once open: "mysql" or "mariadb". Static text. */
    const char *(*engine)(const struct fc_source *source);
    void (*status)(struct fc_source *source, struct fc_source_status *out_status);
    void (*close)(struct fc_source *source); /* NULL is fine */
    /*
     * Pre-flight without a source: call on_result for each thing looked at. fix is the exact
     * SQL or command that mends a WARN or FAIL, NULL for OK. resume: the checkpointed position
     * or the null slice. Fails only when it cannot look at all.
     */
    fc_code (*check)(const struct fc_host *host, struct fc_slice resume,
                     void (*on_result)(void *ctx, fc_check_result result, const char *what,
                                       const char *detail, const char *fix),
                     void *ctx, struct fc_error *err);
    /* Pre-flight, too: call on_found for each table that would be captured now. May be missing. May
     * block. */
    fc_code (*look)(const struct fc_host *host,
                    void (*on_found)(void *ctx, const struct fc_found *found), void *ctx,
                    struct fc_error *err);
};

struct fc_table_info {
    bool exists;
    bool empty;
    bool fk_parent; /* other tables' foreign keys point at it */
    uint64_t rows_estimate;
};

/* How a table is to be restored. */
struct fc_load_plan {
    const struct fc_shape *shape; /* as of the cut; create_sql may be NULL: the target builds
                                     the statement from columns */
    const char *db;               /* where to: database and table */
    const char *table;
    bool replace;      /* the table may exist and hold rows; it is exchanged at commit */
    bool write_binlog; /* false: the restore does not reach the target's own binlog */
};

/*
 * Restoring into an outside system. One target object belongs to one thread; interrupt from
 * any. Tables load in parallel over several target objects.
 *
 * A load goes into a staging table beside the destination; nothing that exists is touched
 * before commit, which makes it live in one step. A load that is aborted, or whose process
 * dies, leaves the destination as it was; a later load of the same table removes a left-over
 * staging table.
 */
struct fc_target;
struct fc_load;
struct fc_target_ops {
    uint32_t size;
    fc_code (*open)(const struct fc_host *host, struct fc_target **out_target,
                    struct fc_error *err);
    fc_code (*inspect)(struct fc_target *target, const char *db, const char *table,
                       struct fc_table_info *out_info, struct fc_error *err);
    fc_code (*load_begin)(struct fc_target *target, const struct fc_load_plan *plan,
                          struct fc_load **out_load, struct fc_error *err);
    /*
     * Add `count` rows, each shape->column_count values, one row after another in `values`.
     * shape may be an older version of the table: columns that it lacks get the table's
     * default, columns that the table lacks must not be in it. Everything is borrowed for the
     * call. Rows with equal shape pointers should come together.
     */
    fc_code (*load_rows)(struct fc_load *load, const struct fc_shape *shape,
                         const struct fc_value *values, uint32_t count, struct fc_error *err);
    /* All rows are there: finish the staging table (keys, AUTO_INCREMENT). out_rows: rows now
     * in it. It is not live yet and can be scanned under staging_name. */
    fc_code (*load_finish)(struct fc_load *load, uint64_t *out_rows, struct fc_error *err);
    const char *(*staging_name)(const struct fc_load *load);
    /* Make it live. Frees load whatever comes. */
    fc_code (*load_commit)(struct fc_load *load, struct fc_error *err);
    void (*load_abort)(
        struct fc_load *load); /* remove the staging table; NULL is fine; frees load */
    /*
     * Read a whole table as FC_OP_READ changes in one consistent view; on_batch is called with
     * batches that it may use only during the call, and ends the scan by returning anything but
     * FC_OK. batch is the runner's and is cleared by batch_clear before each filling. out_shape
     * (may be NULL) is set before the first call and lives as long as target.
     */
    fc_code (*scan)(struct fc_target *target, const char *db, const char *table,
                    struct fc_batch *batch, void (*batch_clear)(struct fc_batch *batch),
                    fc_code (*on_batch)(void *ctx, const struct fc_shape *shape,
                                        struct fc_batch *batch, struct fc_error *err),
                    void *ctx, struct fc_error *err);
    void (*interrupt)(struct fc_target *target);
    void (*close)(struct fc_target *target); /* NULL is fine */
};

struct fc_connector {
    uint32_t abi;        /* FC_CONNECTOR_ABI the plugin was built with */
    uint32_t size;       /* sizeof(struct fc_connector) then */
    const char *name;    /* "mysql": names the shared object and the block in the user's file */
    const char *version; /* for people */
    const char *help;    /* one sentence */
    const struct fc_option *options;    /* ends with key == NULL */
    const struct fc_source_ops *source; /* NULL when it cannot read */
    const struct fc_target_ops *target; /* NULL when nothing can be restored into it */
    const struct fc_feed_ops *feed;     /* NULL when it gives no records (see fc/message.h) */
    const struct fc_sink_ops *sink;     /* NULL when it takes no records */
};

FC_EXPORT const struct fc_connector *fc_connector_entry(void);

#endif
