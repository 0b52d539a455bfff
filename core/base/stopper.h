/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGINT and SIGTERM for commands that end by themselves: the first one asks the work to stop,
 * the second ends the process at once.
 *
 * Threads: start before any other thread, so that all of them block the signals; one thread of
 * its own waits for them.
 */
#ifndef FC_BASE_STOPPER_H
#define FC_BASE_STOPPER_H

#include "core/base/error.h"

struct fc_stopper;

/* on_stop runs on the stopper's thread, at most once. */
FC_MUST_CHECK fc_code fc_stopper_start(void (*on_stop)(void *ctx), void *ctx,
                                       struct fc_stopper **out_stopper, struct fc_error *err);
/* on_stop does not run afterwards. NULL is fine. */
void fc_stopper_end(struct fc_stopper *stopper);

#endif
