/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/alloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *fc_alloc_zeroed(size_t count, size_t size)
{
    void *memory = calloc(count == 0 ? 1 : count, size == 0 ? 1 : size);
    if (memory == NULL) {
        fc_assert_failed("out of memory", __FILE__, __LINE__);
    }
    return memory;
}

void *fc_realloc_array(void *old, size_t count, size_t size)
{
    void *memory = reallocarray(old, count == 0 ? 1 : count, size == 0 ? 1 : size);
    if (memory == NULL) {
        fc_assert_failed("out of memory", __FILE__, __LINE__);
    }
    return memory;
}

char *fc_strndup(const char *text, size_t len)
{
    char *copy = fc_alloc_zeroed(len + 1, 1);
    memcpy(copy, text, len);
    return copy;
}

char *fc_strdup(const char *text)
{
    return fc_strndup(text, strlen(text));
}

char *fc_asprintf(const char *fmt, ...)
{
    va_list args;
    char *text = NULL;
    int length;
    va_start(args, fmt);
    length = vasprintf(&text, fmt, args);
    va_end(args);
    if (length < 0) {
        fc_assert_failed("out of memory", __FILE__, __LINE__);
    }
    return text;
}

_Noreturn void fc_assert_failed(const char *expression, const char *file, int line)
{
    (void)fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expression);
    abort();
}
