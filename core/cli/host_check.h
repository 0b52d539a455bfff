/* SPDX-License-Identifier: Apache-2.0 */
/* Whether this machine is fit for a server: each check says what it found and how to mend it. */
#ifndef FC_CLI_HOST_CHECK_H
#define FC_CLI_HOST_CHECK_H

#include <jansson.h>

#include "core/base/clock.h"
#include "core/base/error.h"

typedef enum fc_verdict { FC_VERDICT_OK, FC_VERDICT_WARN, FC_VERDICT_FAIL } fc_verdict;

/* Append {check, result: "ok"|"warn"|"fail", found, fix} to results; fix is left out when empty.
 */
void fc_check_add(json_t *results, const char *check, fc_verdict verdict, const char *fix,
                  const char *found_fmt, ...) FC_PRINTF(5, 6);

bool fc_check_any_failed(const json_t *results);

/* The directory can be made or written to, and no other process has it; `own`: ours has it. */
void fc_check_data_dir(json_t *results, const char *dir, bool own);
/* Room, and how fast it writes and syncs; makes a temporary file beside the data. */
void fc_check_disk(json_t *results, const char *dir, const struct fc_clock *clock);
void fc_check_limits(json_t *results);
/* `own`: it is our running server that listens there. */
void fc_check_port(json_t *results, const char *host, int port, bool own);
void fc_check_clock(json_t *results, const struct fc_clock *clock);
/* key and ca may be NULL. */
void fc_check_tls(json_t *results, const char *certificate, const char *key, const char *ca,
                  const struct fc_clock *clock);

#endif
