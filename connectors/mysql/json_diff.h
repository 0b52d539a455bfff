/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MySQL's partial updates of JSON columns: differences applied to the document before.
 *
 * A column's differences stand one behind another:
 *
 *   operation(1: 0 replace, 1 insert, 2 remove) path_len(length-encoded) path
 *   [value_len(length-encoded) value: binary JSON, not for remove]
 *
 * A path is a JSON path: $.name, $."quoted name"[3].
 */
#ifndef FC_MYSQL_JSON_DIFF_H
#define FC_MYSQL_JSON_DIFF_H

#include "connectors/mysql/json_binary.h"

/*
 * Append the text of the document after the differences.
 *
 * document  the column's binary JSON before.
 * arena     for work; nothing of it is needed afterwards.
 *
 * Errors: FC_ERR_PROTOCOL: not readable, or a path that does not fit the document (the server
 * makes only such that do); FC_ERR_LIMIT.
 */
FC_MUST_CHECK fc_code fc_json_diff_print(struct fc_slice document, struct fc_slice differences,
                                         struct fc_arena *arena, struct fc_buf *out,
                                         struct fc_error *err);

#endif
