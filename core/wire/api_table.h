/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that the generator writes, for api.c and for tests that go through all messages. */
#ifndef FC_WIRE_API_TABLE_H
#define FC_WIRE_API_TABLE_H

#include "core/wire/api.h"

extern const struct fc_wire_api fc_wire_api_table[]; /* by key */
extern const size_t fc_wire_api_count;

/* Every message, also those that are no API's; NULL at the end. */
extern const struct fc_wire_type *const fc_wire_message_table[];

#endif
