/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decimal text and the unscaled two's complement number that Kafka Connect's Decimal is: "-12.30"
 * at scale 2 is -1230, big-endian, in as few bytes as hold its sign.
 */
#ifndef FC_RUNNER_UNSCALED_H
#define FC_RUNNER_UNSCALED_H

#include "core/base/slice.h"

enum {
    FC_UNSCALED_DIGITS_MAX = 96, /* MySQL has 65 */
    FC_UNSCALED_BYTES_MAX = 41,  /* 10^96 and a sign */
    FC_UNSCALED_TEXT_MAX = 400   /* sign, point and the zeros of a large scale */
};

/*
 * out_bytes has FC_UNSCALED_BYTES_MAX. out_scale: `scale`, or more when text has more fraction
 * digits. false when text is not a plain decimal ("1e3", "", "abc") or has too many digits.
 */
bool fc_unscaled_from_text(struct fc_slice text, unsigned scale, uint8_t *out_bytes,
                           size_t *out_len, unsigned *out_scale);

/*
 * The way back: text with exactly `scale` fraction digits, into out_text of FC_UNSCALED_TEXT_MAX.
 * false when the number has too many bytes or the scale is above 255.
 */
bool fc_unscaled_to_text(struct fc_slice unscaled, unsigned scale, char *out_text,
                         size_t *out_len);

#endif
