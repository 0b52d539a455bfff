/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/kafka/check.h"

#include <inttypes.h>
#include <stdlib.h>

#include "connectors/kafka/client.h"
#include "connectors/kafka/sink_names.h"
#include "core/base/alloc.h"
#include "core/cluster/cluster.h"
#include "core/link/grants_check.h"
#include "core/link/link_scram.h"

enum { ASK_MS = 10000 };

struct checking {
    struct fc_kafka_client client;
    rd_kafka_t *handle;
    struct fc_found *topics; /* that are copied; named by the heap */
    uint32_t topic_count;
    uint32_t partitions;
    char **groups; /* whose offsets go along */
    uint32_t group_count;
    fc_message_check *on_result;
    void *ctx;
};

static fc_code on_topic(void *ctx, const char *name, uint32_t partitions, struct fc_error *err)
{
    struct checking *checking = ctx;
    (void)err;
    if (fc_kafka_client_wants(&checking->client, name)) {
        checking->topics = fc_realloc_array(checking->topics, checking->topic_count + 1,
                                            sizeof(*checking->topics));
        checking->topics[checking->topic_count++] =
            (struct fc_found){ FC_FOUND_TOPIC, "", fc_strdup(name), partitions };
        checking->partitions += partitions;
    }
    return FC_OK;
}

static void on_group(void *ctx, const char *group)
{
    struct checking *checking = ctx;
    if (fc_patterns_match(&checking->client.groups, group)) {
        checking->groups = fc_realloc_array(checking->groups, checking->group_count + 1,
                                            sizeof(*checking->groups));
        checking->groups[checking->group_count++] = fc_strdup(group);
    }
}

/* What is to be copied. */
static fc_code list(struct checking *checking, struct fc_error *err)
{
    fc_code code = fc_cluster_topics(checking->handle, on_topic, checking, err);
    return code == FC_OK && checking->client.groups.count > 0
               ? fc_cluster_groups(checking->handle, on_group, checking, err)
               : code;
}

static fc_code open_handle(struct checking *checking, const struct fc_host *host,
                           struct fc_error *err)
{
    static const char *const ours[] = { NULL };
    fc_code code = fc_kafka_client_init(&checking->client, host, err);
    return code == FC_OK ? fc_kafka_client_handle(&checking->client, RD_KAFKA_PRODUCER, ours,
                                                  NULL, &checking->handle, err)
                         : code;
}

static fc_code reach(struct checking *checking, const struct fc_host *host,
                     struct fc_error *err)
{
    char detail[FC_KAFKA_TEXT_SIZE];
    uint32_t brokers = 0;
    fc_code code = open_handle(checking, host, err);
    if (code == FC_OK &&
        fc_kafka_client_reach(&checking->client, checking->handle, &brokers, err) != FC_OK) {
        checking->on_result(
            checking->ctx, FC_CHECK_FAIL, "brokers", err->message,
            fc_link_scram_is_old(rd_kafka_version(), err->message)
                ? "look at user and password; " FC_LINK_SCRAM_OLD ": use PLAIN over TLS there"
                : "look at bootstrap.servers and properties, and at the brokers");
        return FC_ERR_TIMEOUT;
    }
    if (code == FC_OK) {
        (void)snprintf(detail, sizeof(detail), "%" PRIu32 " at %s", brokers,
                       host->option_text(host, "bootstrap.servers"));
        checking->on_result(checking->ctx, FC_CHECK_OK, "brokers", detail, NULL);
    }
    return code;
}

static void release(struct checking *checking)
{
    for (uint32_t index = 0; index < checking->topic_count; index++) {
        free(fc_unconst(checking->topics[index].name)); /* made by on_topic */
    }
    for (uint32_t index = 0; index < checking->group_count; index++) {
        free(checking->groups[index]);
    }
    free(checking->topics);
    free(checking->groups);
    if (checking->handle != NULL) {
        rd_kafka_destroy(checking->handle);
    }
    fc_kafka_client_release(&checking->client);
}

/* --- what the user may do ----------------------------------------------------------------- */

