/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/topic_name.h"

#include "core/stream/stream.h"

static const char DB[] = "${db}";
static const char TABLE[] = "${table}";
static const char TOPIC[] = "${topic}";
static const char RESERVED[] = "_fluvio.";

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static bool is_topic_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '.' || c == '_' || c == '-';
}

static size_t placeholder_length(const char *at)
{
    if (starts_with(at, DB)) {
        return sizeof(DB) - 1;
    }
    if (starts_with(at, TOPIC)) {
        return sizeof(TOPIC) - 1;
    }
    return starts_with(at, TABLE) ? sizeof(TABLE) - 1 : 0;
}

fc_code fc_topic_name_check(const char *topic, struct fc_error *err)
{
    size_t fixed = 0;
    const char *at = topic;
    if (*topic == '\0') {
        return fc_fail(err, FC_ERR_CONFIG, "a topic needs a name");
    }
    if (strcmp(topic, ".") == 0 || strcmp(topic, "..") == 0) {
        return fc_fail(err, FC_ERR_CONFIG, "a topic cannot be named `%s`", topic);
    }
    if (starts_with(topic, RESERVED)) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "topic `%.60s`: names that begin with `%s` are the runner's own", topic,
                       RESERVED);
    }
    while (*at != '\0') {
        size_t skip = placeholder_length(at);
        if (skip > 0) {
            at += skip;
            continue;
        }
        if (starts_with(at, "${")) {
            return fc_fail(err, FC_ERR_CONFIG,
                           "topic `%.100s`: only ${db} and ${table} can be filled in", topic);
        }
        if (!is_topic_char(*at)) {
            return fc_fail(err, FC_ERR_CONFIG,
                           "topic `%.100s`: a topic name has only letters, digits, `.`, `_` "
                           "and `-`",
                           topic);
        }
        at++;
        fixed++;
    }
    if (fixed > FC_TOPIC_NAME_MAX) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "topic `%.40s...`: a topic name has at most %d characters", topic,
                       FC_TOPIC_NAME_MAX);
    }
    return FC_OK;
}

fc_code fc_topic_name_check_use(const char *topic, bool of_records, struct fc_error *err)
{
    if (!of_records && strstr(topic, TOPIC) != NULL) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "topic `%.100s`: ${topic} can be filled in only where topics are copied",
                       topic);
    }
    if (of_records && (strstr(topic, TOPIC) == NULL || strstr(topic, DB) != NULL ||
                       strstr(topic, TABLE) != NULL)) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "topic `%.100s` must say what a copied topic is called, such as "
                       "${topic} or dc1.${topic}",
                       topic);
    }
    return FC_OK;
}

bool fc_topic_name_is_template(const char *topic)
{
    return strstr(topic, "${") != NULL;
}

static size_t put(char *to, size_t at, struct fc_slice name)
{
    for (size_t index = 0; index < name.len && at < FC_TOPIC_NAME_MAX; index++) {
        char c = (char)name.data[index];
        to[at++] = is_topic_char(c) ? c : '_';
    }
    return at;
}

size_t fc_topic_name_fill(const char *topic, struct fc_slice db, struct fc_slice table,
                          char *to)
{
    size_t length = 0;
    const char *at = topic;
    while (*at != '\0') {
        size_t skip = placeholder_length(at);
        if (skip == 0) {
            length = put(to, length, fc_slice_of(at, 1));
            at++;
        } else {
            length = put(to, length, starts_with(at, DB) ? db : table);
            at += skip;
        }
    }
    to[length] = '\0';
    return length;
}

size_t fc_topic_name_prefix(const char *topic, struct fc_slice db)
{
    bool varies = strstr(topic, TABLE) != NULL || strstr(topic, TOPIC) != NULL;
    size_t length = 0;
    for (const char *at = topic; *at != '\0';) {
        size_t skip = placeholder_length(at);
        if (skip > 0 && (!varies || !starts_with(at, DB))) {
            break;
        }
        length += skip > 0 ? db.len : 1;
        at += skip > 0 ? skip : 1;
    }
    return length < FC_TOPIC_NAME_MAX ? length : 0;
}
