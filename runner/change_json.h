/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes from a file that a person wrote or copied from a topic: change events as JSON, one after
 * another or in an array, for trying transforms without a database.
 *
 * An event is what docs/envelope.md describes; `before`, `after`, `source` and `op` count, what is
 * missing gets a plain value. It may hold `schema`, an object of column name to type in the words of
 * MySQL's DDL ("decimal(10,2)", "bigint not null key"), for its table in the whole file. Types of
 * other columns are found from their values in all events: whole numbers are BIGINT, other numbers
 * DOUBLE, true and false TINYINT(1), objects and arrays JSON, texts LONGTEXT; a column `id` is the
 * key when the schema names none.
 */
#ifndef FC_RUNNER_CHANGE_JSON_H
#define FC_RUNNER_CHANGE_JSON_H

#include "core/base/error.h"
#include "fc/connector.h"

struct fc_change_file;

/*
 * text is borrowed until free. Errors: FC_ERR_CONFIG naming the line or the event's number,
 * FC_ERR_LIMIT.
 */
FC_MUST_CHECK fc_code fc_change_file_parse(struct fc_slice text,
                                           struct fc_change_file **out_file,
                                           struct fc_error *err);
void fc_change_file_free(struct fc_change_file *file); /* NULL is fine */

uint32_t fc_change_file_count(const struct fc_change_file *file);
const struct fc_change *fc_change_file_get(const struct fc_change_file *file, uint32_t index);
/* The line on which the change stands, from 1. */
uint32_t fc_change_file_line(const struct fc_change_file *file, uint32_t index);

/* The fields that the changes' source values stand for: MySQL's. Ends with name == NULL. */
const struct fc_source_field *fc_change_file_fields(void);

#endif
