/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connector wants to do in a cluster and may not: a finding, for a person, for each topic or
 * group, with the command that allows it; one for all of them where their names begin alike.
 */
#ifndef FC_LINK_GRANTS_CHECK_H
#define FC_LINK_GRANTS_CHECK_H

#include "core/link/grants.h"

struct fc_topic_wish {
    const char *name;
    unsigned wanted; /* FC_GRANT_*, there or not; where it is not, CREATE is wanted, too */
    unsigned wanted_there; /* besides, where it is there */
    uint32_t partitions;   /* where it has fewer, ALTER is wanted; 0: as many as it has */
    size_t prefix_len;     /* bytes that its name shares with all that are like it; 0: none */
};

struct fc_grants_listener {
    /* fix may be NULL; the texts are borrowed for the call. */
    void (*on_missing)(void *ctx, const char *detail, const char *fix);
    /* Whether a topic could be created; asked for one of those that are not there, as the right
     * to create may be one on the cluster. NULL: none is created. */
    fc_code (*may_create)(void *ctx, const struct fc_topic_wish *wish, struct fc_error *err);
    const char *create_fix; /* when it cannot be for another reason than a grant */
    void *ctx;
};

/* settings: what grants was opened with. out_missing: how many lack something. Errors: of
 * fc_grants_topics. */
FC_MUST_CHECK fc_code fc_grants_check_topics(struct fc_grants *grants,
                                             const struct fc_link_settings *settings,
                                             const struct fc_topic_wish *wishes, size_t count,
                                             const struct fc_grants_listener *listener,
                                             size_t *out_missing, struct fc_error *err);

/* Errors: of fc_grants_group. */
FC_MUST_CHECK fc_code fc_grants_check_groups(struct fc_grants *grants,
                                             const struct fc_link_settings *settings,
                                             const char *const *groups, size_t count,
                                             unsigned wanted,
                                             const struct fc_grants_listener *listener,
                                             size_t *out_missing, struct fc_error *err);

#endif
