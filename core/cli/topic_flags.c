/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/topic_flags.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/quantity.h"

static void set_number(struct fc_profile *out, const char *name, int64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRId64, value);
    fc_profile_set(out, name, text);
}

static fc_code read_time(const char *flag, const char *text, const char *name,
                         struct fc_profile *out, struct fc_error *err)
{
    int64_t ms = -1;
    if (text == NULL) {
        return FC_OK;
    }
    if (strcmp(text, "unlimited") != 0 && !fc_quantity_duration(text, &ms)) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "--%s needs a time such as 7d, 12h or unlimited, "
                       "not `%s`",
                       flag, text);
    }
    set_number(out, name, ms);
    return FC_OK;
}

static fc_code read_size(const char *flag, const char *text, const char *name,
                         struct fc_profile *out, struct fc_error *err)
{
    int64_t size = -1;
    bool unlimited =
        text != NULL && strcmp(text, "unlimited") == 0 && strcmp(flag, "retention-size") == 0;
    if (text == NULL) {
        return FC_OK;
    }
    if (!unlimited && !fc_quantity_size(text, &size)) {
        return fc_fail(err, FC_ERR_CONFIG, "--%s needs a size such as 64MiB or 10GiB, not `%s`",
                       flag, text);
    }
    set_number(out, name, size);
    return FC_OK;
}

fc_code fc_topic_flags_read(const struct fc_topic_flags *given, struct fc_profile *out,
                            struct fc_error *err)
{
    if (read_time("retention-time", given->retention_time, "retention.ms", out, err) != FC_OK ||
        read_size("retention-size", given->retention_size, "retention.bytes", out, err) !=
            FC_OK ||
        read_size("segment-size", given->segment_size, "segment.bytes", out, err) != FC_OK ||
        read_size("max-record-size", given->max_record_size, "max.message.bytes", out, err) !=
            FC_OK) {
        return err->code;
    }
    if (given->compression != NULL) {
        fc_profile_set(out, "compression.type",
                       strcmp(given->compression, "none") == 0 ? "uncompressed"
                                                               : given->compression);
    }
    if (given->cleanup != NULL) {
        fc_profile_set(out, "cleanup.policy", given->cleanup);
    }
    for (uint32_t index = 0; index < given->configs.count; index++) {
        char *copy = fc_strdup(given->configs.items[index]);
        char *name = NULL;
        char *value = NULL;
        bool good = fc_cli_split(copy, &name, &value);
        bool twice = good && fc_profile_get(out, name) != NULL;
        if (twice) {
            (void)fc_fail(err, FC_ERR_CONFIG, "`%s` can be set only once", name);
        } else if (good) {
            fc_profile_set(out, name, value);
        }
        free(copy);
        if (twice) {
            return err->code;
        }
        if (!good) {
            return fc_fail(err, FC_ERR_CONFIG, "--config needs NAME=VALUE, not `%s`",
                           given->configs.items[index]);
        }
    }
    return FC_OK;
}
