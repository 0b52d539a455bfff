/* SPDX-License-Identifier: Apache-2.0 */
/*
 * librdkafka reports trouble with connections only to a callback, and otherwise lets a request
 * time out. So the callback's last words are kept, and end the wait when no server is left to
 * try or when the server did not let us in.
 */
#include "core/cli/cluster.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "core/base/alloc.h"
#include "core/base/suggest.h"
#include "core/link/link_offsets.h"
#include "core/link/link_scram.h"

enum { SLICE_MS = 250, AWAIT_GRACE_MS = 2000, CLOSE_S = 3 };

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct fc_cluster *cluster = opaque;
    (void)rk;
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        cluster->all_down = true; /* its reason says less than the one before */
        return;
    }
    cluster->last_code = (rd_kafka_resp_err_t)code;
    (void)snprintf(cluster->last_reason, sizeof(cluster->last_reason), "%s", reason);
}

static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    const struct fc_cluster *cluster = rd_kafka_opaque(rk);
    if (cluster->verbose && level <= LOG_INFO) {
        (void)fprintf(stderr, "fluvio: librdkafka: %s: %s\n", facility, text);
    }
}

static fc_code set_property(rd_kafka_conf_t *conf, const char *name, const char *value,
                            struct fc_error *err)
{
    char reason[256] = { 0 };
    if (rd_kafka_conf_set(conf, name, value, reason, sizeof(reason)) == RD_KAFKA_CONF_OK) {
        return FC_OK;
    }
    return fc_fail(err, FC_ERR_CONFIG, "property `%s`: %s", name, reason);
}

static fc_code set_properties(const struct fc_cluster *cluster, rd_kafka_conf_t *conf,
                              const struct fc_cluster_property *properties,
                              struct fc_error *err)
{
    const struct fc_profile *profile = &cluster->settings.profile;
    fc_code code = set_property(conf, "client.id", "fluvio", err);
    for (size_t index = 0; index < profile->count && code == FC_OK; index++) {
        code = set_property(conf, profile->properties[index].name,
                            profile->properties[index].value, err);
    }
    for (; properties != NULL && properties->name != NULL && code == FC_OK; properties++) {
        if (!properties->yields ||
            fc_settings_get(&cluster->settings, properties->name) == NULL) {
            code = set_property(conf, properties->name, properties->value, err);
        }
    }
    return code;
}

static fc_code make_handle(struct fc_cluster *cluster, const struct fc_cluster_use *use,
                           struct fc_error *err)
{
    char reason[256] = { 0 };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    fc_code code = set_properties(cluster, conf, use->properties, err);
    if (code != FC_OK) {
        rd_kafka_conf_destroy(conf);
        return fc_wrap(err, "%s", cluster->settings.where);
    }
    rd_kafka_conf_set_opaque(conf, cluster);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_log_cb(conf, on_log);
    if (use->on_delivery != NULL) {
        rd_kafka_conf_set_dr_msg_cb(conf, use->on_delivery);
    }
    cluster->rk = rd_kafka_new(use->type, conf, reason, sizeof(reason));
    if (cluster->rk == NULL) {
        rd_kafka_conf_destroy(conf); /* still ours when making failed */
        return fc_fail(err, FC_ERR_CONFIG, "%s: %s", cluster->settings.where, reason);
    }
    cluster->queue = rd_kafka_queue_new(cluster->rk);
    return FC_OK;
}

/* The reason without librdkafka's own decoration in front: "host:port/bootstrap: ". */
static const char *bare_reason(const struct fc_cluster *cluster)
{
    const char *at = strstr(cluster->last_reason, "/bootstrap: ");
    return at != NULL ? at + strlen("/bootstrap: ") : cluster->last_reason;
}

static const char *scram_hint(const struct fc_cluster *cluster)
{
    const char *mechanism = fc_settings_get(&cluster->settings, "sasl.mechanism");
    return mechanism != NULL && fc_link_scram_is_old(rd_kafka_version(), mechanism)
               ? "; " FC_LINK_SCRAM_OLD
               : "";
}

