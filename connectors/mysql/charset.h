/* SPDX-License-Identifier: Apache-2.0 */
/* Character sets of MySQL and MariaDB: collation ids and names, and the way to UTF-8. */
#ifndef FC_MYSQL_CHARSET_H
#define FC_MYSQL_CHARSET_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/error.h"
#include "core/base/slice.h"

enum { FC_CHARSET_COLLATION_BINARY = 63 };

struct fc_charset_override;

/* Static. */
struct fc_charset {
    const char *name;       /* "utf8mb4"; "binary" is one, too */
    const uint16_t *high;   /* single-byte sets: code points of 0x80 to 0xff, 0 = none */
    const uint16_t *low;    /* of 0x00 to 0x7f where they are not ASCII, else NULL */
    const char *iconv_name; /* multi-byte sets */
    const struct fc_charset_override *overrides; /* where the servers differ from iconv */
    uint16_t override_count;
    uint8_t char_bytes_max;
    bool is_utf8; /* bytes are UTF-8 already: utf8mb3, utf8mb4, ascii */
};

/* NULL for an id that we do not know. */
const struct fc_charset *fc_charset_of_collation(uint32_t collation_id);
/* By a charset's or a collation's name ("latin1", "latin1_swedish_ci"); NULL when unknown. */
const struct fc_charset *fc_charset_named(const char *name);

/* Converts values of one column. Not thread-safe; init'ed by _open. */
struct fc_charset_converter {
    const struct fc_charset *charset;
    void *handle; /* iconv_t of multi-byte charsets, else NULL */
};

/* FC_ERR_CONFIG when this system's iconv does not have the charset. */
FC_MUST_CHECK fc_code fc_charset_converter_open(struct fc_charset_converter *converter,
                                                const struct fc_charset *charset,
                                                struct fc_error *err);
void fc_charset_converter_close(struct fc_charset_converter *converter);

/* Most bytes of UTF-8 that `size` bytes can become. */
size_t fc_charset_utf8_size_max(const struct fc_charset *charset, size_t size);

/* The text is UTF-8 as it stands: only ASCII, in a set that keeps ASCII. */
bool fc_charset_is_plain(const struct fc_charset *charset, struct fc_slice text);

/* Write text as UTF-8 to `to`, which has fc_charset_utf8_size_max bytes; returns the length.
 * Bytes that are no character of the set become '?', as the server itself shows them. */
size_t fc_charset_to_utf8(struct fc_charset_converter *converter, struct fc_slice text,
                          char *to);

#endif
