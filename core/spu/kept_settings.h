/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of Kafka's topics that nothing depends on here, as there are no replicas, no second
 * tier, no files made ahead: taken, kept and shown, so that who names them is served. */
#ifndef FC_SPU_KEPT_SETTINGS_H
#define FC_SPU_KEPT_SETTINGS_H

#include "core/base/error.h"

/* Their names; NULL past the end. */
const char *fc_kept_setting_key(size_t index);

/* What one of them is where it is not set; NULL for another name. */
const char *fc_kept_setting_default(const char *key);

/*
 * Whether a value fits.
 * Errors: FC_ERR_NOT_FOUND (not one of them), FC_ERR_CONFIG (what is wrong with the value).
 */
FC_MUST_CHECK fc_code fc_kept_setting_check(const char *key, const char *value,
                                            struct fc_error *err);

#endif
