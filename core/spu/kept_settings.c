/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/kept_settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef enum kind { KIND_INTEGER, KIND_BOOLEAN, KIND_NEVER, KIND_REPLICAS } kind;

struct kept {
    const char *key;
    const char *standard; /* Kafka's default */
    kind kind;
    int64_t min;
    int64_t max;
};

static const struct kept all[] = {
    { "compression.gzip.level", "-1", KIND_INTEGER, -1, 9 },
    { "compression.lz4.level", "9", KIND_INTEGER, 1, 17 },
    { "compression.zstd.level", "3", KIND_INTEGER, -131072, 22 },
    { "file.delete.delay.ms", "60000", KIND_INTEGER, 0, INT64_MAX },
    { "flush.messages", "9223372036854775807", KIND_INTEGER, 1, INT64_MAX },
    { "flush.ms", "9223372036854775807", KIND_INTEGER, 0, INT64_MAX },
    { "follower.replication.throttled.replicas", "", KIND_REPLICAS, 0, 0 },
    { "index.interval.bytes", "4096", KIND_INTEGER, 0, INT32_MAX },
    { "leader.replication.throttled.replicas", "", KIND_REPLICAS, 0, 0 },
    { "local.retention.bytes", "-2", KIND_INTEGER, -2, INT64_MAX },
    { "local.retention.ms", "-2", KIND_INTEGER, -2, INT64_MAX },
    { "preallocate", "false", KIND_BOOLEAN, 0, 0 },
    { "remote.log.copy.disable", "false", KIND_BOOLEAN, 0, 0 },
    { "remote.log.delete.on.disable", "false", KIND_BOOLEAN, 0, 0 },
    { "remote.storage.enable", "false", KIND_NEVER, 0, 0 },
    { "segment.index.bytes", "10485760", KIND_INTEGER, 4, INT32_MAX },
    { "segment.jitter.ms", "0", KIND_INTEGER, 0, INT64_MAX },
    { "unclean.leader.election.enable", "false", KIND_BOOLEAN, 0, 0 },
};

enum { KEPT_COUNT = sizeof(all) / sizeof(all[0]) };

const char *fc_kept_setting_key(size_t index)
{
    return index < KEPT_COUNT ? all[index].key : NULL;
}

static const struct kept *find(const char *key)
{
    for (size_t index = 0; index < KEPT_COUNT; index++) {
        if (strcmp(all[index].key, key) == 0) {
            return &all[index];
        }
    }
    return NULL;
}

const char *fc_kept_setting_default(const char *key)
{
    const struct kept *kept = find(key);
    return kept == NULL ? NULL : kept->standard;
}

static bool is_integer(const struct kept *kept, const char *value)
{
    char *end = NULL;
    long long number;
    errno = 0;
    number = strtoll(value, &end, 10);
    return end != value && *end == '\0' && errno == 0 && number >= kept->min &&
           number <= kept->max;
}

static size_t digits(const char *at)
{
    return strspn(at, "0123456789");
}

/* Nothing, "*", or partition:node, each behind a comma. */
static bool is_replicas(const char *value)
{
    const char *at = value;
    if (*value == '\0' || strcmp(value, "*") == 0) {
        return true;
    }
    for (;;) {
        size_t partition = digits(at);
        size_t node = at[partition] == ':' ? digits(at + partition + 1) : 0;
        if (partition == 0 || node == 0) {
            return false;
        }
        at += partition + 1 + node;
        if (*at == '\0') {
            return true;
        }
        if (*at++ != ',') {
            return false;
        }
    }
}

fc_code fc_kept_setting_check(const char *key, const char *value, struct fc_error *err)
{
    const struct kept *kept = find(key);
    if (kept == NULL) {
        return fc_fail(err, FC_ERR_NOT_FOUND, "there is no topic setting \"%s\"", key);
    }
    switch (kept->kind) {
    case KIND_INTEGER:
        if (is_integer(kept, value)) {
            return FC_OK;
        }
        return fc_fail(err, FC_ERR_CONFIG,
                       "%s: \"%s\" is not a whole number between %" PRId64 " and %" PRId64, key,
                       value, kept->min, kept->max);
    case KIND_REPLICAS:
        if (is_replicas(value)) {
            return FC_OK;
        }
        return fc_fail(err, FC_ERR_CONFIG, "%s: \"%s\" is not a list of partition:node", key,
                       value);
    case KIND_NEVER:
        if (strcmp(value, "true") == 0) {
            return fc_fail(err, FC_ERR_CONFIG, "%s: there is no storage beside this log", key);
        }
        break;
    case KIND_BOOLEAN:
        if (strcmp(value, "true") == 0) {
            return FC_OK;
        }
        break;
    }
    return strcmp(value, "false") == 0
               ? FC_OK
               : fc_fail(err, FC_ERR_CONFIG, "%s: \"%s\" is not true or false", key, value);
}
