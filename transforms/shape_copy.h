/* SPDX-License-Identifier: Apache-2.0 */
/* Deep copies of table shapes, without create_sql, and their comparison. */
#ifndef FC_TRANSFORM_SHAPE_COPY_H
#define FC_TRANSFORM_SHAPE_COPY_H

#include "fc/change.h"

void fc_derived_copy_column(struct fc_column *to, const struct fc_column *from);
void fc_derived_free_column(struct fc_column *column);

void fc_derived_copy(struct fc_shape *to, const struct fc_shape *from);
/* Free what fc_derived_copy, or columns of fc_derived_copy_column, hold; not the struct itself. */
void fc_derived_release(struct fc_shape *shape);

/* Equal in everything but create_sql, which no transform looks at. */
bool fc_derived_same(const struct fc_shape *a, const struct fc_shape *b);

#endif
