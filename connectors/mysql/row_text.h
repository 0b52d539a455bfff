/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of the text protocol as values: exactly those that the binlog decoder gives for the same
 * row.
 *
 * A SELECT made with fc_row_text_select_list, on a session of fc_session_open, returns fields in
 * the form that fc_row_text_decode expects (plain column names do not: FLOAT would be rounded).
 */
#ifndef FC_MYSQL_ROW_TEXT_H
#define FC_MYSQL_ROW_TEXT_H

#include "core/base/buf.h"
#include "fc/connector.h"

/* Append the select list for all columns of the shape, in order: "`id`,`price`+0E0,...". */
void fc_row_text_select_list(struct fc_buf *sql, const struct fc_shape *shape);

/*
 * Turn one row into values.
 *
 * fields      shape->column_count of them; the null slice is NULL. Borrowed for the call.
 * batch       values' bytes are copied into its memory.
 * out_values  shape->column_count of them.
 *
 * Errors: FC_ERR_PROTOCOL for text that does not fit its column; FC_ERR_NOMEM when the batch's
 * hard limit is met.
 */
FC_MUST_CHECK fc_code fc_row_text_decode(const struct fc_shape *shape,
                                         const struct fc_slice *fields,
                                         const struct fc_host *host, struct fc_batch *batch,
                                         struct fc_value *out_values, struct fc_error *err);

#endif
