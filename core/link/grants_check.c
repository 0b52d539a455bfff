/* SPDX-License-Identifier: Apache-2.0 */
#include "core/link/grants_check.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

enum { TOLD_MAX = 3 /* of one kind, each by itself */ };

struct checking {
    const struct fc_link_settings *settings;
    const struct fc_topic_wish *wishes;
    const struct fc_topic_grants *topics; /* of the same numbers */
    size_t count;
    const struct fc_grants_listener *listener;
    unsigned *missing;
};

static void tell(const struct fc_grants_listener *listener, const char *detail, const char *fix)
{
    listener->on_missing(listener->ctx, detail, fix);
}

static void tell_one(const struct fc_grants_listener *listener,
                     const struct fc_link_settings *settings, bool is_topic, const char *name,
                     unsigned missing)
{
    char detail[FC_GRANTS_TEXT_SIZE];
    char fix[FC_GRANTS_TEXT_SIZE];
    tell(listener,
         fc_grants_missing(settings, is_topic ? "the topic" : "the group", name, missing,
                           detail),
         fc_grants_command(settings, is_topic ? "--topic" : "--group", name, missing, fix));
}

static void tell_more(const struct fc_grants_listener *listener, size_t more, const char *kind)
{
    char detail[FC_GRANTS_TEXT_SIZE];
    if (more > 0) {
        (void)snprintf(detail, sizeof(detail), "nor on %zu more %s%s", more, kind,
                       more == 1 ? "" : "s");
        tell(listener, detail, NULL);
    }
}

/* --- topics ------------------------------------------------------------------------------- */

static unsigned missing_of(const struct fc_topic_wish *wish,
                           const struct fc_topic_grants *topic, bool creates)
{
    unsigned wanted = wish->wanted;
    if (!topic->told) {
        return 0;
    }
    if ((topic->operations & FC_GRANT_DESCRIBE) == 0) {
        wanted |= creates ? FC_GRANT_CREATE : 0; /* it is not known whether it is there */
    } else if (topic->there) {
        wanted |= wish->wanted_there;
        wanted |= wish->partitions > topic->partitions ? FC_GRANT_ALTER : 0;
    }
    return wanted & ~topic->operations;
}

static bool is_new(const struct fc_topic_grants *topic)
{
    return !topic->there && (!topic->told || (topic->operations & FC_GRANT_DESCRIBE) != 0);
}

static bool may_not_create(const struct fc_topic_grants *topic)
{
    return topic->told && (topic->operations & FC_GRANT_CREATE) == 0;
}

/* One that is not there speaks for all: if there is one, one that may not be created by a right on
 * the topic itself. False, and told, when it is no right that it lacks. */
static bool check_creation(const struct checking *checking)
{
    const struct fc_grants_listener *listener = checking->listener;
    struct fc_error error = { 0 };
    char detail[FC_GRANTS_TEXT_SIZE];
    size_t which = checking->count;
    for (size_t index = 0; index < checking->count; index++) {
        const struct fc_topic_grants *topic = &checking->topics[index];
        if (is_new(topic) &&
            (which == checking->count ||
             (may_not_create(topic) && !may_not_create(&checking->topics[which])))) {
            which = index;
        }
    }
    if (which == checking->count || listener->may_create == NULL ||
        listener->may_create(listener->ctx, &checking->wishes[which], &error) == FC_OK) {
        return true;
    }
    if (!may_not_create(&checking->topics[which])) {
        (void)snprintf(detail, sizeof(detail), "%.200s cannot be created: %.250s",
                       checking->wishes[which].name, error.message);
        tell(listener, detail, listener->create_fix);
        return false;
    }
    for (size_t index = 0; index < checking->count; index++) {
        if (is_new(&checking->topics[index]) && may_not_create(&checking->topics[index])) {
            checking->missing[index] |= FC_GRANT_CREATE;
        }
    }
    return true;
}

static bool is_like(const struct fc_topic_wish *wish, const struct fc_topic_wish *other)
{
    return wish->prefix_len == other->prefix_len &&
           memcmp(wish->name, other->name, wish->prefix_len) == 0;
}

