/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the subject of a client's certificate to its principal's name, by rules as in Kafka's
 * ssl.principal.mapping.rules; the first that fits counts:
 *
 *   DEFAULT                         the subject as it is
 *   RULE:pattern/replacement/       the pattern, a POSIX extended regular expression, matches the
 *   RULE:pattern/replacement/L      whole subject; $1 to $9 stand for its groups, $0 for all;
 *   RULE:pattern/replacement/U      L and U: in lower, in upper case
 *
 * A slash in the pattern is written as \/.
 */
#ifndef FC_SPU_AUTH_PRINCIPAL_H
#define FC_SPU_AUTH_PRINCIPAL_H

#include "core/base/error.h"

struct fc_principal_rules;

/* Errors: FC_ERR_CONFIG, naming the rule. */
FC_MUST_CHECK fc_code fc_principal_rules_new(const char *const *rules, size_t count,
                                             struct fc_principal_rules **out_rules,
                                             struct fc_error *err);
void fc_principal_rules_free(struct fc_principal_rules *rules); /* NULL is fine */

/* "User:..." to free(); NULL when no rule fits. Without rules (NULL): DEFAULT. Thread: any. */
char *fc_principal_of_subject(const struct fc_principal_rules *rules, const char *subject);

#endif
