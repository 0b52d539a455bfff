/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/kafka/check.h"

#include <inttypes.h>

#include "connectors/kafka/client.h"
#include "core/cluster/cluster.h"

struct checking {
    struct fc_kafka_client client;
    rd_kafka_t *handle;
    uint32_t topics;
    uint32_t partitions;
    fc_message_check *on_result;
    void *ctx;
};

static fc_code on_topic(void *ctx, const char *name, uint32_t partitions, struct fc_error *err)
{
    struct checking *checking = ctx;
    (void)err;
    if (fc_kafka_client_wants(&checking->client, name)) {
        checking->topics++;
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
        checking->on_result(checking->ctx, FC_CHECK_FAIL, "brokers", err->message,
                            "look at bootstrap.servers and properties, and at the brokers");
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
    if (checking->handle != NULL) {
        rd_kafka_destroy(checking->handle);
    }
    fc_kafka_client_release(&checking->client);
}

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
                       checking.topics, checking.partitions);
        on_result(ctx, checking.topics == 0 ? FC_CHECK_WARN : FC_CHECK_OK, "topics", detail,
                  checking.topics == 0 ? "look at topics and exclude, if some should be there"
                                       : NULL);
    }
    release(&checking);
    return code == FC_ERR_TIMEOUT ? FC_OK : code; /* it was told */
}

fc_code fc_kafka_check_sink(const struct fc_host *host, fc_message_check *on_result, void *ctx,
                            struct fc_error *err)
{
    struct checking checking = { .on_result = on_result, .ctx = ctx };
    fc_code code = reach(&checking, host, err);
    release(&checking);
    if (code == FC_OK) {
        on_result(ctx, FC_CHECK_OK, "delivery",
                  host->exactly_once ? "exactly once, by transactions at the target"
                                     : "at least once: a crash may repeat records",
                  NULL);
    }
    return code == FC_ERR_TIMEOUT ? FC_OK : code; /* it was told */
}