static fc_code connection_failed(const struct fc_cluster *cluster, struct fc_error *err)
{
    const char *where = cluster->settings.where;
    const char *reason = bare_reason(cluster);
    if (cluster->last_code == RD_KAFKA_RESP_ERR__AUTHENTICATION) {
        return fc_fail(
            err, FC_ERR_REJECTED,
            "%s did not let us in: %.250s (check user, password and sasl.mechanism of "
            "the profile%s)",
            where, reason, scram_hint(cluster));
    }
    /* A failed handshake may come as a failed transport. */
    if (cluster->last_code == RD_KAFKA_RESP_ERR__SSL ||
        strstr(reason, "SSL routines") != NULL) {
        return fc_fail(
            err, FC_ERR_REJECTED,
            "%s: TLS failed: %.250s (check security.protocol and ssl.ca.location of the "
            "profile)",
            where, reason);
    }
    if (strstr(reason, "Invalid response size") != NULL) { /* text or TLS, taken for a length */
        return fc_fail(err, FC_ERR_PROTOCOL,
                       "%s answers, but not in Kafka's protocol: is this the right port, and "
                       "without TLS?",
                       where);
    }
    if (strstr(reason, "Disconnected") != NULL) {
        return fc_fail_retriable(err, FC_ERR_IO,
                                 "%s closed the connection at once (" FC_LINK_PROTOCOL_HINT ")",
                                 where);
    }
    if (*reason != '\0') {
        return fc_fail_retriable(
            err, FC_ERR_IO,
            "cannot reach %s: %.250s (is it running, and is the address right?)", where,
            reason);
    }
    return fc_fail(err, FC_ERR_TIMEOUT, "%s did not answer within %d ms (--timeout)", where,
                   cluster->timeout_ms);
}

static bool is_final(const struct fc_cluster *cluster)
{
    return cluster->all_down || cluster->last_code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
           cluster->last_code == RD_KAFKA_RESP_ERR__SSL;
}

static fc_code await_connection(struct fc_cli *cli, struct fc_cluster *cluster,
                                struct fc_error *err)
{
    int64_t deadline_ms = fc_clock_steady_ms(cli->clock) + cluster->timeout_ms;
    for (;;) {
        const struct rd_kafka_metadata *metadata = NULL;
        int64_t left_ms = deadline_ms - fc_clock_steady_ms(cli->clock);
        rd_kafka_resp_err_t code;
        if (left_ms <= 0) {
            return connection_failed(cluster, err);
        }
        code = rd_kafka_metadata(cluster->rk, 0, NULL, &metadata,
                                 left_ms < SLICE_MS ? (int)left_ms : SLICE_MS);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            rd_kafka_metadata_destroy(metadata);
            cluster->last_reason[0] = '\0';
            cluster->last_code = RD_KAFKA_RESP_ERR_NO_ERROR;
            cluster->all_down = false;
            return FC_OK;
        }
        (void)rd_kafka_poll(cluster->rk, 0);
        if (is_final(cluster)) {
            return connection_failed(cluster, err);
        }
    }
}

fc_code fc_cluster_open(struct fc_cli *cli, const struct fc_cluster_use *use,
                        struct fc_cluster **out_cluster, struct fc_error *err)
{
    struct fc_cluster *cluster = fc_new(struct fc_cluster);
    fc_code code = fc_settings_resolve(cli, &cluster->settings, err);
    cluster->cli = cli;
    cluster->timeout_ms = cli->timeout_ms;
    cluster->verbose = cli->verbose;
    if (code == FC_OK) {
        code = make_handle(cluster, use, err);
    }
    if (code == FC_OK) {
        code = await_connection(cli, cluster, err);
    }
    if (code != FC_OK) {
        fc_cluster_close(cluster);
        return code;
    }
    *out_cluster = cluster;
    return FC_OK;
}

fc_code fc_cluster_open_admin(struct fc_cli *cli, struct fc_cluster **out_cluster,
                              struct fc_error *err)
{
    /* Offsets are to be those of the log, not those of the last stable transaction. */
    static const struct fc_cluster_property properties[] = {
        { "isolation.level", "read_uncommitted", false }, { .name = NULL }
    };
    const struct fc_cluster_use use = { .type = RD_KAFKA_CONSUMER, .properties = properties };
    return fc_cluster_open(cli, &use, out_cluster, err);
}

fc_code fc_cluster_open_groups(struct fc_cli *cli, struct fc_cluster **out_cluster,
                               struct fc_error *err)
{
    static const struct fc_cluster_property properties[] = {
        { "isolation.level", "read_uncommitted", false },
        { "group.id", "fluvio", true }, /* never joined */
        { .name = NULL }
    };
    const struct fc_cluster_use use = { .type = RD_KAFKA_CONSUMER, .properties = properties };
    return fc_cluster_open(cli, &use, out_cluster, err);
}

