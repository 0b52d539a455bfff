/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/quantity.h"

#include <string.h>

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit SIZE_UNITS[] = {
    { "", 1 },
    { "B", 1 },
    { "KiB", 1024 },
    { "MiB", INT64_C(1024) * 1024 },
    { "GiB", INT64_C(1024) * 1024 * 1024 },
    { "TiB", INT64_C(1024) * 1024 * 1024 * 1024 },
    { "KB", 1000 },
    { "kB", 1000 },
    { "MB", INT64_C(1000) * 1000 },
    { "GB", INT64_C(1000) * 1000 * 1000 },
    { "TB", INT64_C(1000) * 1000 * 1000 * 1000 },
};

static const struct unit DURATION_UNITS[] = {
    { "ms", 1 },
    { "s", 1000 },
    { "m", INT64_C(60) * 1000 },
    { "h", INT64_C(3600) * 1000 },
    { "d", INT64_C(86400) * 1000 },
};

/* The digits at the start of text; the rest begins at *out_rest. */
static bool read_digits(const char *text, uint64_t *out_value, const char **out_rest)
{
    uint64_t value = 0;
    const char *at = text;
    while (*at >= '0' && *at <= '9') {
        if (__builtin_mul_overflow(value, 10U, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value)) {
            return false;
        }
        at++;
    }
    *out_value = value;
    *out_rest = at;
    return at != text;
}

bool fc_quantity_int(const char *text, int64_t *out_value)
{
    bool negative = *text == '-';
    uint64_t limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    uint64_t digits = 0;
    const char *rest = NULL;
    if (!read_digits(text + (negative ? 1 : 0), &digits, &rest) || *rest != '\0' ||
        digits > limit) {
        return false;
    }
    *out_value = negative ? (int64_t)-digits : (int64_t)digits;
    return true;
}

static bool with_unit(const char *text, const struct unit *units, size_t count,
                      int64_t *out_value)
{
    uint64_t digits = 0;
    const char *rest = NULL;
    if (!read_digits(text, &digits, &rest) || digits > INT64_MAX) {
        return false;
    }
    for (size_t index = 0; index < count; index++) {
        int64_t value = 0;
        if (strcmp(rest, units[index].name) == 0) {
            if (__builtin_mul_overflow((int64_t)digits, units[index].factor, &value)) {
                return false;
            }
            *out_value = value;
            return true;
        }
    }
    return false;
}

bool fc_quantity_size(const char *text, int64_t *out_bytes)
{
    return with_unit(text, SIZE_UNITS, sizeof(SIZE_UNITS) / sizeof(*SIZE_UNITS), out_bytes);
}

bool fc_quantity_duration(const char *text, int64_t *out_ms)
{
    if (strcmp(text, "0") == 0) {
        *out_ms = 0;
        return true;
    }
    return with_unit(text, DURATION_UNITS, sizeof(DURATION_UNITS) / sizeof(*DURATION_UNITS),
                     out_ms);
}
