/* SPDX-License-Identifier: Apache-2.0 */
/* A regular expression that a client has sent: it costs little time and memory, whatever it is. */
#ifndef FC_SPU_CLIENT_PATTERN_H
#define FC_SPU_CLIENT_PATTERN_H

#include <stdbool.h>

#include "core/base/error.h"
#include "core/base/slice.h"

struct fc_client_pattern;

/* NULL when it is no expression, uses what is not known here, or is too large (see
 * client_pattern.c). */
struct fc_client_pattern *fc_client_pattern_new(const char *text);
void fc_client_pattern_free(struct fc_client_pattern *pattern); /* NULL is fine */

/* Whether the whole name is what the expression says. */
bool fc_client_pattern_matches(struct fc_client_pattern *pattern, struct fc_slice name);

#endif