static void tell_missing(const struct checking *checking, const char *flag, const char *kind,
                         const char *name, unsigned missing)
{
    const struct fc_link_settings link = fc_kafka_client_link(&checking->client);
    char detail[FC_GRANTS_TEXT_SIZE];
    char fix[FC_GRANTS_TEXT_SIZE];
    checking->on_result(checking->ctx, FC_CHECK_FAIL, "grants",
                        fc_grants_missing(&link, kind, name, missing, detail),
                        fc_grants_command(&link, flag, name, missing, fix));
}

static void on_missing(void *ctx, const char *detail, const char *fix)
{
    const struct checking *checking = ctx;
    checking->on_result(checking->ctx, FC_CHECK_FAIL, "grants", detail, fix);
}

static void tell_not_checked(const struct checking *checking, const struct fc_error *why)
{
    char detail[2 * FC_KAFKA_TEXT_SIZE];
    (void)snprintf(detail, sizeof(detail), "not checked: %s", why->message);
    checking->on_result(checking->ctx, FC_CHECK_WARN, "grants", detail, NULL);
}

/* Call on_name for those that the options name but the cluster does not show: they are not there,
 * or not to be described. */
static void find_unseen(struct checking *checking, const struct fc_patterns *patterns,
                        bool (*is_seen)(const struct checking *checking, const char *name),
                        void (*on_name)(void *ctx, const char *name))
{
    for (uint32_t index = 0; index < patterns->count; index++) {
        const char *name = patterns->items[index].text;
        if (fc_patterns_is_name(&patterns->items[index]) && !is_seen(checking, name)) {
            on_name(checking, name);
        }
    }
}

static bool is_seen_group(const struct checking *checking, const char *name)
{
    bool seen = false;
    for (uint32_t index = 0; index < checking->group_count; index++) {
        seen = seen || strcmp(checking->groups[index], name) == 0;
    }
    return seen;
}

static bool is_seen_topic(const struct checking *checking, const char *name)
{
    bool seen = false;
    for (uint32_t index = 0; index < checking->topic_count; index++) {
        seen = seen || strcmp(checking->topics[index].name, name) == 0;
    }
    return seen;
}

static void on_unseen_topic(void *ctx, const char *name)
{
    struct fc_error ignored;
    (void)on_topic(ctx, name, 0, &ignored); /* cannot fail */
}

static void tell_readable(const struct checking *checking)
{
    const struct fc_patterns *patterns = &checking->client.groups;
    char detail[FC_KAFKA_TEXT_SIZE];
    bool open = false;
    for (uint32_t index = 0; index < patterns->count; index++) {
        open = open || !fc_patterns_is_name(&patterns->items[index]);
    }
    if (patterns->count == 0) {
        (void)snprintf(detail, sizeof(detail), "may read them");
    } else {
        (void)snprintf(
            detail, sizeof(detail), "may read them, and the offsets of %" PRIu32 " group%s%s",
            checking->group_count, checking->group_count == 1 ? "" : "s",
            open ? "; of groups that match, but may not be described, nothing shows" : "");
    }
    checking->on_result(checking->ctx, FC_CHECK_OK, "grants", detail, NULL);
}

/* Whether each topic that is copied may be read, and the offsets of each group. */
static void check_reading(struct checking *checking)
{
    const struct fc_link_settings link = fc_kafka_client_link(&checking->client);
    const struct fc_grants_listener listener = { on_missing, NULL, NULL, checking };
    struct fc_topic_wish *wishes =
        fc_new_array(struct fc_topic_wish, (size_t)checking->topic_count + 1);
    struct fc_grants *grants = NULL;
    struct fc_error error = { 0 };
    size_t missing = 0;
    size_t missing_groups = 0;
    fc_code code = fc_grants_open(&link, ASK_MS, &grants, &error);
    for (uint32_t index = 0; index < checking->topic_count; index++) {
        wishes[index].name = checking->topics[index].name;
        wishes[index].wanted = FC_GRANT_DESCRIBE | FC_GRANT_READ;
    }
    code = code == FC_OK ? fc_grants_check_topics(grants, &link, wishes, checking->topic_count,
                                                  &listener, &missing, &error)
                         : code;
    code = code == FC_OK
               ? fc_grants_check_groups(grants, &link, (const char *const *)checking->groups,
                                        checking->group_count, FC_GRANT_DESCRIBE, &listener,
                                        &missing_groups, &error)
               : code;
    fc_grants_close(grants);
    free(wishes);
    if (code != FC_OK) {
        tell_not_checked(checking, &error);
    } else if (missing + missing_groups == 0) {
        tell_readable(checking);
    }
}

