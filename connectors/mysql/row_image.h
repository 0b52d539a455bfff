/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows events (WRITE, UPDATE, DELETE of versions 1 and 2, MariaDB's compressed ones, MySQL's
 * partial updates) to arrays of values.
 *
 * Values borrow the event's bytes where these can stand as they are; the caller keeps the bytes
 * as long as the batch. Everything else goes to the memory given to open.
 */
#ifndef FC_MYSQL_ROW_IMAGE_H
#define FC_MYSQL_ROW_IMAGE_H

#include "connectors/mysql/binlog_event.h"
#include "connectors/mysql/memory.h"
#include "connectors/mysql/table_map.h"

/* Decodes one rows event after another. Thread: the reader's. */
struct fc_row_image;

struct fc_row_image *fc_row_image_new(void);
void fc_row_image_free(struct fc_row_image *rows); /* NULL is fine */

struct fc_rows_info {
    fc_op op;                       /* CREATE, UPDATE or DELETE */
    const struct fc_table_map *map; /* NULL: no such map; see skip */
    uint64_t table_id;
    bool statement_end; /* the last rows event of its statement */
    bool skip;          /* holds no rows (a mere end of statement) */
};

/* Look at a rows event's head only: which table, which operation. FC_ERR_PROTOCOL when no map
 * of that id came and it is not a mere end of statement. */
FC_MUST_CHECK fc_code fc_row_image_info(const struct fc_binlog_format *format,
                                        const struct fc_table_map_cache *cache,
                                        const struct fc_binlog_event *event,
                                        struct fc_rows_info *out_info, struct fc_error *err);

/*
 * Begin with a rows event.
 *
 * event   its body must live as long as the values.
 * memory  copied; used by open (compressed rows) and by next.
 *
 * Errors: FC_ERR_PROTOCOL; FC_ERR_LIMIT (memory).
 */
FC_MUST_CHECK fc_code fc_row_image_open(struct fc_row_image *rows,
                                        const struct fc_binlog_format *format,
                                        const struct fc_table_map_cache *cache,
                                        const struct fc_binlog_event *event,
                                        const struct fc_mysql_memory *memory,
                                        struct fc_rows_info *out_info, struct fc_error *err);

/*
 * The next row: `before` (UPDATE, DELETE) and `after` (CREATE, UPDATE), each NULL or
 * shape->column_count values. A column that the image does not hold (row_image other than
 * FULL) is FC_VALUE_UNCHANGED.
 *
 * out_end  true after the last row; the other outputs are untouched then.
 *
 * Errors: FC_ERR_PROTOCOL; FC_ERR_LIMIT (memory).
 */
FC_MUST_CHECK fc_code fc_row_image_next(struct fc_row_image *rows, struct fc_value **out_before,
                                        struct fc_value **out_after, bool *out_end,
                                        struct fc_error *err);

#endif
