/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/reset_target.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/quantity.h"
#include "core/base/time_text.h"

fc_code fc_reset_target_parse(const char *to, const char *shift, const struct fc_clock *clock,
                              struct fc_reset_target *out_target, struct fc_error *err)
{
    struct fc_reset_target target = { .kind = FC_RESET_EARLIEST };
    bool local = false;
    if (shift != NULL) {
        target.kind = FC_RESET_SHIFT;
        if (!fc_quantity_int(*shift == '+' ? shift + 1 : shift, &target.number)) {
            return fc_fail(err, FC_ERR_CONFIG, "--shift needs a number such as -10, not `%s`",
                           shift);
        }
    } else if (strcmp(to, "latest") == 0) {
        target.kind = FC_RESET_LATEST;
    } else if (fc_quantity_int(to, &target.number) && target.number >= 0) {
        target.kind = FC_RESET_OFFSET;
    } else if (fc_time_parse(to, &target.number, &local) == FC_TIME_VALID) {
        target.kind = FC_RESET_TIME;
        target.number /= 1000;
    } else if (fc_quantity_duration(to, &target.number)) {
        target.kind = FC_RESET_TIME;
        target.number = fc_clock_wall_ms(clock) - target.number;
    } else if (strcmp(to, "earliest") != 0) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "--to must be earliest, latest, an offset, a time such as "
                       "2026-11-23T14:03:58Z, or 15m (ago), not `%s`",
                       to);
    }
    *out_target = target;
    return FC_OK;
}

int64_t fc_reset_target_offset(const struct fc_reset_target *target, int64_t committed,
                               int64_t first, int64_t next, int64_t by_time)
{
    int64_t offset = first;
    switch (target->kind) {
    case FC_RESET_EARLIEST:
        break;
    case FC_RESET_LATEST:
        offset = next;
        break;
    case FC_RESET_OFFSET:
        offset = target->number;
        break;
    case FC_RESET_TIME:
        offset = by_time < 0 ? next : by_time;
        break;
    case FC_RESET_SHIFT:
        if (__builtin_add_overflow(committed < 0 ? first : committed, target->number,
                                   &offset)) {
            offset = target->number < 0 ? first : next;
        }
        break;
    }
    return offset < first ? first : offset > next ? next : offset;
}

fc_code fc_reset_topic_parse(const char *text, char **out_topic, int32_t *partitions,
                             size_t *out_count, struct fc_error *err)
{
    const char *colon = strchr(text, ':');
    const char *at = colon == NULL ? NULL : colon + 1;
    size_t len = colon == NULL ? strlen(text) : (size_t)(colon - text);
    size_t count = 0;
    if (len == 0) {
        return fc_fail(err, FC_ERR_CONFIG, "--topic needs a name, not `%s`", text);
    }
    while (at != NULL) {
        char digits[16] = { 0 };
        size_t size = strcspn(at, ",");
        int64_t number = 0;
        (void)snprintf(digits, sizeof(digits), "%.*s", (int)size, at);
        if (count == FC_RESET_PARTITIONS_MAX || !fc_quantity_int(digits, &number) ||
            number < 0 || number > INT32_MAX) {
            return fc_fail(err, FC_ERR_CONFIG,
                           "--topic needs TOPIC or TOPIC:PARTITION,..., not `%s`", text);
        }
        partitions[count++] = (int32_t)number;
        at = at[size] == ',' ? at + size + 1 : NULL;
    }
    *out_topic = fc_strndup(text, len);
    *out_count = count;
    return FC_OK;
}
