/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The features of a cluster that clients look at before they use something.
 *
 * Nothing stands here that clients would change their behaviour for and that we do not do.
 */
#ifndef FC_SPU_FEATURES_H
#define FC_SPU_FEATURES_H

#include <stddef.h>
#include <stdint.h>

struct fc_feature {
    const char *name;
    int16_t min; /* what this build can do; not 0, which Java clients before 3.9 refuse */
    int16_t max;
    int16_t level; /* what it does */
};

extern const struct fc_feature fc_features[];
extern const size_t fc_features_count;

#endif
