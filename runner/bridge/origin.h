/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a copied record comes from, in one header that a bridge adds at the end of the record's
 * own: so the log itself says what it already has.
 *
 * Header key "fc.bridge", value text, fields parted by one space:
 *
 *   <connector> <topic> <partition> <offset>
 *   dc1 orders 3 1042
 *
 * A bridge that copies out of the log takes the last header away again when it is one.
 */
#ifndef FC_RUNNER_BRIDGE_ORIGIN_H
#define FC_RUNNER_BRIDGE_ORIGIN_H

#include "core/base/buf.h"
#include "core/stream/stream.h"

#define FC_ORIGIN_HEADER "fc.bridge"

/* Add the value's text. */
void fc_origin_encode(struct fc_buf *out, const char *connector, const char *topic,
                      uint32_t partition, int64_t offset);

/* The offset that the record has at its origin; -1 when it was not copied by this connector
 * from this partition. */
int64_t fc_origin_offset(const struct fc_record *record, const char *connector,
                         const char *topic, uint32_t partition);

/* How many of the record's headers are its own. */
uint32_t fc_origin_own_headers(const struct fc_record *record);

#endif
