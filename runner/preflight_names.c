/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/preflight_names.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/hashmap.h"
#include "core/link/grants_check.h"
#include "core/stream/kafka.h"
#include "runner/log_open.h"
#include "runner/topic_name.h"

enum { DETAIL_SIZE = 640, ASK_MS = 10000 };

/* A name that nobody has: what is allowed with it is allowed with those that come later. */
#define LATER "fluvio-check"

static void tell(const struct fc_preflight *preflight, fc_check_result result, const char *what,
                 const char *detail, const char *fix)
{
    preflight->on_result(preflight->ctx, result, what, detail, fix);
}

static void on_message_result(void *ctx, int result, const char *what, const char *detail,
                              const char *fix)
{
    tell(ctx, (fc_check_result)result, what, detail, fix);
}

static void on_missing(void *ctx, const char *detail, const char *fix)
{
    tell(ctx, FC_CHECK_FAIL, "grants", detail, fix);
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

/* --- topics that are called after tables or topics ----------------------------------------- */

struct names {
    const struct fc_preflight *preflight;
    struct fc_stream *stream;
    struct fc_hashmap known; /* topics, by name; no value */
    struct fc_topic_wish *wishes;
    size_t count;
    char **groups;
    size_t group_count;
    size_t found; /* tables, or topics of the other side */
};

static void add_topic(struct names *names, const char *db, const char *name,
                      uint32_t partitions)
{
    const struct fc_config *config = names->preflight->config;
    struct fc_slice of = fc_slice_text(db);
    char topic[FC_TOPIC_NAME_MAX + 1];
    struct fc_topic_wish *wish;
    (void)fc_topic_name_fill(config->topic, of, fc_slice_text(name), topic);
    if (fc_hashmap_put(&names->known, fc_slice_text(topic), names) != NULL) {
        return;
    }
    names->wishes =
        fc_realloc_array(names->wishes, names->count + 1, sizeof(struct fc_topic_wish));
    wish = &names->wishes[names->count++];
    *wish = (struct fc_topic_wish){
        .name = fc_strdup(topic),
        .wanted = FC_GRANT_DESCRIBE | FC_GRANT_READ | FC_GRANT_WRITE,
        .partitions = names->preflight->copies ? partitions : 0,
        .prefix_len = fc_topic_name_prefix(config->topic, of),
    };
    if (!names->preflight->copies && config->topic_config.given != 0) { /* which a run sets */
        wish->wanted_there = FC_GRANT_DESCRIBE_CONFIGS | FC_GRANT_ALTER_CONFIGS;
    }
}

static void on_found(void *ctx, const struct fc_found *found)
{
    struct names *names = ctx;
    if (found->kind == FC_FOUND_GROUP) {
        names->groups = fc_realloc_array(names->groups, names->group_count + 1, sizeof(char *));
        names->groups[names->group_count++] = fc_strdup(found->name);
    } else {
        names->found++;
        add_topic(names, found->db, found->name, found->partitions);
    }
}

static fc_code may_create(void *ctx, const struct fc_topic_wish *wish, struct fc_error *err)
{
    const struct names *names = ctx;
    struct fc_topic_config config = names->preflight->config->topic_config;
    if (wish->partitions > 0) {
        config.partitions = wish->partitions;
    }
    return fc_kafka_may_create(names->stream, wish->name, &config, err);
}

static void on_name_missing(void *ctx, const char *detail, const char *fix)
{
    const struct names *names = ctx;
    tell(names->preflight, FC_CHECK_FAIL, "grants", detail, fix);
}

/* Of those that are not there yet. */
static fc_code ask_later(const struct names *names, struct fc_grants *grants, bool *out_may,
                         struct fc_error *err)
{
    const unsigned wanted =
        FC_GRANT_DESCRIBE | FC_GRANT_READ | FC_GRANT_WRITE | FC_GRANT_CREATE;
    const char *template = names->preflight->config->topic;
    struct fc_slice later = fc_slice_text(LATER);
    char topic[FC_TOPIC_NAME_MAX + 1];
    struct fc_topic_grants one = { .name = topic };
    unsigned missing;
    fc_code code;
    (void)fc_topic_name_fill(template, later, later, topic);
    code = fc_grants_topics(grants, &one, 1, err);
    missing = wanted & ~one.operations;
    if (code == FC_OK && one.told && missing == FC_GRANT_CREATE) { /* or on the cluster */
        const struct fc_topic_wish wish = { .name = topic };
        struct fc_error why = { 0 };
        missing = may_create(fc_unconst(names), &wish, &why) == FC_OK ? 0 : missing;
    }
    *out_may = !one.told || missing == 0;
    return code;
}

static void tell_allowed(const struct names *names, bool later)
{
    const struct fc_config *config = names->preflight->config;
    const char *of = names->preflight->copies ? "topic" : "table";
    char groups[DETAIL_SIZE] = "";
    char detail[DETAIL_SIZE];
    if (names->group_count > 0) {
        (void)snprintf(groups, sizeof(groups), ", and commit for %zu group%s",
                       names->group_count, plural(names->group_count));
    }
    (void)snprintf(detail, sizeof(detail), "may write to %.250s for %zu %s%s%s%s%s",
                   config->topic, names->found, of, plural(names->found), groups,
                   later ? "" : "; not for those that come later, which need grants of their ",
                   later ? "" : "own");
    tell(names->preflight, FC_CHECK_OK, "grants", detail, NULL);
}

static void check_grants(struct names *names)
{
    const struct fc_preflight *preflight = names->preflight;
    const struct fc_link_settings link = fc_log_link(preflight->config);
    const struct fc_grants_listener listener = {
        on_name_missing, may_create, "look at log.kafka.replication-factor, or create it first",
        names
    };
    struct fc_grants *grants = NULL;
    struct fc_error error = { 0 };
    char detail[DETAIL_SIZE];
    size_t missing = 0;
    size_t missing_groups = 0;
    bool later = true;
    fc_code code = fc_grants_open(&link, ASK_MS, &grants, &error);
    code = code == FC_OK ? fc_grants_check_topics(grants, &link, names->wishes, names->count,
                                                  &listener, &missing, &error)
                         : code;
    code = code == FC_OK
               ? fc_grants_check_groups(grants, &link, (const char *const *)names->groups,
                                        names->group_count, FC_GRANT_READ | FC_GRANT_DESCRIBE,
                                        &listener, &missing_groups, &error)
               : code;
    code = code == FC_OK ? ask_later(names, grants, &later, &error) : code;
    fc_grants_close(grants);
    if (code != FC_OK) {
        (void)snprintf(detail, sizeof(detail), "not checked for %.250s: %.300s",
                       preflight->config->topic, error.message);
        tell(preflight, FC_CHECK_WARN, "grants", detail, NULL);
    } else if (missing + missing_groups == 0) {
        tell_allowed(names, later);
    }
}

void fc_preflight_names(const struct fc_preflight *preflight, struct fc_stream *stream)
{
    const struct fc_connector *connector = preflight->connector;
    struct names names = { .preflight = preflight, .stream = stream };
    struct fc_error error = { 0 };
    char detail[DETAIL_SIZE];
    fc_code (*look)(const struct fc_host *host,
                    void (*on_found)(void *ctx, const struct fc_found *found), void *ctx,
                    struct fc_error *err) =
        preflight->copies ? connector->feed->look
                          : (connector->source == NULL ? NULL : connector->source->look);
    fc_code code = FC_OK;
    fc_hashmap_init(&names.known);
    if (look != NULL) {
        code = look(preflight->host, on_found, &names, &error);
    }
    if (look != NULL && code == FC_OK) {
        check_grants(&names);
    } else {
        (void)snprintf(
            detail, sizeof(detail), "not checked for %.250s: %.300s", preflight->config->topic,
            look == NULL ? "this connector does not say what it would find" : error.message);
        tell(preflight, FC_CHECK_WARN, "grants", detail, NULL);
    }
    for (size_t index = 0; index < names.count; index++) {
        free(fc_unconst(names.wishes[index].name)); /* made by add_topic */
    }
    for (size_t index = 0; index < names.group_count; index++) {
        free(names.groups[index]);
    }
    free(names.wishes);
    free(names.groups);
    fc_hashmap_release(&names.known, NULL);
}

/* --- what a sink would copy ---------------------------------------------------------------- */

struct listing {
    const struct fc_config *config;
    struct fc_copies copies;
};

static void add_copied(struct fc_copied **list, uint32_t *count, const struct fc_copied *one)
{
    *list = fc_realloc_array(*list, *count + 1, sizeof(struct fc_copied));
    (*list)[(*count)++] = *one;
}

static fc_code on_topic(void *ctx, const char *name, uint32_t partitions, struct fc_error *err)
{
    struct listing *listing = ctx;
    struct fc_slice none = fc_slice_text("");
    char copy[FC_TOPIC_NAME_MAX + 1];
    (void)err;
    (void)fc_topic_name_fill(listing->config->topic, none, fc_slice_text(name), copy);
    add_copied(
        &listing->copies.topics, &listing->copies.topic_count,
        &(struct fc_copied){ .name = fc_strdup(name),
                             .copy = fc_strdup(copy),
                             .prefix_len = fc_topic_name_prefix(listing->config->topic, none),
                             .partitions = partitions });
    return FC_OK;
}

static void on_group(void *ctx, const char *group)
{
    struct listing *listing = ctx;
    add_copied(&listing->copies.groups, &listing->copies.group_count,
               &(struct fc_copied){ .name = fc_strdup(group), .copy = fc_strdup(group) });
}

static void release(struct fc_copied *list, uint32_t count)
{
    for (uint32_t index = 0; index < count; index++) {
        free(fc_unconst(list[index].name)); /* both made above */
        free(fc_unconst(list[index].copy));
    }
    free(list);
}

/* Whether what is wanted of the log may be read, where it is a cluster. */
static fc_code check_reading(const struct fc_preflight *preflight,
                             const struct fc_copies *copies, size_t *out_missing,
                             struct fc_error *err)
{
    const struct fc_link_settings link = fc_log_link(preflight->config);
    const struct fc_grants_listener listener = { on_missing, NULL, NULL,
                                                 fc_unconst(preflight) };
    struct fc_topic_wish *wishes = fc_new_array(struct fc_topic_wish, copies->topic_count + 1);
    const char **groups = fc_new_array(const char *, copies->group_count + 1);
    struct fc_grants *grants = NULL;
    size_t topic_count = 0;
    size_t group_count = 0;
    size_t missing_groups = 0;
    fc_code code = fc_grants_open(&link, ASK_MS, &grants, err);
    for (uint32_t index = 0; index < copies->topic_count; index++) {
        if (copies->topics[index].wanted) {
            wishes[topic_count++] =
                (struct fc_topic_wish){ .name = copies->topics[index].name,
                                        .wanted = FC_GRANT_DESCRIBE | FC_GRANT_READ };
        }
    }
    for (uint32_t index = 0; index < copies->group_count; index++) {
        if (copies->groups[index].wanted) {
            groups[group_count++] = copies->groups[index].name;
        }
    }
    code = code == FC_OK ? fc_grants_check_topics(grants, &link, wishes, topic_count, &listener,
                                                  out_missing, err)
                         : code;
    code = code == FC_OK
               ? fc_grants_check_groups(grants, &link, groups, group_count, FC_GRANT_DESCRIBE,
                                        &listener, &missing_groups, err)
               : code;
    *out_missing += missing_groups;
    fc_grants_close(grants);
    free(wishes);
    free(groups);
    return code;
}

void fc_preflight_copies(const struct fc_preflight *preflight)
{
    const struct fc_sink_ops *ops = preflight->connector->sink;
    struct listing listing = { .config = preflight->config };
    struct fc_stream *stream = NULL;
    struct fc_error error = { 0 };
    char detail[DETAIL_SIZE];
    size_t missing = 0;
    fc_code code;
    if (ops->check_copies == NULL ||
        fc_log_open_reader(preflight->config, preflight->clock, &stream, &error) != FC_OK) {
        return; /* the latter was told */
    }
    code = fc_stream_names(stream, on_topic, &listing, &error);
    code = code == FC_OK ? fc_stream_groups(stream, on_group, &listing, &error) : code;
    fc_stream_close(stream);
    if (code == FC_OK) {
        code = ops->check_copies(preflight->host, &listing.copies, on_message_result,
                                 fc_unconst(preflight), &error);
    }
    if (code != FC_OK) {
        tell(preflight, FC_CHECK_FAIL, "log", error.message, NULL);
    } else if (preflight->config->kafka != NULL) {
        code = check_reading(preflight, &listing.copies, &missing, &error);
        (void)snprintf(detail, sizeof(detail), "not checked for the log: %s", error.message);
        if (code != FC_OK) {
            tell(preflight, FC_CHECK_WARN, "grants", detail, NULL);
        } else if (missing == 0) {
            tell(preflight, FC_CHECK_OK, "grants", "may read the log", NULL);
        }
    }
    release(listing.copies.topics, listing.copies.topic_count);
    release(listing.copies.groups, listing.copies.group_count);
}
