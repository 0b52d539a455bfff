/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quotas at work. Each user's client has a bucket that fills at the rate of its quota and holds
 * what a second brings; a request may overdraw it, is answered, and its connection is not read
 * until the debt is paid (KIP-219). That of partitions made and removed holds what eleven seconds
 * bring, and who has a debt is refused, by versions that know it (KIP-599). Each address has one
 * for its new connections: those over it are not read until their turn comes (KIP-612).
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

/* The same where a debt must be paid before more is taken: false, and nothing is taken, while
 * there is one. */
FC_MUST_CHECK bool fc_quotas_take_strictly(struct fc_quotas *quotas, fc_quota quota,
                                           struct fc_slice user, struct fc_slice client,
                                           double amount, int32_t *out_wait_ms);

/* For how many ms a new connection of the address must wait; -1: longer than any should, so it
 * is refused, and does not count. */
int64_t fc_quotas_connect(struct fc_quotas *quotas, struct fc_slice ip);

/*
 * Charge a request, before it is answered: its answer tells the client to wait, if it has to, and
 * its connection is not read meanwhile.
 */
void fc_quota_charge(struct fc_spu *spu, struct fc_request *request, fc_quota quota,
                     double amount);

/*
 * Charge a request for partitions that it makes or removes, before it does. strict: false when
 * that must wait, which its answer tells, too; otherwise it may always be done.
 */
FC_MUST_CHECK bool fc_quota_mutate(struct fc_spu *spu, struct fc_request *request,
                                   uint32_t partitions, bool strict);

/* As fc_server_config.on_arrival; ctx: the SPU. */
int64_t fc_quota_on_arrival(void *ctx, const char *peer_host);

/* Run a handler, and charge the user for the time that it takes on this thread; what is owed is
 * told with this request's answer or the next one's. */
void fc_quota_run(struct fc_spu *spu, struct fc_request *request, fc_handler handler,
                  const void *message);

#endif
