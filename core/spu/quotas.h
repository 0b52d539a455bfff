/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quotas at work. Each user's client has a bucket that fills at the rate of its quota and holds
 * what a second brings; a request may overdraw it, is answered, and its connection is not read
 * until the debt is paid (KIP-219).
 *
 * Thread: any number at once, but for new and free.
 */
#ifndef FC_SPU_QUOTAS_H
#define FC_SPU_QUOTAS_H

#include "core/spu/auth/quota.h"
#include "core/spu/spu_state.h"

struct fc_quotas;

/* The store and the clock outlive them. */
FC_MUST_CHECK fc_code fc_quotas_new(struct fc_store *store, const struct fc_clock *clock,
                                    struct fc_quotas **out_quotas, struct fc_error *err);
void fc_quotas_free(struct fc_quotas *quotas); /* NULL is fine */

/* The set in force; it is not replaced until it is let go of. */
const struct fc_quotas_set *fc_quotas_hold(struct fc_quotas *quotas);
void fc_quotas_let_go(struct fc_quotas *quotas);

/* For how many ms whoever took this amount must wait; 0: not at all. */
int32_t fc_quotas_take(struct fc_quotas *quotas, fc_quota quota, struct fc_slice user,
                       struct fc_slice client, double amount);

/*
 * Charge a request, before it is answered: its answer tells the client to wait, if it has to, and
 * its connection is not read meanwhile.
 */
void fc_quota_charge(struct fc_spu *spu, struct fc_request *request, fc_quota quota,
                     double amount);

/* Run a handler, and charge the user for the time that it takes on this thread; what is owed is
 * told with this request's answer or the next one's. */
void fc_quota_run(struct fc_spu *spu, struct fc_request *request, fc_handler handler,
                  const void *message);

#endif
