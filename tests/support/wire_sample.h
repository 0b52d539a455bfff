/* SPDX-License-Identifier: Apache-2.0 */
/* Random messages of core/wire, made and compared by its tables. */
#ifndef FC_TESTS_WIRE_SAMPLE_H
#define FC_TESTS_WIRE_SAMPLE_H

#include "core/wire/wire.h"

struct fc_wire_sample {
    uint64_t state; /* of the random numbers; not 0 */
    struct fc_arena *arena;
    int16_t version;
};

uint64_t fc_wire_sample_next(struct fc_wire_sample *sample);

/* Fill a message with what its version can say; fields that the version lacks keep their defaults. */
void fc_wire_sample_fill(struct fc_wire_sample *sample, const struct fc_wire_type *type,
                         void *msg);

/* Give fields that the version lacks values that are not their defaults. */
void fc_wire_sample_fill_absent(struct fc_wire_sample *sample, const struct fc_wire_type *type,
                                void *msg);

/* Make something wrong of a frame of more than a length. */
void fc_wire_sample_mutate(struct fc_wire_sample *sample, struct fc_buf *frame);

bool fc_wire_sample_equal(const struct fc_wire_type *type, const void *a, const void *b);

#endif
