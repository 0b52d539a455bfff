/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of fixed size, and assertions that stay on in release.
 *
 * fc_new and its kin abort when memory is gone: they are for objects whose size no input
 * decides. What input sizes goes through fc_buf or fc_arena, which have limits.
 */
#ifndef FC_BASE_ALLOC_H
#define FC_BASE_ALLOC_H

#include <stddef.h>

/* Zeroed memory for count objects of size bytes; aborts when there is none or the product
 * overflows. */
void *fc_alloc_zeroed(size_t count, size_t size) __attribute__((malloc, returns_nonnull));

/* Grow or shrink; aborts when there is no memory. Contents past the old size are not set. */
void *fc_realloc_array(void *old, size_t count, size_t size) __attribute__((returns_nonnull));

/* A copy of text that the caller frees with free(). */
char *fc_strdup(const char *text) __attribute__((malloc, returns_nonnull, nonnull));
char *fc_strndup(const char *text, size_t len)
    __attribute__((malloc, returns_nonnull, nonnull));

/* printf into fresh memory that the caller frees with free(). */
char *fc_asprintf(const char *fmt, ...)
    __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));

/* The same pointer without its const: where the memory is known to be ours to change or to free,
 * and for calls of other libraries that only read but do not say so. */
static inline void *fc_unconst(const void *data)
{
    union {
        const void *held;
        void *given;
    } pointer = { data };
    return pointer.given;
}

#define fc_new(T) ((T *)fc_alloc_zeroed(1, sizeof(T)))
#define fc_new_array(T, count) ((T *)fc_alloc_zeroed((count), sizeof(T)))

_Noreturn void fc_assert_failed(const char *expression, const char *file, int line);

/* For bugs of ours, never for input. */
#define fc_assert(expression)                                                                  \
    ((expression) ? (void)0 : fc_assert_failed(#expression, __FILE__, __LINE__))

#endif
