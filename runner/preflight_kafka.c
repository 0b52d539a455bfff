/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/preflight_kafka.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/cluster/cluster.h"
#include "core/link/grants.h"
#include "core/link/link_scram.h"
#include "runner/bridge/bridge.h"
#include "runner/checkpoint.h"
#include "runner/log_open.h"
#include "runner/preflight_names.h"
#include "runner/schema_store.h"
#include "runner/topic_name.h"

enum { DETAIL_SIZE = 512, FIX_SIZE = 512, TOPICS_MAX = 4, ASK_MS = 10000 };

struct look {
    const struct fc_preflight *preflight;
    struct fc_stream *stream;
    const struct fc_topic_grants *grants; /* on the topic */
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
    char value[FC_KAFKA_SETTING_SIZE];
    bool kept;
    bool safe;
    bool large;
    if (!setting_of(look, "cleanup.policy", value)) {
        const struct fc_link_settings link = fc_log_link(look->preflight->config);
        char fix[FC_GRANTS_TEXT_SIZE];
        const char *name = fc_topic_name(look->topic);
        (void)snprintf(detail, sizeof(detail),
                       "not checked: those of %s may not be read, so whether it keeps what is "
                       "written is not known",
                       name);
        tell(look->preflight, FC_CHECK_WARN, "topic settings", detail,
             fc_grants_command(&link, "--topic", name, FC_GRANT_DESCRIBE_CONFIGS, fix));
        return;
    }
    kept = check_kept(look);
    safe = check_safe(look);
    large = check_sizes(look);
    if (kept && safe && large) {
        (void)snprintf(detail, sizeof(detail), "%s keeps what is written",
                       fc_topic_name(look->topic));
        tell(look->preflight, FC_CHECK_OK, "topic settings", detail, NULL);
    }
}

/* --- what the user may do ----------------------------------------------------------------- */

static void tell_missing(const struct fc_preflight *preflight, const char *flag,
                         const char *kind, const char *name, unsigned missing)
{
    const struct fc_link_settings link = fc_log_link(preflight->config);
    char detail[FC_GRANTS_TEXT_SIZE];
    char fix[FC_GRANTS_TEXT_SIZE];
    tell(preflight, FC_CHECK_FAIL, "grants",
         fc_grants_missing(&link, kind, name, missing, detail),
         fc_grants_command(&link, flag, name, missing, fix));
}

/* False, and told, when something is missing. */
static bool check_grants(const struct look *look, const char *name, unsigned wanted)
{
    unsigned missing = wanted & ~look->grants->operations;
    if (!look->grants->told || missing == 0) {
        return true;
    }
    tell_missing(look->preflight, "--topic", "the topic", name, missing);
    return false;
}

/* --- topics ------------------------------------------------------------------------------- */

static bool check_new(const struct look *look, const char *name,
                      const struct fc_topic_config *wanted)
{
    const struct fc_preflight *preflight = look->preflight;
    const struct fc_link_settings link = fc_log_link(preflight->config);
    struct fc_error error = { 0 };
    char detail[DETAIL_SIZE];
    char fix[FC_GRANTS_TEXT_SIZE];
    bool refused = look->grants->told && (look->grants->operations & FC_GRANT_CREATE) == 0;
    if (fc_kafka_may_create(look->stream, name, wanted, &error) == FC_OK) {
        (void)snprintf(detail, sizeof(detail), "%s will be created", name);
        tell(preflight, FC_CHECK_OK, "topic", detail, NULL);
        return true;
    }
    (void)snprintf(detail, sizeof(detail), "%s cannot be created: %.300s", name, error.message);
    tell(preflight, FC_CHECK_FAIL, "topic", detail,
         refused ? fc_grants_command(&link, "--topic", name, FC_GRANT_CREATE, fix)
                 : "look at log.kafka.replication-factor, or create it first");
    return false;
}

static bool check_old(const struct look *look, const char *name, bool data)
{
    const struct fc_preflight *preflight = look->preflight;
    uint32_t wanted = preflight->config->topic_config.partitions;
    char detail[DETAIL_SIZE];
    char fix[FIX_SIZE];
    if (data && fc_topic_partitions(look->topic) != wanted) {
        (void)snprintf(detail, sizeof(detail),
                       "%s has %" PRIu32 " partitions, the file says %" PRIu32, name,
                       fc_topic_partitions(look->topic), wanted);
        (void)snprintf(fix, sizeof(fix), "set meta.producer.partitions to %" PRIu32,
                       fc_topic_partitions(look->topic));
        tell(preflight, FC_CHECK_FAIL, "topic", detail, fix);
        return false;
    }
    (void)snprintf(detail, sizeof(detail), "%s is there", name);
    tell(preflight, FC_CHECK_OK, "topic", detail, NULL);
    if (data) {
        check_settings(look);
    }
    return true;
}

/* A topic that exists, or may be created; false when a run would fail. data: one that holds
 * changes. */
static bool check_topic(struct look *look, const char *name, bool data)
{
    const struct fc_topic_config *config = &look->preflight->config->topic_config;
    unsigned wanted = FC_GRANT_DESCRIBE | FC_GRANT_READ | FC_GRANT_WRITE;
    struct fc_topic_config one;
    struct fc_error error = { 0 };
    bool fine;
    fc_code code;
    if (look->grants->told && (look->grants->operations & FC_GRANT_DESCRIBE) == 0) {
        /* nor is it known whether it is there */
        return check_grants(look, name, wanted | FC_GRANT_CREATE);
    }
    code = fc_stream_topic(look->stream, name, &look->topic, &error);
    if (code != FC_OK && code != FC_ERR_NOT_FOUND) {
        tell(look->preflight, FC_CHECK_FAIL, "topic", error.message, NULL);
        return false;
    }
    if (code == FC_OK && data && config->given != 0) { /* which a run sets */
        wanted |= FC_GRANT_DESCRIBE_CONFIGS | FC_GRANT_ALTER_CONFIGS;
    }
    fc_topic_config_init(&one);
    fine = code == FC_OK ? check_old(look, name, data)
                         : check_new(look, name, data ? config : &one);
    return check_grants(look, name, wanted) && fine;
}

