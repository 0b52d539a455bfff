/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/restore/ascents.h"

#include <string.h>

static struct fc_slice end_of(const struct fc_ascents *ascents, uint32_t index)
{
    return fc_slice_of(ascents->ends[index].bytes, ascents->ends[index].len);
}

uint32_t fc_ascents_join(struct fc_ascents *ascents, struct fc_slice order)
{
    uint32_t found = FC_ASCENT_NONE;
    for (uint32_t index = 0; index < ascents->count; index++) {
        if (fc_key_order_compare(end_of(ascents, index), order) <= 0 &&
            (found == FC_ASCENT_NONE ||
             fc_key_order_compare(end_of(ascents, found), end_of(ascents, index)) < 0)) {
            found = index;
        }
    }
    if (found == FC_ASCENT_NONE && ascents->count < FC_ASCENTS) {
        found = ascents->count++;
    }
    if (found != FC_ASCENT_NONE) {
        memcpy(ascents->ends[found].bytes, order.data, order.len);
        ascents->ends[found].len = order.len;
    }
    return found;
}