/* A topic of the sink's own, which it makes when it is not there; false when a run would fail. */
static bool check_own_topic(struct checking *checking, const struct fc_topic_grants *topic)
{
    const struct fc_host *host = checking->client.host;
    unsigned wanted = FC_GRANT_DESCRIBE | FC_GRANT_READ | FC_GRANT_WRITE;
    int64_t replicas = host->option_int(host, "replication-factor");
    const struct fc_cluster_topic made = { .name = topic->name,
                                           .partitions = 1,
                                           .replication_factor =
                                               replicas == 0 ? -1 : (int)replicas };
    struct fc_error error = { 0 };
    bool refused = topic->told && (topic->operations & FC_GRANT_CREATE) == 0;
    bool hidden = topic->told && (topic->operations & FC_GRANT_DESCRIBE) == 0;
    bool fine = topic->there || hidden || !topic->told ||
                fc_cluster_may_create(checking->handle, &made, &error) == FC_OK;
    if (hidden || (!fine && refused)) {
        wanted |= FC_GRANT_CREATE;
    } else if (!fine) {
        char detail[2 * FC_KAFKA_TEXT_SIZE];
        (void)snprintf(detail, sizeof(detail), "%s cannot be created: %s", topic->name,
                       error.message);
        checking->on_result(checking->ctx, FC_CHECK_FAIL, "topic", detail,
                            "look at replication-factor, or create it first");
    }
    if (topic->told && (wanted & ~topic->operations) != 0) {
        tell_missing(checking, "--topic", "the topic", topic->name,
                     wanted & ~topic->operations);
        fine = false;
    }
    return fine;
}

/* What is needed whatever is copied. */
static void check_writing(struct checking *checking)
{
    const struct fc_link_settings link = fc_kafka_client_link(&checking->client);
    const char *name = checking->client.host->connector_name(checking->client.host);
    struct fc_sink_names names;
    struct fc_topic_grants topics[2] = { { .name = names.positions },
                                         { .name = names.offsets } };
    size_t count = checking->client.groups.count > 0 ? 2 : 1;
    struct fc_grants *grants = NULL;
    struct fc_error error = { 0 };
    unsigned missing = 0;
    bool fine = true;
    fc_code code;
    fc_sink_names(name, &names);
    code = fc_grants_open(&link, ASK_MS, &grants, &error);
    code = code == FC_OK ? fc_grants_topics(grants, topics, count, &error) : code;
    code = code == FC_OK && checking->client.host->exactly_once
               ? fc_grants_transactional_id(grants, names.writer, &missing, &error)
               : code;
    fc_grants_close(grants);
    if (code != FC_OK) {
        tell_not_checked(checking, &error);
        return;
    }
    for (size_t index = 0; index < count; index++) {
        fine = check_own_topic(checking, &topics[index]) && fine;
    }
    if (missing != 0) {
        tell_missing(checking, "--transactional-id", "the transactional id", names.writer,
                     missing);
    } else if (fine) {
        checking->on_result(checking->ctx, FC_CHECK_OK, "grants", "may keep its positions",
                            NULL);
    }
}

/* --- the checks --------------------------------------------------------------------------- */

