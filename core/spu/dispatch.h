/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FC_SPU_DISPATCH_H
#define FC_SPU_DISPATCH_H

#include "core/spu/spu_state.h"
#include "core/spu/task_queue.h"

enum { FC_API_VERSIONS_KEY = 18 };

/* The server's on_request: decode and hand to the API's handler; ctx is the SPU. */
void fc_dispatch(void *ctx, struct fc_request *request);

/* Whether there is a handler for the API. */
bool fc_dispatch_serves(int16_t api_key);

/* Run a handler on the thread for slow ones. */
void fc_dispatch_slowly(struct fc_spu *spu, struct fc_request *request, fc_handler handler,
                        const void *message);

#endif
