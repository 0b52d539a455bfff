/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of patterns for names of topics and groups: "orders" is one name, "shop.*" a glob (with
 * * ? and [abc]), "^shop[.](a|b)$" a POSIX extended regular expression, which begins with ^.
 */
#ifndef FC_KAFKA_PATTERNS_H
#define FC_KAFKA_PATTERNS_H

#include <regex.h>
#include <stdint.h>

#include "core/base/error.h"

struct fc_pattern {
    const char *text; /* borrowed */
    bool is_regex;
    regex_t regex;
};

/* A zeroed struct is an empty list, which matches nothing. */
struct fc_patterns {
    struct fc_pattern *items;
    uint32_t count;
};

/* `what` names the option for a person. FC_ERR_CONFIG for a regular expression that is none;
 * out_bad: which of the texts that is. */
FC_MUST_CHECK fc_code fc_patterns_init(struct fc_patterns *patterns, const char *what,
                                       const char *const *texts, uint32_t count,
                                       uint32_t *out_bad, struct fc_error *err);
void fc_patterns_release(struct fc_patterns *patterns);
/* Whether it is one name, of which there can be no more. */
bool fc_patterns_is_name(const struct fc_pattern *pattern);
bool fc_patterns_match(const struct fc_patterns *patterns, const char *name);

#endif