fc_code fc_kafka_check_feed(const struct fc_host *host, fc_message_check *on_result, void *ctx,
                            struct fc_error *err)
{
    struct checking checking = { .on_result = on_result, .ctx = ctx };
    char detail[FC_KAFKA_TEXT_SIZE];
    fc_code code = reach(&checking, host, err);
    if (code == FC_OK) {
        code = list(&checking, err);
    }
    if (code == FC_OK) {
        (void)snprintf(detail, sizeof(detail), "%" PRIu32 " topics with %" PRIu32 " partitions",
                       checking.topic_count, checking.partitions);
        on_result(
            ctx, checking.topic_count == 0 ? FC_CHECK_WARN : FC_CHECK_OK, "topics", detail,
            checking.topic_count == 0 ? "look at topics and exclude, if some should be there"
                                      : NULL);
        find_unseen(&checking, &checking.client.topics, is_seen_topic, on_unseen_topic);
        find_unseen(&checking, &checking.client.groups, is_seen_group, on_group);
        check_reading(&checking);
    }
    release(&checking);
    return code == FC_ERR_TIMEOUT ? FC_OK : code; /* it was told */
}

fc_code fc_kafka_look_feed(const struct fc_host *host,
                           void (*on_found)(void *ctx, const struct fc_found *found), void *ctx,
                           struct fc_error *err)
{
    struct checking checking = { .ctx = ctx };
    fc_code code = open_handle(&checking, host, err);
    code = code == FC_OK ? list(&checking, err) : code;
    for (uint32_t index = 0; code == FC_OK && index < checking.topic_count; index++) {
        on_found(ctx, &checking.topics[index]);
    }
    for (uint32_t index = 0; code == FC_OK && index < checking.group_count; index++) {
        const struct fc_found found = { FC_FOUND_GROUP, "", checking.groups[index], 0 };
        on_found(ctx, &found);
    }
    release(&checking);
    return code;
}

static fc_code check_transactions(struct checking *checking, struct fc_error *err)
{
    struct fc_cluster_finding finding;
    fc_check_result result = FC_CHECK_OK;
    fc_code code = fc_kafka_client_transactions(&checking->client, ASK_MS, &finding, err);
    if (code == FC_OK) {
        if (finding.verdict != FC_CLUSTER_CAN) {
            result = finding.verdict == FC_CLUSTER_CANNOT ? FC_CHECK_FAIL : FC_CHECK_WARN;
        }
        checking->on_result(checking->ctx, result, "transactions", finding.detail,
                            finding.fix[0] == '\0' ? NULL : finding.fix);
    }
    return code;
}

fc_code fc_kafka_check_sink(const struct fc_host *host, fc_message_check *on_result, void *ctx,
                            struct fc_error *err)
{
    struct checking checking = { .on_result = on_result, .ctx = ctx };
    fc_code code = reach(&checking, host, err);
    if (code == FC_OK && host->exactly_once) {
        code = check_transactions(&checking, err);
    }
    if (code == FC_OK) {
        check_writing(&checking);
    }
    release(&checking);
    if (code == FC_OK) {
        on_result(ctx, FC_CHECK_OK, "delivery",
                  host->exactly_once ? "exactly once, by transactions at the target"
                                     : "at least once: a crash may repeat records",
                  NULL);
    }
    return code == FC_ERR_TIMEOUT ? FC_OK : code; /* it was told */
}

/* --- the copies of a sink ----------------------------------------------------------------- */

static fc_code may_create(void *ctx, const struct fc_topic_wish *wish, struct fc_error *err)
{
    const struct checking *checking = ctx;
    const struct fc_host *host = checking->client.host;
    int64_t replicas = host->option_int(host, "replication-factor");
    const struct fc_cluster_topic made = { .name = wish->name,
                                           .partitions = wish->partitions,
                                           .replication_factor =
                                               replicas == 0 ? -1 : (int)replicas };
    return fc_cluster_may_create(checking->handle, &made, err);
}

