/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shape of a table as the server's catalog tells it now.
 */
#ifndef FC_MYSQL_DESCRIBE_H
#define FC_MYSQL_DESCRIBE_H

#include "connectors/mysql/session.h"
#include "fc/change.h"

/*
 * Read a table's shape from information_schema and its CREATE statement from SHOW CREATE TABLE.
 * The key is the primary key, or else the first unique index whose columns are all NOT NULL.
 *
 * out_shape  the caller frees it with fc_describe_free.
 *
 * Errors: FC_ERR_NOT_FOUND when there is no such table or it is a view; FC_ERR_CONFIG for a
 * column type that is not supported.
 */
FC_MUST_CHECK fc_code fc_describe_table(struct fc_session *session, const char *db,
                                        const char *table, struct fc_shape **out_shape,
                                        struct fc_error *err);
void fc_describe_free(struct fc_shape *shape); /* NULL is fine */

#endif
