/* SPDX-License-Identifier: Apache-2.0 */
/* Copies and comparisons of table shapes. */
#ifndef FC_CATALOG_SHAPE_H
#define FC_CATALOG_SHAPE_H

#include "fc/change.h"

/* A deep copy in one block of memory, given back with free(). */
struct fc_shape *fc_shape_copy(const struct fc_shape *shape);

/* Equal in all that a schema holds: names, columns in order, types, labels, create_sql. */
bool fc_shape_equal(const struct fc_shape *a, const struct fc_shape *b);

/* A hash of what tells shapes apart most: equal shapes have equal hashes. */
uint64_t fc_shape_hash(const struct fc_shape *shape);

#endif
