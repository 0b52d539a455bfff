/* SPDX-License-Identifier: Apache-2.0 */
/* Text of unknown origin as UTF-8. */
#ifndef FC_BASE_UTF8_H
#define FC_BASE_UTF8_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/base/slice.h"

/* Bytes of the character that begins at `at`: 1 to 4, or 0 when there is none (cut short,
 * overlong, a surrogate, past U+10FFFF). */
size_t fc_utf8_character(struct fc_slice text, size_t at);

bool fc_utf8_valid(struct fc_slice text);

/* Append text; each byte that belongs to no character becomes U+FFFD (3 bytes). */
void fc_utf8_repair(struct fc_slice text, struct fc_buf *out);

/* Columns that the text takes on a terminal, taking every character for one wide. */
size_t fc_utf8_columns(const char *text);

#endif
