/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/kafka/check.h"

#include <inttypes.h>
#include <stdlib.h>

#include "connectors/kafka/client.h"
#include "connectors/kafka/sink_names.h"
#include "core/base/alloc.h"
#include "core/cluster/cluster.h"
#include "core/link/grants.h"
#include "core/link/link_scram.h"

enum { ASK_MS = 10000, REFUSED_TOLD_MAX = 3 };

struct checking {
    struct fc_kafka_client client;
    rd_kafka_t *handle;
    struct fc_topic_grants *topics; /* that are copied; named by the heap */
    uint32_t topic_count;
    uint32_t partitions;
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
            (struct fc_topic_grants){ .name = fc_strdup(name) };
        checking->partitions += partitions;
    }
    return FC_OK;
}

static fc_code reach(struct checking *checking, const struct fc_host *host,
                     struct fc_error *err)
{
    static const char *const ours[] = { NULL };
    char detail[FC_KAFKA_TEXT_SIZE];
    uint32_t brokers = 0;
    fc_code code = fc_kafka_client_init(&checking->client, host, err);
    code = code == FC_OK ? fc_kafka_client_handle(&checking->client, RD_KAFKA_PRODUCER, ours,
                                                  NULL, &checking->handle, err)
                         : code;
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
    free(checking->topics);
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
    char who[FC_GRANTS_TEXT_SIZE];
    char names[FC_GRANTS_TEXT_SIZE];
    char fix[FC_GRANTS_TEXT_SIZE];
    char detail[2 * FC_KAFKA_TEXT_SIZE];
    (void)snprintf(detail, sizeof(detail), "%.150s may not %.80s on %s %.250s",
                   fc_grants_principal(&link, who), fc_grants_names(missing, names), kind,
                   name);
    checking->on_result(checking->ctx, FC_CHECK_FAIL, "grants", detail,
                        fc_grants_command(&link, flag, name, missing, fix));
}

static void tell_not_checked(const struct checking *checking, const struct fc_error *why)
{
    char detail[2 * FC_KAFKA_TEXT_SIZE];
    (void)snprintf(detail, sizeof(detail), "not checked: %s", why->message);
    checking->on_result(checking->ctx, FC_CHECK_WARN, "grants", detail, NULL);
}

/* Whether each topic that is copied may be read. */
static void check_reading(struct checking *checking)
{
    const struct fc_link_settings link = fc_kafka_client_link(&checking->client);
    struct fc_grants *grants = NULL;
    struct fc_error error = { 0 };
    uint32_t refused = 0;
    fc_code code = fc_grants_open(&link, ASK_MS, &grants, &error);
    code = code == FC_OK
               ? fc_grants_topics(grants, checking->topics, checking->topic_count, &error)
               : code;
    fc_grants_close(grants);
    if (code != FC_OK) {
        tell_not_checked(checking, &error);
        return;
    }
    for (uint32_t index = 0; index < checking->topic_count; index++) {
        const struct fc_topic_grants *topic = &checking->topics[index];
        if (topic->told && (topic->operations & FC_GRANT_READ) == 0 &&
            refused++ < REFUSED_TOLD_MAX) {
            tell_missing(checking, "--topic", "the topic", topic->name, FC_GRANT_READ);
        }
    }
    if (refused > REFUSED_TOLD_MAX) {
        char detail[FC_KAFKA_TEXT_SIZE];
        (void)snprintf(detail, sizeof(detail), "nor on %" PRIu32 " more topics",
                       refused - REFUSED_TOLD_MAX);
        checking->on_result(checking->ctx, FC_CHECK_FAIL, "grants", detail, NULL);
    } else if (refused == 0) {
        checking->on_result(checking->ctx, FC_CHECK_OK, "grants", "may read them", NULL);
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

/* What is needed whatever is copied; which topics that is shows only when it runs. */
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
        checking->on_result(checking->ctx, FC_CHECK_OK, "grants",
                            "may keep its positions; whether it may write to the copies shows "
                            "when it runs",
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
        code = fc_cluster_topics(checking.handle, on_topic, &checking, err);
    }
    if (code == FC_OK) {
        (void)snprintf(detail, sizeof(detail), "%" PRIu32 " topics with %" PRIu32 " partitions",
                       checking.topic_count, checking.partitions);
        on_result(
            ctx, checking.topic_count == 0 ? FC_CHECK_WARN : FC_CHECK_OK, "topics", detail,
            checking.topic_count == 0 ? "look at topics and exclude, if some should be there"
                                      : NULL);
        check_reading(&checking);
    }
    release(&checking);
    return code == FC_ERR_TIMEOUT ? FC_OK : code; /* it was told */
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
