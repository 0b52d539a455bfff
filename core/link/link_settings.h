/* SPDX-License-Identifier: Apache-2.0 */
/* How a connection is made: properties by librdkafka's names, wherever they are kept. */
#ifndef FC_LINK_SETTINGS_H
#define FC_LINK_SETTINGS_H

/* All is borrowed from whoever made it. */
struct fc_link_settings {
    const char *(*get)(const void *ctx, const char *name); /* NULL when it is not set */
    const void *ctx;
    const char *where; /* which cluster, for messages */
};

/* What a server that hangs up at once may mean. */
#define FC_LINK_PROTOCOL_HINT                                                                  \
    "check security.protocol of the profile: has this port TLS, does it ask for a log-in?"

static inline const char *fc_link_get(const struct fc_link_settings *settings, const char *name)
{
    return settings->get(settings->ctx, name);
}

#endif
