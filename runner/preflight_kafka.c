/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/preflight_kafka.h"

#include <inttypes.h>
#include <stdlib.h>

#include "runner/checkpoint.h"
#include "runner/log_open.h"
#include "runner/schema_store.h"
#include "runner/topic_name.h"

enum { DETAIL_SIZE = 512, FIX_SIZE = 512 };

struct look {
    const struct fc_preflight *preflight;
    struct fc_topic *topic;
    uint32_t brokers;
};

static void tell(const struct fc_preflight *preflight, fc_check_result result, const char *what,
                 const char *detail, const char *fix)
{
    preflight->on_result(preflight->ctx, result, what, detail, fix);
}

/* The command that sets `setting` of the topic, in Kafka's own tool. */
static void tell_setting(const struct look *look, fc_check_result result, const char *what,
                         const char *detail, const char *setting)
{
    const struct fc_config *config = look->preflight->config;
    char place[FC_LOG_PLACE_TEXT_SIZE];
    char fix[FIX_SIZE];
    const char *brokers = fc_log_place(config, place);
    brokers = strchr(brokers, ' ') == NULL ? brokers : strchr(brokers, ' ') + 1;
    (void)snprintf(fix, sizeof(fix),
                   "kafka-configs.sh --bootstrap-server %.120s --alter --entity-type topics "
                   "--entity-name %s --add-config %s",
                   brokers, fc_topic_name(look->topic), setting);
    tell(look->preflight, result, what, detail, fix);
}

/* False when the setting is not told. */
static bool setting_of(const struct look *look, const char *name,
                       char to[FC_KAFKA_SETTING_SIZE])
{
    struct fc_error ignored = { 0 };
    return fc_kafka_topic_setting(look->topic, name, to, &ignored) == FC_OK && to[0] != '\0';
}

static bool check_kept(const struct look *look)
{
    const struct fc_config *config = look->preflight->config;
    const char *name = fc_topic_name(look->topic);
    char value[FC_KAFKA_SETTING_SIZE];
    char detail[DETAIL_SIZE];
    bool fine = true;
    if (setting_of(look, "cleanup.policy", value) && strstr(value, "compact") != NULL) {
        (void)snprintf(
            detail, sizeof(detail),
            "%s is compacted: old versions of rows go, and records without a key are "
            "not taken",
            name);
        tell_setting(look, FC_CHECK_FAIL, "history", detail, "cleanup.policy=delete");
        fine = false;
    }
    if (config->topic_config.retention_ms < 0 && setting_of(look, "retention.ms", value) &&
        strcmp(value, "-1") != 0) {
        (void)snprintf(detail, sizeof(detail),
                       "%s keeps records for %s ms only, the file says forever", name, value);
        tell_setting(look, FC_CHECK_WARN, "history", detail, "retention.ms=-1");
        fine = false;
    }
    if (config->topic_config.retention_bytes < 0 &&
        setting_of(look, "retention.bytes", value) && strcmp(value, "-1") != 0) {
        (void)snprintf(detail, sizeof(detail),
                       "%s keeps %s bytes of a partition only, the file sets no limit", name,
                       value);
        tell_setting(look, FC_CHECK_WARN, "history", detail, "retention.bytes=-1");
        fine = false;
    }
    if (setting_of(look, "message.timestamp.type", value) &&
        strcmp(value, "LogAppendTime") == 0) {
        (void)snprintf(detail, sizeof(detail),
                       "%s replaces the time of a change by the broker's: a restore to a time "
                       "goes by that one",
                       name);
        tell_setting(look, FC_CHECK_WARN, "history", detail,
                     "message.timestamp.type=CreateTime");
        fine = false;
    }
    return fine;
}

static bool check_safe(const struct look *look)
{
    const char *name = fc_topic_name(look->topic);
    char value[FC_KAFKA_SETTING_SIZE];
    char detail[DETAIL_SIZE];
    bool fine = true;
    if (setting_of(look, "unclean.leader.election.enable", value) &&
        strcmp(value, "true") == 0) {
        (void)snprintf(detail, sizeof(detail),
                       "%s may lose acknowledged records when a broker fails", name);
        tell_setting(look, FC_CHECK_WARN, "durability", detail,
                     "unclean.leader.election.enable=false");
        fine = false;
    }
    if (look->brokers > 1 && setting_of(look, "min.insync.replicas", value) &&
        strcmp(value, "1") == 0) {
        (void)snprintf(detail, sizeof(detail),
                       "%s acknowledges what one broker alone has (min.insync.replicas is 1)",
                       name);
        tell_setting(look, FC_CHECK_WARN, "durability", detail, "min.insync.replicas=2");
        fine = false;
    }
    return fine;
}

