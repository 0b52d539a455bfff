/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order in which a database keeps rows by their key, told from record keys: bytes that
 * compare as the rows lie.
 *
 * It is near the truth and need not be it: collations and ENUMs have orders of their own. Rows
 * that come about in order are loaded faster; nothing else depends on it.
 */
#ifndef FC_RESTORE_KEY_ORDER_H
#define FC_RESTORE_KEY_ORDER_H

#include "fc/change.h"

enum {
    FC_KEY_ORDER_BYTES_MAX = 96, /* what follows in a longer key is not looked at */
    FC_KEY_ORDER_COLUMNS_MAX = 16
};

/* How the columns of a table's key are read. All zero is a valid start. */
struct fc_key_order {
    const struct fc_shape *shape; /* that it was made for, compared by address */
    uint8_t types[FC_KEY_ORDER_COLUMNS_MAX];
    uint32_t count;
};

/* Does nothing when it was made for this shape. */
void fc_key_order_set(struct fc_key_order *order, const struct fc_shape *shape);

/* Write the bytes of a record key (a JSON object of the key's columns); returns how many. A key
 * of another form gives fewer. */
size_t fc_key_order_put(const struct fc_key_order *order, struct fc_slice key,
                        uint8_t out[static FC_KEY_ORDER_BYTES_MAX]);

/* As memcmp does. */
static inline int fc_key_order_compare(struct fc_slice a, struct fc_slice b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int first = common == 0 ? 0 : memcmp(a.data, b.data, common);
    return first != 0 ? first : (a.len > b.len) - (a.len < b.len);
}

#endif