static void *destroy(void *rk)
{
    rd_kafka_destroy(rk);
    return NULL;
}

/*
 * librdkafka 2.0 waits for ever for a thread of its own when a topic of its group was deleted.
 * False: it is still at it, and whatever it may use has to stay.
 */
static bool destroy_in_time(rd_kafka_t *rk)
{
    struct timespec until = { 0 };
    pthread_t thread;
    if (clock_gettime(CLOCK_MONOTONIC, &until) != 0 ||
        pthread_create(&thread, NULL, destroy, rk) != 0) {
        rd_kafka_destroy(rk);
        return true;
    }
    until.tv_sec += CLOSE_S;
    if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) == 0) {
        return true;
    }
    (void)pthread_detach(thread); /* it ends with the process */
    return false;
}

void fc_cluster_close(struct fc_cluster *cluster)
{
    if (cluster != NULL) {
        if (cluster->queue != NULL) {
            rd_kafka_queue_destroy(cluster->queue);
        }
        if (cluster->rk != NULL && !destroy_in_time(cluster->rk)) {
            cluster->cli->abandoned = true;
            return;
        }
        fc_settings_release(&cluster->settings);
        free(cluster);
    }
}

/* --- asking ------------------------------------------------------------------------------- */

fc_code fc_cluster_metadata(struct fc_cluster *cluster,
                            const struct rd_kafka_metadata **out_metadata, struct fc_error *err)
{
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(cluster->rk, 1, NULL, out_metadata, cluster->timeout_ms);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? FC_OK
               : fc_cluster_fail(cluster, code, NULL, "read the list of topics", err);
}

/* Whether the servers know who asks, and may hide things. */
static bool is_known(const struct fc_cluster *cluster)
{
    const char *protocol = fc_settings_get(&cluster->settings, "security.protocol");
    return protocol != NULL && strcasecmp(protocol, "plaintext") != 0;
}

fc_code fc_cluster_find_topic(const struct fc_cluster *cluster,
                              const struct rd_kafka_metadata *metadata, const char *topic,
                              const struct rd_kafka_metadata_topic **out_topic,
                              struct fc_error *err)
{
    char hint[FC_SUGGEST_TEXT_SIZE];
    struct fc_suggest suggest;
    fc_suggest_init(&suggest, topic);
    for (int index = 0; index < metadata->topic_cnt; index++) {
        const struct rd_kafka_metadata_topic *at = &metadata->topics[index];
        if (strcmp(at->topic, topic) == 0) {
            *out_topic = at;
            return at->err == RD_KAFKA_RESP_ERR_NO_ERROR
                       ? FC_OK
                       : fc_cluster_fail(cluster, at->err, NULL, topic, err);
        }
        fc_suggest_offer(&suggest, at->topic);
    }
    return fc_fail(err, FC_ERR_NOT_FOUND, "no topic `%s`%s at %s%s (fluvio topic list)", topic,
                   is_known(cluster) ? " that this user may see" : "", cluster->settings.where,
                   fc_suggest_text(&suggest, hint));
}

fc_code fc_cluster_offsets(struct fc_cluster *cluster, rd_kafka_topic_partition_list_t *list,
                           struct fc_error *err)
{
    rd_kafka_resp_err_t code = list->cnt == 0
                                   ? RD_KAFKA_RESP_ERR_NO_ERROR
                                   : fc_link_offsets(cluster->rk, list, cluster->timeout_ms);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? FC_OK
               : fc_cluster_fail(cluster, code, NULL, "look up offsets", err);
}

rd_kafka_AdminOptions_t *fc_cluster_options(const struct fc_cluster *cluster,
                                            rd_kafka_admin_op_t operation)
{
    char reason[128];
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(cluster->rk, operation);
    /* Only a time out of range could fail, and ours was checked. */
    (void)rd_kafka_AdminOptions_set_request_timeout(options, cluster->timeout_ms, reason,
                                                    sizeof(reason));
    return options;
}