static bool check_sizes(const struct look *look)
{
    const struct fc_config *config = look->preflight->config;
    char value[FC_KAFKA_SETTING_SIZE];
    char detail[DETAIL_SIZE];
    char setting[64];
    uint64_t wanted = config->topic_config.record_bytes_max;
    if (!setting_of(look, "max.message.bytes", value) || strtoull(value, NULL, 10) >= wanted) {
        return true;
    }
    (void)snprintf(detail, sizeof(detail),
                   "%s takes records of %s bytes, the file's record-bytes-max is %" PRIu64
                   ": what is larger is treated as `on-error` says",
                   fc_topic_name(look->topic), value, wanted);
    (void)snprintf(setting, sizeof(setting), "max.message.bytes=%" PRIu64, wanted + 1024);
    tell_setting(look, FC_CHECK_WARN, "record size", detail, setting);
    return false;
}

static void check_settings(const struct look *look)
{
    char detail[DETAIL_SIZE];
    bool kept = check_kept(look);
    bool safe = check_safe(look);
    bool large = check_sizes(look);
    if (kept && safe && large) {
        (void)snprintf(detail, sizeof(detail), "%s keeps what is written",
                       fc_topic_name(look->topic));
        tell(look->preflight, FC_CHECK_OK, "topic settings", detail, NULL);
    }
}

/* A topic that exists, or may be created. data: one that holds changes. */
static void check_topic(const struct fc_preflight *preflight, struct fc_stream *stream,
                        const char *name, bool data, uint32_t brokers)
{
    const struct fc_topic_config *wanted = &preflight->config->topic_config;
    struct look look = { .preflight = preflight, .brokers = brokers };
    struct fc_topic_config one;
    struct fc_error error = { 0 };
    char detail[DETAIL_SIZE];
    fc_code code = fc_stream_topic(stream, name, &look.topic, &error);
    fc_topic_config_init(&one);
    if (code == FC_ERR_NOT_FOUND) {
        code = fc_kafka_may_create(stream, name, data ? wanted : &one, &error);
        if (code == FC_OK) {
            (void)snprintf(detail, sizeof(detail), "%s will be created", name);
            tell(preflight, FC_CHECK_OK, "topic", detail, NULL);
            return;
        }
        (void)snprintf(detail, sizeof(detail), "%s cannot be created: %.300s", name,
                       error.message);
        tell(preflight, FC_CHECK_FAIL, "topic", detail,
             "let this user create it (an ACL for CREATE on the topic), or create it first");
        return;
    }
    if (code != FC_OK) {
        tell(preflight, FC_CHECK_FAIL, "topic", error.message, NULL);
        return;
    }
    if (data && fc_topic_partitions(look.topic) != wanted->partitions) {
        char fix[FIX_SIZE];
        (void)snprintf(detail, sizeof(detail),
                       "%s has %" PRIu32 " partitions, the file says %" PRIu32, name,
                       fc_topic_partitions(look.topic), wanted->partitions);
        (void)snprintf(fix, sizeof(fix), "set meta.producer.partitions to %" PRIu32,
                       fc_topic_partitions(look.topic));
        tell(preflight, FC_CHECK_FAIL, "topic", detail, fix);
        return;
    }
    (void)snprintf(detail, sizeof(detail), "%s is there", name);
    tell(preflight, FC_CHECK_OK, "topic", detail, NULL);
    if (data) {
        check_settings(&look);
    }
}

void fc_preflight_kafka(const struct fc_preflight *preflight, struct fc_stream *stream)
{
    const struct fc_config *config = preflight->config;
    struct fc_error error = { 0 };
    uint32_t brokers = 0;
    char detail[DETAIL_SIZE];
    char place[FC_LOG_PLACE_TEXT_SIZE];
    if (fc_kafka_brokers(stream, &brokers, &error) != FC_OK) {
        tell(preflight, FC_CHECK_FAIL, "cluster", error.message,
             "look at log.kafka: bootstrap.servers, security.protocol and sasl.*");
        return;
    }
    (void)snprintf(detail, sizeof(detail), "%s answers, %" PRIu32 " broker%s",
                   fc_log_place(config, place), brokers, brokers == 1 ? "" : "s");
    tell(preflight, FC_CHECK_OK, "cluster", detail, NULL);
    if (fc_topic_name_is_template(config->topic)) {
        (void)snprintf(detail, sizeof(detail), "%s, one a table", config->topic);
        tell(preflight, FC_CHECK_OK, "topic", detail, NULL);
    } else {
        check_topic(preflight, stream, config->topic, true, brokers);
    }
    if (strcmp(config->topic, config->name) != 0) { /* statements and restore markers */
        check_topic(preflight, stream, config->name, true, brokers);
    }
    check_topic(preflight, stream, FC_SCHEMA_TOPIC, false, brokers);
}