struct wanted_topic {
    const char *name;
    bool data;
};

/* Those of a capture by the file alone; for those that are named after a table or another topic
 * see preflight_names.h. */
static size_t topics_of(const struct fc_preflight *preflight, const char *checkpoint,
                        const char *points, struct wanted_topic to[TOPICS_MAX])
{
    const struct fc_config *config = preflight->config;
    size_t count = 0;
    if (!fc_topic_name_is_template(config->topic)) {
        to[count++] = (struct wanted_topic){ config->topic, true };
    }
    if (!preflight->copies) {
        if (strcmp(config->topic, config->name) != 0) { /* statements and restore markers */
            to[count++] = (struct wanted_topic){ config->name, true };
        }
        to[count++] = (struct wanted_topic){ FC_SCHEMA_TOPIC, false };
    } else {
        to[count++] = (struct wanted_topic){ points, false };
    }
    to[count++] = (struct wanted_topic){ checkpoint, false };
    return count;
}

static void check_topics(const struct fc_preflight *preflight, struct fc_stream *stream,
                         uint32_t brokers)
{
    const struct fc_config *config = preflight->config;
    const struct fc_link_settings link = fc_log_link(config);
    struct look look = { .preflight = preflight, .stream = stream, .brokers = brokers };
    struct wanted_topic wanted[TOPICS_MAX];
    struct fc_topic_grants grants[TOPICS_MAX] = { { .name = NULL } };
    struct fc_grants *asked = NULL;
    struct fc_error error = { 0 };
    char checkpoint[FC_TOPIC_NAME_MAX + 1];
    char points[FC_TOPIC_NAME_MAX + 1];
    char writer[FC_TOPIC_NAME_MAX + 1];
    char detail[DETAIL_SIZE];
    unsigned missing = 0;
    size_t count;
    bool fine = true;
    fc_code code;
    fc_checkpoint_topic_name(config->name, checkpoint, sizeof(checkpoint));
    (void)snprintf(points, sizeof(points), FC_BRIDGE_POINTS_PREFIX "%s", config->name);
    count = topics_of(preflight, checkpoint, points, wanted);
    for (size_t index = 0; index < count; index++) {
        grants[index].name = wanted[index].name;
    }
    (void)snprintf(writer, sizeof(writer), FC_LOG_WRITER_PREFIX "%s", config->name);
    code = fc_grants_open(&link, ASK_MS, &asked, &error);
    code = code == FC_OK ? fc_grants_topics(asked, grants, count, &error) : code;
    code = code == FC_OK ? fc_grants_transactional_id(asked, writer, &missing, &error) : code;
    fc_grants_close(asked);
    for (size_t index = 0; index < count; index++) {
        look.grants = &grants[index];
        fine = check_topic(&look, wanted[index].name, wanted[index].data) && fine;
    }
    if (missing != 0 && code == FC_OK) {
        tell_missing(preflight, "--transactional-id", "the transactional id", writer, missing);
    } else if (code != FC_OK) {
        (void)snprintf(detail, sizeof(detail), "not checked: %s", error.message);
        tell(preflight, FC_CHECK_WARN, "grants", detail, NULL);
    } else if (fine) {
        (void)snprintf(
            detail, sizeof(detail), "may write as %s and to what is named here%s", writer,
            preflight->config->step_count == 0
                ? ""
                : "; topics that transforms send records to are not known, nor checked");
        tell(preflight, FC_CHECK_OK, "grants", detail, NULL);
    }
}

static void check_transactions(const struct fc_preflight *preflight, struct fc_stream *stream)
{
    struct fc_cluster_finding finding;
    fc_check_result result = FC_CHECK_OK;
    fc_kafka_transactions(stream, &finding);
    if (finding.verdict != FC_CLUSTER_CAN) {
        result = finding.verdict == FC_CLUSTER_CANNOT ? FC_CHECK_FAIL : FC_CHECK_WARN;
    }
    tell(preflight, result, "transactions", finding.detail,
         finding.fix[0] == '\0' ? NULL : finding.fix);
}

bool fc_preflight_kafka(const struct fc_preflight *preflight, struct fc_stream *stream)
{
    const struct fc_config *config = preflight->config;
    struct fc_error error = { 0 };
    uint32_t brokers = 0;
    char detail[DETAIL_SIZE];
    char place[FC_LOG_PLACE_TEXT_SIZE];
    if (fc_kafka_brokers(stream, &brokers, &error) != FC_OK) {
        tell(preflight, FC_CHECK_FAIL, "cluster", error.message,
             fc_link_scram_is_old(rd_kafka_version(), error.message)
                 ? "look at user and password; " FC_LINK_SCRAM_OLD ": use PLAIN over TLS there"
                 : "look at log.kafka: bootstrap.servers, security.protocol and sasl.*");
        return false;
    }
    (void)snprintf(detail, sizeof(detail), "%s answers, %" PRIu32 " broker%s",
                   fc_log_place(config, place), brokers, brokers == 1 ? "" : "s");
    tell(preflight, FC_CHECK_OK, "cluster", detail, NULL);
    check_transactions(preflight, stream);
    check_topics(preflight, stream, brokers);
    if (fc_topic_name_is_template(config->topic)) {
        fc_preflight_names(preflight, stream);
    }
    return true;
}
