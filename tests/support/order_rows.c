/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/order_rows.h"

#include <stdio.h>

#include "core/base/alloc.h"

static const struct fc_column columns[FC_ORDER_COLUMNS] = {
    { .name = "id", .native_type = "bigint", .type = FC_TYPE_INT, .bits = 64, .key_index = 1 },
    { .name = "customer_id",
      .native_type = "int",
      .type = FC_TYPE_INT,
      .nullable = true,
      .bits = 32 },
    { .name = "status",
      .native_type = "varchar(16)",
      .type = FC_TYPE_TEXT,
      .nullable = true,
      .length = 16 },
    { .name = "amount",
      .native_type = "decimal(10,2)",
      .type = FC_TYPE_DECIMAL,
      .nullable = true,
      .precision = 10,
      .scale = 2 },
    { .name = "note",
      .native_type = "varchar(200)",
      .type = FC_TYPE_TEXT,
      .nullable = true,
      .length = 200 },
    { .name = "created_at",
      .native_type = "datetime(6)",
      .type = FC_TYPE_DATETIME,
      .nullable = true,
      .precision = 6 },
    { .name = "updated_at",
      .native_type = "timestamp",
      .type = FC_TYPE_TIMESTAMP,
      .nullable = true }
};

static const struct fc_shape shape = { .db = "shop",
                                       .table = "orders",
                                       .columns = columns,
                                       .column_count = FC_ORDER_COLUMNS,
                                       .key_count = 1 };

const struct fc_shape *fc_order_shape(void)
{
    return &shape;
}

char *fc_order_create_sql(const char *more)
{
    return fc_asprintf(
        "CREATE TABLE `orders` (\n  `id` bigint NOT NULL AUTO_INCREMENT,\n"
        "  `customer_id` int DEFAULT NULL,\n  `status` varchar(16) DEFAULT NULL,\n"
        "  `amount` decimal(10,2) DEFAULT NULL,\n  `note` varchar(200) DEFAULT NULL,\n"
        "  `created_at` datetime(6) DEFAULT NULL,\n  `updated_at` timestamp NULL DEFAULT "
        "NULL,\n"
        "  PRIMARY KEY (`id`)%s\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
        more);
}

static struct fc_value of_int(int64_t value)
{
    return (struct fc_value){ .kind = FC_VALUE_INT, .as.i64 = value };
}

static struct fc_value of_text(const char *text, size_t len)
{
    return (struct fc_value){ .kind = FC_VALUE_TEXT, .as.bytes = fc_slice_of(text, len) };
}

void fc_order_fill(uint64_t id, char *amount, struct fc_value *out_values)
{
    static const char *const states[] = { "new", "paid", "shipped", "delivered", "cancelled" };
    static const char note[] =
        "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor "
        "incididunt "
        "ut labore et dolore magna aliqua ut enim ad minim veniam quis nostrud";
    const int64_t base_us = 1772323200000000; /* 2026-03-01 */
    (void)snprintf(amount, FC_ORDER_AMOUNT_SIZE, "%u.%02u", (unsigned)(id % 9999),
                   (unsigned)(id % 100));
    out_values[0] = of_int((int64_t)id);
    out_values[1] = of_int((int64_t)(id * 7919 % 100000));
    out_values[2] = of_text(states[id % 5], strlen(states[id % 5]));
    out_values[3] = of_text(amount, strlen(amount));
    out_values[4] = of_text(note + id % 30, 70 + id * 7 % 50);
    out_values[5] = of_int(base_us + (int64_t)(id * 60000007));
    out_values[6] = of_int(base_us + (int64_t)(id * 60000000));
}