fc_code fc_cluster_await(struct fc_cluster *cluster, rd_kafka_event_type_t type,
                         const char *what, rd_kafka_event_t **out_event, struct fc_error *err)
{
    for (;;) {
        rd_kafka_event_t *event =
            rd_kafka_queue_poll(cluster->queue, cluster->timeout_ms + AWAIT_GRACE_MS);
        rd_kafka_resp_err_t code;
        if (event == NULL) {
            return fc_cluster_fail(cluster, RD_KAFKA_RESP_ERR__TIMED_OUT, NULL, what, err);
        }
        if (rd_kafka_event_type(event) != type) {
            rd_kafka_event_destroy(event);
            continue;
        }
        code = rd_kafka_event_error(event);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            fc_code failed =
                fc_cluster_fail(cluster, code, rd_kafka_event_error_string(event), what, err);
            rd_kafka_event_destroy(event);
            return failed;
        }
        *out_event = event;
        return FC_OK;
    }
}

/* --- errors ------------------------------------------------------------------------------- */

struct meaning {
    rd_kafka_resp_err_t code;
    fc_code ours;
    const char *text; /* instead of the server's */
};

static const struct meaning MEANINGS[] = {
    { RD_KAFKA_RESP_ERR__TIMED_OUT, FC_ERR_TIMEOUT,
      "no answer in time (--timeout 30s waits "
      "longer)" },
    { RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, FC_ERR_TIMEOUT,
      "the server did not finish in time" },
    { RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, FC_ERR_REJECTED,
      "not allowed for this user on the topic (an admin can grant it: fluvio acl add --help)" },
    { RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, FC_ERR_REJECTED,
      "not allowed for this user on the group (an admin can grant it: fluvio acl add --help)" },
    { RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, FC_ERR_REJECTED,
      "not allowed for this user on the cluster (an admin can grant it: fluvio acl add "
      "--help)" },
    { RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, FC_ERR_NOT_FOUND,
      "there is no such topic (fluvio topic list)" },
    { RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, FC_ERR_NOT_FOUND,
      "there is no such topic (fluvio topic list)" },
    { RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, FC_ERR_NOT_FOUND, "there is no such partition" },
    { RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, FC_ERR_REJECTED,
      "a record is larger than the topic takes (max.message.bytes)" },
    { RD_KAFKA_RESP_ERR_INVALID_RECORD, FC_ERR_REJECTED,
      "the server refuses a record (a compacted topic takes only records with keys: --key, "
      "--key-separator)" },
    { RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS, FC_ERR_REJECTED, "it exists already" },
    { RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP, FC_ERR_REFUSED,
      "the group is active: stop its members first" },
    { RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND, FC_ERR_NOT_FOUND,
      "there is no such group (fluvio consumer list)" },
    { RD_KAFKA_RESP_ERR_SECURITY_DISABLED, FC_ERR_REJECTED,
      "access control is not switched on at the server" },
    { RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, FC_ERR_PROTOCOL,
      "the server is too old for this request" },
    { RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION, FC_ERR_PROTOCOL,
      "the server does not know this request" },
};

fc_code fc_cluster_fail(const struct fc_cluster *cluster, rd_kafka_resp_err_t code,
                        const char *text, const char *what, struct fc_error *err)
{
    (void)cluster;
    for (size_t index = 0; index < sizeof(MEANINGS) / sizeof(*MEANINGS); index++) {
        if (MEANINGS[index].code == code) {
            return fc_fail(err, MEANINGS[index].ours, "%s: %s", what, MEANINGS[index].text);
        }
    }
    (void)fc_fail(err, FC_ERR_REJECTED, "%s: %s", what,
                  text != NULL && *text != '\0' ? text : rd_kafka_err2str(code));
    err->retriable = code == RD_KAFKA_RESP_ERR_NOT_COORDINATOR ||
                     code == RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE ||
                     code == RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS;
    return FC_ERR_REJECTED;
}

int fc_cluster_tell_topics(struct fc_cli *cli, const struct fc_cluster *cluster,
                           const rd_kafka_topic_result_t **results, size_t count,
                           const char *done)
{
    int exit_code = FC_EXIT_DONE;
    for (size_t index = 0; index < count; index++) {
        const char *name = rd_kafka_topic_result_name(results[index]);
        rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[index]);
        struct fc_error error = { 0 };
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            fc_cli_note(cli, "topic %s %s", name, done);
        } else {
            (void)fc_cluster_fail(cluster, code,
                                  rd_kafka_topic_result_error_string(results[index]), name,
                                  &error);
            exit_code = fc_cli_fail(cli, &error);
        }
    }
    return exit_code;
}