/* Mark what is wanted, and list it. */
static void take_wanted(struct checking *checking, struct fc_copies *copies,
                        struct fc_topic_wish *wishes)
{
    for (uint32_t index = 0; index < copies->group_count; index++) {
        struct fc_copied *group = &copies->groups[index];
        uint32_t before = checking->group_count;
        on_group(checking, group->name);
        group->wanted = checking->group_count > before;
    }
    for (uint32_t index = 0; index < copies->topic_count; index++) {
        struct fc_copied *topic = &copies->topics[index];
        topic->wanted = fc_kafka_client_wants(&checking->client, topic->name);
        if (topic->wanted) {
            wishes[checking->topic_count++] = (struct fc_topic_wish){
                .name = topic->copy,
                /* who commits an offset needs READ on its topic, too */
                .wanted = FC_GRANT_DESCRIBE | FC_GRANT_WRITE |
                          (checking->client.groups.count > 0 ? FC_GRANT_READ : 0),
                .partitions = topic->partitions,
                .prefix_len = topic->prefix_len,
            };
            checking->partitions += topic->partitions;
        }
    }
}

static void tell_wanted(const struct checking *checking, uint32_t topics)
{
    char detail[FC_KAFKA_TEXT_SIZE];
    (void)snprintf(detail, sizeof(detail), "%" PRIu32 " of the log with %" PRIu32 " partitions",
                   topics, checking->partitions);
    checking->on_result(
        checking->ctx, topics == 0 ? FC_CHECK_WARN : FC_CHECK_OK, "topics", detail,
        topics == 0 ? "look at topics and exclude, if some should be there" : NULL);
}

static void check_wishes(struct checking *checking, const struct fc_topic_wish *wishes,
                         uint32_t topics)
{
    const struct fc_link_settings link = fc_kafka_client_link(&checking->client);
    const struct fc_grants_listener listener = {
        on_missing, may_create, "look at replication-factor, or create it first", checking
    };
    struct fc_grants *grants = NULL;
    struct fc_error error = { 0 };
    char detail[FC_KAFKA_TEXT_SIZE];
    size_t missing = 0;
    size_t missing_groups = 0;
    fc_code code = fc_grants_open(&link, ASK_MS, &grants, &error);
    code = code == FC_OK ? fc_grants_check_topics(grants, &link, wishes, topics, &listener,
                                                  &missing, &error)
                         : code;
    code =
        code == FC_OK
            ? fc_grants_check_groups(grants, &link, (const char *const *)checking->groups,
                                     checking->group_count, FC_GRANT_READ | FC_GRANT_DESCRIBE,
                                     &listener, &missing_groups, &error)
            : code;
    fc_grants_close(grants);
    if (code != FC_OK) {
        tell_not_checked(checking, &error);
    } else if (missing + missing_groups == 0) {
        (void)snprintf(detail, sizeof(detail), "may write to the copies");
        if (checking->client.groups.count > 0) {
            (void)snprintf(detail, sizeof(detail),
                           "may write to the copies, and commit for %" PRIu32 " group%s",
                           checking->group_count, checking->group_count == 1 ? "" : "s");
        }
        checking->on_result(checking->ctx, FC_CHECK_OK, "grants", detail, NULL);
    }
}

fc_code fc_kafka_check_copies(const struct fc_host *host, struct fc_copies *copies,
                              fc_message_check *on_result, void *ctx, struct fc_error *err)
{
    struct checking checking = { .on_result = on_result, .ctx = ctx };
    struct fc_topic_wish *wishes =
        fc_new_array(struct fc_topic_wish, (size_t)copies->topic_count + 1);
    uint32_t brokers = 0;
    uint32_t topics;
    fc_code code = open_handle(&checking, host, err);
    if (code == FC_OK) {
        take_wanted(&checking, copies, wishes);
    }
    topics = checking.topic_count;
    checking.topic_count = 0; /* none is named by the heap */
    if (code == FC_OK) {
        tell_wanted(&checking, topics);
        code = fc_kafka_client_reach(&checking.client, checking.handle, &brokers, err);
    }
    if (code == FC_OK) {
        check_wishes(&checking, wishes, topics);
    }
    release(&checking);
    free(wishes);
    return code == FC_ERR_TIMEOUT ? FC_OK : code; /* it was told by the check before */
}
