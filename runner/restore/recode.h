/* SPDX-License-Identifier: Apache-2.0 */
/* Row images written by one version of a table, as another version would write them. */
#ifndef FC_RESTORE_RECODE_H
#define FC_RESTORE_RECODE_H

#include "runner/envelope/envelope.h"
#include "runner/restore/versions.h"

/* An envelope that only encodes rows and keys. */
struct fc_envelope *fc_recode_envelope(fc_envelope_mode mode);

/*
 * The image of version `from` with the columns that version `to` (not newer) has, encoded by it,
 * appended to out. Columns of `to` that `from` lacks are left out, so such an image equals none
 * that `to` wrote.
 */
FC_MUST_CHECK fc_code fc_recode_image(const struct fc_versions *versions, uint32_t from,
                                      uint32_t to, struct fc_slice image, struct fc_buf *out,
                                      struct fc_error *err);

#endif