/* All that are like this one at once. They are told then: nothing of them is missing any more. */
static void tell_prefix(const struct checking *checking, size_t first)
{
    const struct fc_topic_wish *wish = &checking->wishes[first];
    char *prefix = fc_strndup(wish->name, wish->prefix_len);
    char *name = fc_asprintf("%s*", prefix);
    char kind[FC_GRANTS_TEXT_SIZE];
    char detail[FC_GRANTS_TEXT_SIZE];
    char fix[FC_GRANTS_TEXT_SIZE];
    unsigned missing = 0;
    size_t count = 0;
    for (size_t index = first; index < checking->count; index++) {
        if (checking->missing[index] != 0 && is_like(wish, &checking->wishes[index])) {
            missing |= checking->missing[index];
            checking->missing[index] = 0;
            count++;
        }
    }
    (void)snprintf(kind, sizeof(kind), "%zu topics", count);
    if (count == 1) {
        tell_one(checking->listener, checking->settings, true, wish->name, missing);
    } else {
        tell(checking->listener,
             fc_grants_missing(checking->settings, kind, name, missing, detail),
             fc_grants_prefix_command(checking->settings, "--topic", prefix, missing, fix));
    }
    free(name);
    free(prefix);
}

static void tell_topics(const struct checking *checking, size_t missing)
{
    size_t told = 0;
    size_t more = 0;
    for (size_t index = 0; index < checking->count; index++) {
        const struct fc_topic_wish *wish = &checking->wishes[index];
        if (checking->missing[index] == 0) {
            continue;
        }
        if (missing > TOLD_MAX && wish->prefix_len > 0) {
            tell_prefix(checking, index);
        } else if (told++ < TOLD_MAX) {
            tell_one(checking->listener, checking->settings, true, wish->name,
                     checking->missing[index]);
        } else {
            more++;
        }
    }
    tell_more(checking->listener, more, "topic");
}

fc_code fc_grants_check_topics(struct fc_grants *grants,
                               const struct fc_link_settings *settings,
                               const struct fc_topic_wish *wishes, size_t count,
                               const struct fc_grants_listener *listener, size_t *out_missing,
                               struct fc_error *err)
{
    struct fc_topic_grants *topics = fc_new_array(struct fc_topic_grants, count + 1);
    unsigned *missing = fc_new_array(unsigned, count + 1);
    const struct checking checking = { settings, wishes, topics, count, listener, missing };
    size_t lacking = 0;
    fc_code code;
    *out_missing = 0;
    for (size_t index = 0; index < count; index++) {
        topics[index].name = wishes[index].name;
    }
    code = fc_grants_topics(grants, topics, count, err);
    if (code == FC_OK) {
        for (size_t index = 0; index < count; index++) {
            missing[index] =
                missing_of(&wishes[index], &topics[index], listener->may_create != NULL);
        }
        if (!check_creation(&checking)) {
            (*out_missing)++;
        }
        for (size_t index = 0; index < count; index++) {
            lacking += missing[index] != 0 ? 1 : 0;
        }
        tell_topics(&checking, lacking);
        *out_missing += lacking;
    }
    free(missing);
    free(topics);
    return code;
}

/* --- groups ------------------------------------------------------------------------------- */

fc_code fc_grants_check_groups(struct fc_grants *grants,
                               const struct fc_link_settings *settings,
                               const char *const *groups, size_t count, unsigned wanted,
                               const struct fc_grants_listener *listener, size_t *out_missing,
                               struct fc_error *err)
{
    size_t lacking = 0;
    for (size_t index = 0; index < count; index++) {
        unsigned missing = 0;
        fc_code code = fc_grants_group(grants, groups[index], wanted, &missing, err);
        if (code != FC_OK) {
            return code;
        }
        if (missing != 0 && lacking++ < TOLD_MAX) {
            tell_one(listener, settings, false, groups[index], missing);
        }
    }
    tell_more(listener, lacking > TOLD_MAX ? lacking - TOLD_MAX : 0, "group");
    *out_missing = lacking;
    return FC_OK;
}
