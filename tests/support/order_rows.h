/* SPDX-License-Identifier: Apache-2.0 */
/* Made-up rows of a table of orders: the table that the figures are measured on. */
#ifndef FC_TESTS_ORDER_ROWS_H
#define FC_TESTS_ORDER_ROWS_H

#include "fc/change.h"

enum { FC_ORDER_COLUMNS = 7, FC_ORDER_AMOUNT_SIZE = 24 };

/* Static; create_sql is NULL. */
const struct fc_shape *fc_order_shape(void);

/* "CREATE TABLE `orders` (...)" with further definitions such as ", KEY (`status`)", for the
 * caller to free. */
char *fc_order_create_sql(const char *more);

/*
 * The row of an id from 1, about 165 bytes in MySQL's binlog.
 *
 * out_values  FC_ORDER_COLUMNS values; they borrow `amount`, which has FC_ORDER_AMOUNT_SIZE.
 */
void fc_order_fill(uint64_t id, char *amount, struct fc_value *out_values);

#endif
