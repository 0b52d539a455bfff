/* SPDX-License-Identifier: Apache-2.0 */
/* What the runner gives a connector: struct fc_host on checked options, a diag and batches. */
#ifndef FC_RUNNER_HOST_H
#define FC_RUNNER_HOST_H

#include "core/base/diag.h"
#include "core/base/options_check.h"
#include "fc/connector.h"

struct fc_config;

/* config gives meta.name, `delivery` and `on-gap`. All is borrowed and must outlive the host. */
struct fc_host *fc_host_new(const struct fc_config *config, const struct fc_options *options,
                            struct fc_diag *diag);
void fc_host_free(struct fc_host *host); /* NULL is fine */

#endif
