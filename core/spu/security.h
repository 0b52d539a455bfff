/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an SPU knows of who may do what: the store with users, ACLs and quotas, the ACLs in force,
 * super users, and the audit lines.
 *
 * Thread: any number at once, but for new and free.
 */
#ifndef FC_SPU_SECURITY_H
#define FC_SPU_SECURITY_H

#include "catalog/store.h"
#include "core/spu/auth/acl.h"
#include "core/spu/auth/scram.h"
#include "core/spu/spu.h"
#include "core/spu/task_queue.h"

struct fc_security;

/* Opens the store in the data directory. The config outlives it. Errors: of the store. */
FC_MUST_CHECK fc_code fc_security_new(const struct fc_spu_config *config,
                                      struct fc_data_dir *data,
                                      struct fc_security **out_security, struct fc_error *err);
void fc_security_free(struct fc_security *security); /* NULL is fine */

struct fc_store *fc_security_store(const struct fc_security *security);

/* The thread that verifies passwords of PLAIN, which takes milliseconds. */
struct fc_task_queue *fc_security_verifier(const struct fc_security *security);

/* Whether ACLs count at all. */
bool fc_security_is_on(const struct fc_security *security);

/* What ACLs and super users say; true when ACLs do not count. */
bool fc_security_allows(struct fc_security *security, const struct fc_acl_caller *caller,
                        fc_operation operation, fc_resource resource, struct fc_slice name);
bool fc_security_allows_some(struct fc_security *security, const struct fc_acl_caller *caller,
                             fc_operation operation, fc_resource resource);

/* The ACLs in force; they are not replaced until they are let go of. */
const struct fc_acls *fc_security_hold_acls(struct fc_security *security);
void fc_security_let_go(struct fc_security *security);

/* The credential to check a user by: a made-up one, and *out_known false, for one who has none. */
FC_MUST_CHECK fc_code fc_security_credential(struct fc_security *security, fc_scram_kind kind,
                                             struct fc_slice user,
                                             struct fc_scram_credential *out_credential,
                                             bool *out_known, struct fc_error *err);

/* One line for who looks after the node; so many a second, the others are counted. */
void fc_security_audit(struct fc_security *security, const char *fmt, ...) FC_PRINTF(2, 3);

/* The same for what was changed by who may: all of it. */
void fc_security_note(struct fc_security *security, const char *fmt, ...) FC_PRINTF(2, 3);

/* A copy of a client's text that can stand in such a line: at most 100 bytes, printable. */
enum { FC_AUDIT_TEXT_SIZE = 104 };
const char *fc_security_text(struct fc_slice text, char to[FC_AUDIT_TEXT_SIZE]);

#endif
