/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers from JSON text; `text` is what fc_json_take_number gave. */
#ifndef FC_RUNNER_JSON_NUMBER_H
#define FC_RUNNER_JSON_NUMBER_H

#include "core/base/slice.h"

/* Sign and value of a whole number; false when its size does not fit 64 bits. */
bool fc_json_number_whole(struct fc_slice text, bool *out_negative, uint64_t *out_size);

/* The nearest number; false when the text is too long to be one of ours. */
bool fc_json_number_double(struct fc_slice text, double *out_value);
bool fc_json_number_float(struct fc_slice text, float *out_value);

/* "NaN", "Infinity", "-Infinity". */
bool fc_json_number_word(struct fc_slice text, double *out_value);

#endif
