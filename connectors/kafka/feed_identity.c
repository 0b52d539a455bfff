/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a topic is still the one that it was. A topic that is deleted and made again has the
 * same name and, soon, the same offsets; only its id is another. So records are written only
 * once the ids, asked for after they were read, are those of the topics that they were read as.
 *
 * A cluster may not tell ids (before Kafka 2.8), or our own connection may not know how to log in
 * (Kerberos, OAUTHBEARER): then a topic that was made anew is found out only while it is shorter.
 */
#include <stdlib.h>

#include "connectors/kafka/feed_state.h"
#include "core/base/alloc.h"

struct fc_feed_topic *fc_feed_topic_of(struct fc_feed *feed, const char *topic)
{
    struct fc_feed_topic *known = fc_hashmap_get(&feed->known, fc_slice_text(topic));
    if (known == NULL) {
        known = fc_new(struct fc_feed_topic);
        known->name = fc_strdup(topic);
        (void)fc_hashmap_put(&feed->known, fc_slice_text(topic), known);
    }
    return known;
}

void fc_feed_topic_free(void *topic)
{
    struct fc_feed_topic *known = topic;
    free(known->name);
    free(known);
}

const char *fc_feed_identity(struct fc_feed *feed, const char *topic)
{
    const struct fc_feed_topic *known = fc_hashmap_get(&feed->known, fc_slice_text(topic));
    return known == NULL || known->id[0] == '\0' ? NULL : known->id;
}

static void on_id(void *ctx, const char *name, const char *id)
{
    struct fc_feed *feed = ctx;
    struct fc_feed_topic *known = fc_feed_topic_of(feed, name);
    (void)snprintf(known->id, sizeof(known->id), "%s", id);
}

/* Once they were there, that they cannot be had is a passing failure. */
static fc_code fail(struct fc_feed *feed, struct fc_error *err)
{
    if (feed->knows_ids) {
        err->retriable = true;
        return fc_wrap(err, "ask which topics these are");
    }
    if (strcmp(feed->why_no_ids, err->message) != 0) {
        memcpy(feed->why_no_ids, err->message, sizeof(feed->why_no_ids));
        fc_kafka_client_tell(&feed->client, 2,
                             "a topic that is made anew is told from the old one only while it "
                             "is shorter: %s",
                             err->message);
    }
    return FC_OK;
}

fc_code fc_feed_identify(struct fc_feed *feed, const char *const *names, size_t count,
                         struct fc_error *err)
{
    fc_code code = fc_topic_ids_ask(feed->ids, names, count, on_id, feed, err);
    if (code != FC_OK) {
        return fail(feed, err);
    }
    feed->knows_ids = feed->knows_ids || count > 0;
    return FC_OK;
}

/* --- are they the same -------------------------------------------------------------------- */

struct comparing {
    struct fc_feed *feed;
    const char *changed; /* NULL: none */
};

static void on_id_again(void *ctx, const char *name, const char *id)
{
    struct comparing *comparing = ctx;
    const struct fc_feed_topic *known =
        fc_hashmap_get(&comparing->feed->known, fc_slice_text(name));
    if (known != NULL && strcmp(known->id, id) != 0) {
        comparing->changed = known->name;
    }
}

fc_code fc_feed_verify(struct fc_feed *feed, const char **out_topic, struct fc_error *err)
{
    struct comparing comparing = { .feed = feed };
    const char **names = fc_new_array(const char *, feed->known.count + 1);
    struct fc_slice key;
    void *value = NULL;
    size_t cursor = 0;
    size_t count = 0;
    fc_code code;
    while (fc_hashmap_next(&feed->known, &cursor, &key, &value)) {
        const struct fc_feed_topic *known = value;
        if (known->id[0] != '\0') {
            names[count++] = known->name;
        }
    }
    code = fc_topic_ids_ask(feed->ids, names, count, on_id_again, &comparing, err);
    free(names);
    if (code != FC_OK) {
        return fail(feed, err);
    }
    *out_topic = comparing.changed;
    return FC_OK;
}
