/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Single-byte sets are converted by tables that were read out of a server. Multi-byte sets go
 * through iconv, which agrees with the servers but for the characters in the overrides; these
 * are looked for first, character by character, in the sets that have any.
 */
#include "connectors/mysql/charset.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>
#include <strings.h>

#include "connectors/mysql/charset_tables.h"

enum charset_index {
    CHARSET_ARMSCII8,
    CHARSET_ASCII,
    CHARSET_BIG5,
    CHARSET_BINARY,
    CHARSET_CP1250,
    CHARSET_CP1251,
    CHARSET_CP1256,
    CHARSET_CP1257,
    CHARSET_CP850,
    CHARSET_CP852,
    CHARSET_CP866,
    CHARSET_CP932,
    CHARSET_DEC8,
    CHARSET_EUCJPMS,
    CHARSET_EUCKR,
    CHARSET_GB18030,
    CHARSET_GB2312,
    CHARSET_GBK,
    CHARSET_GEOSTD8,
    CHARSET_GREEK,
    CHARSET_HEBREW,
    CHARSET_HP8,
    CHARSET_KEYBCS2,
    CHARSET_KOI8R,
    CHARSET_KOI8U,
    CHARSET_LATIN1,
    CHARSET_LATIN2,
    CHARSET_LATIN5,
    CHARSET_LATIN7,
    CHARSET_MACCE,
    CHARSET_MACROMAN,
    CHARSET_SJIS,
    CHARSET_SWE7,
    CHARSET_TIS620,
    CHARSET_UCS2,
    CHARSET_UJIS,
    CHARSET_UTF16,
    CHARSET_UTF16LE,
    CHARSET_UTF32,
    CHARSET_UTF8MB3,
    CHARSET_UTF8MB4
};

static const struct fc_charset charsets[] = {
    { "armscii8", fc_charset_armscii8_high, NULL, NULL, NULL, 0, 1, false },
    { "ascii", NULL, NULL, NULL, NULL, 0, 1, true },
    { "big5", NULL, NULL, "BIG5", fc_charset_big5_overrides, 267, 2, false },
    { "binary", NULL, NULL, NULL, NULL, 0, 1, false },
    { "cp1250", fc_charset_cp1250_high, NULL, NULL, NULL, 0, 1, false },
    { "cp1251", fc_charset_cp1251_high, NULL, NULL, NULL, 0, 1, false },
    { "cp1256", fc_charset_cp1256_high, NULL, NULL, NULL, 0, 1, false },
    { "cp1257", fc_charset_cp1257_high, NULL, NULL, NULL, 0, 1, false },
    { "cp850", fc_charset_cp850_high, NULL, NULL, NULL, 0, 1, false },
    { "cp852", fc_charset_cp852_high, NULL, NULL, NULL, 0, 1, false },
    { "cp866", fc_charset_cp866_high, NULL, NULL, NULL, 0, 1, false },
    { "cp932", NULL, NULL, "CP932", NULL, 0, 2, false },
    { "dec8", fc_charset_dec8_high, NULL, NULL, NULL, 0, 1, false },
    { "eucjpms", NULL, NULL, "EUC-JP-MS", NULL, 0, 3, false },
    { "euckr", NULL, NULL, "CP949", NULL, 0, 2, false },
    { "gb18030", NULL, NULL, "GB18030", fc_charset_gb18030_overrides, 42, 4, false },
    { "gb2312", NULL, NULL, "EUC-CN", NULL, 0, 2, false },
    { "gbk", NULL, NULL, "GBK", NULL, 0, 2, false },
    { "geostd8", fc_charset_geostd8_high, NULL, NULL, NULL, 0, 1, false },
    { "greek", fc_charset_greek_high, NULL, NULL, NULL, 0, 1, false },
    { "hebrew", fc_charset_hebrew_high, NULL, NULL, NULL, 0, 1, false },
    { "hp8", fc_charset_hp8_high, NULL, NULL, NULL, 0, 1, false },
    { "keybcs2", fc_charset_keybcs2_high, NULL, NULL, NULL, 0, 1, false },
    { "koi8r", fc_charset_koi8r_high, NULL, NULL, NULL, 0, 1, false },
    { "koi8u", fc_charset_koi8u_high, NULL, NULL, NULL, 0, 1, false },
    { "latin1", fc_charset_latin1_high, NULL, NULL, NULL, 0, 1, false },
    { "latin2", fc_charset_latin2_high, NULL, NULL, NULL, 0, 1, false },
    { "latin5", fc_charset_latin5_high, NULL, NULL, NULL, 0, 1, false },
    { "latin7", fc_charset_latin7_high, NULL, NULL, NULL, 0, 1, false },
    { "macce", fc_charset_macce_high, NULL, NULL, NULL, 0, 1, false },
    { "macroman", fc_charset_macroman_high, NULL, NULL, NULL, 0, 1, false },
    { "sjis", NULL, NULL, "CP932", fc_charset_sjis_overrides, 7, 2, false },
    { "swe7", fc_charset_swe7_high, fc_charset_swe7_low, NULL, NULL, 0, 1, false },
    { "tis620", fc_charset_tis620_high, NULL, NULL, NULL, 0, 1, false },
    { "ucs2", NULL, NULL, "UCS-2BE", NULL, 0, 2, false },
    { "ujis", NULL, NULL, "EUC-JP-MS", fc_charset_ujis_overrides, 9, 3, false },
    { "utf16", NULL, NULL, "UTF-16BE", NULL, 0, 4, false },
    { "utf16le", NULL, NULL, "UTF-16LE", NULL, 0, 4, false },
    { "utf32", NULL, NULL, "UTF-32BE", NULL, 0, 4, false },
    { "utf8mb3", NULL, NULL, NULL, NULL, 0, 3, true },
    { "utf8mb4", NULL, NULL, NULL, NULL, 0, 4, true },
};

enum { CHARSET_COUNT = sizeof(charsets) / sizeof(charsets[0]) };

struct collation_range {
    uint16_t first;
    uint16_t last;
    uint16_t charset;
};

/* Ids of MySQL 5.7 to 9 and of MariaDB; ordered. */
static const struct collation_range collation_ranges[] = {
    { 1, 1, CHARSET_BIG5 },        { 2, 2, CHARSET_LATIN2 },      { 3, 3, CHARSET_DEC8 },
    { 4, 4, CHARSET_CP850 },       { 5, 5, CHARSET_LATIN1 },      { 6, 6, CHARSET_HP8 },
    { 7, 7, CHARSET_KOI8R },       { 8, 8, CHARSET_LATIN1 },      { 9, 9, CHARSET_LATIN2 },
    { 10, 10, CHARSET_SWE7 },      { 11, 11, CHARSET_ASCII },     { 12, 12, CHARSET_UJIS },
    { 13, 13, CHARSET_SJIS },      { 14, 14, CHARSET_CP1251 },    { 15, 15, CHARSET_LATIN1 },
    { 16, 16, CHARSET_HEBREW },    { 18, 18, CHARSET_TIS620 },    { 19, 19, CHARSET_EUCKR },
    { 20, 20, CHARSET_LATIN7 },    { 21, 21, CHARSET_LATIN2 },    { 22, 22, CHARSET_KOI8U },
    { 23, 23, CHARSET_CP1251 },    { 24, 24, CHARSET_GB2312 },    { 25, 25, CHARSET_GREEK },
    { 26, 26, CHARSET_CP1250 },    { 27, 27, CHARSET_LATIN2 },    { 28, 28, CHARSET_GBK },
    { 29, 29, CHARSET_CP1257 },    { 30, 30, CHARSET_LATIN5 },    { 31, 31, CHARSET_LATIN1 },
    { 32, 32, CHARSET_ARMSCII8 },  { 33, 33, CHARSET_UTF8MB3 },   { 34, 34, CHARSET_CP1250 },
    { 35, 35, CHARSET_UCS2 },      { 36, 36, CHARSET_CP866 },     { 37, 37, CHARSET_KEYBCS2 },
    { 38, 38, CHARSET_MACCE },     { 39, 39, CHARSET_MACROMAN },  { 40, 40, CHARSET_CP852 },
    { 41, 42, CHARSET_LATIN7 },    { 43, 43, CHARSET_MACCE },     { 44, 44, CHARSET_CP1250 },
    { 45, 46, CHARSET_UTF8MB4 },   { 47, 49, CHARSET_LATIN1 },    { 50, 52, CHARSET_CP1251 },
    { 53, 53, CHARSET_MACROMAN },  { 54, 55, CHARSET_UTF16 },     { 56, 56, CHARSET_UTF16LE },
    { 57, 57, CHARSET_CP1256 },    { 58, 59, CHARSET_CP1257 },    { 60, 61, CHARSET_UTF32 },
    { 62, 62, CHARSET_UTF16LE },   { 63, 63, CHARSET_BINARY },    { 64, 64, CHARSET_ARMSCII8 },
    { 65, 65, CHARSET_ASCII },     { 66, 66, CHARSET_CP1250 },    { 67, 67, CHARSET_CP1256 },
    { 68, 68, CHARSET_CP866 },     { 69, 69, CHARSET_DEC8 },      { 70, 70, CHARSET_GREEK },
    { 71, 71, CHARSET_HEBREW },    { 72, 72, CHARSET_HP8 },       { 73, 73, CHARSET_KEYBCS2 },
    { 74, 74, CHARSET_KOI8R },     { 75, 75, CHARSET_KOI8U },     { 76, 76, CHARSET_UTF8MB3 },
    { 77, 77, CHARSET_LATIN2 },    { 78, 78, CHARSET_LATIN5 },    { 79, 79, CHARSET_LATIN7 },
    { 80, 80, CHARSET_CP850 },     { 81, 81, CHARSET_CP852 },     { 82, 82, CHARSET_SWE7 },
    { 83, 83, CHARSET_UTF8MB3 },   { 84, 84, CHARSET_BIG5 },      { 85, 85, CHARSET_EUCKR },
    { 86, 86, CHARSET_GB2312 },    { 87, 87, CHARSET_GBK },       { 88, 88, CHARSET_SJIS },
    { 89, 89, CHARSET_TIS620 },    { 90, 90, CHARSET_UCS2 },      { 91, 91, CHARSET_UJIS },
    { 92, 93, CHARSET_GEOSTD8 },   { 94, 94, CHARSET_LATIN1 },    { 95, 96, CHARSET_CP932 },
    { 97, 98, CHARSET_EUCJPMS },   { 99, 99, CHARSET_CP1250 },    { 101, 124, CHARSET_UTF16 },
    { 128, 159, CHARSET_UCS2 },    { 160, 183, CHARSET_UTF32 },   { 192, 223, CHARSET_UTF8MB3 },
    { 224, 247, CHARSET_UTF8MB4 }, { 248, 250, CHARSET_GB18030 }, { 255, 323, CHARSET_UTF8MB4 },
    { 576, 607, CHARSET_UTF8MB3 }, { 608, 639, CHARSET_UTF8MB4 }, { 640, 671, CHARSET_UCS2 },
    { 672, 703, CHARSET_UTF16 },   { 736, 767, CHARSET_UTF32 }
};

enum {
    RANGE_COUNT = sizeof(collation_ranges) / sizeof(collation_ranges[0]),
    COLLATION_NOPAD = 1024,  /* MariaDB: added to the id of the padding collation */
    COLLATION_UCA1400 = 2048 /* MariaDB: from here 256 ids a character set */
};

static const uint16_t uca1400_charsets[] = { CHARSET_UTF8MB3, CHARSET_UTF8MB4, CHARSET_UCS2,
                                             CHARSET_UTF16, CHARSET_UTF32 };

const struct fc_charset *fc_charset_of_collation(uint32_t collation_id)
{
    size_t low = 0;
    size_t high = RANGE_COUNT;
    if (collation_id >= COLLATION_UCA1400) {
        uint32_t group = (collation_id - COLLATION_UCA1400) / 256;
        return group < sizeof(uca1400_charsets) / sizeof(uca1400_charsets[0])
                   ? &charsets[uca1400_charsets[group]]
                   : NULL;
    }
    if (collation_id >= COLLATION_NOPAD) {
        collation_id -= COLLATION_NOPAD;
    }
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (collation_id > collation_ranges[middle].last) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < RANGE_COUNT && collation_id >= collation_ranges[low].first
               ? &charsets[collation_ranges[low].charset]
               : NULL;
}

const struct fc_charset *fc_charset_named(const char *name)
{
    size_t len = strcspn(name, "_");
    if (len == 4 && strncasecmp(name, "utf8", 4) == 0) {
        return &charsets[CHARSET_UTF8MB3]; /* its old name */
    }
    for (size_t index = 0; index < CHARSET_COUNT; index++) {
        if (strlen(charsets[index].name) == len &&
            strncasecmp(charsets[index].name, name, len) == 0) {
            return &charsets[index];
        }
    }
    return NULL;
}

fc_code fc_charset_converter_open(struct fc_charset_converter *converter,
                                  const struct fc_charset *charset, struct fc_error *err)
{
    converter->charset = charset;
    converter->handle = NULL;
    if (charset->iconv_name != NULL) {
        iconv_t handle = iconv_open("UTF-8", charset->iconv_name);
        if (handle == (iconv_t)-1) { /* NOLINT(performance-no-int-to-ptr): iconv's own mark */
            return fc_fail(err, FC_ERR_CONFIG,
                           "this system cannot convert the character set %s (iconv's %s is "
                           "missing: install the package libc-bin or locales)",
                           charset->name, charset->iconv_name);
        }
        converter->handle = handle;
    }
    return FC_OK;
}

void fc_charset_converter_close(struct fc_charset_converter *converter)
{
    if (converter->handle != NULL) {
        (void)iconv_close(
            (iconv_t)converter->handle); /* a handle of ours cannot fail to close */
        converter->handle = NULL;
    }
}

size_t fc_charset_utf8_size_max(const struct fc_charset *charset, size_t size)
{
    (void)charset; /* no set has a byte that becomes more than three */
    return size * 3;
}

/* Bytes of the smallest unit of a multi-byte set. */
static size_t unit_size(const struct fc_charset *charset)
{
    if (charset == &charsets[CHARSET_UTF32]) {
        return 4;
    }
    return charset == &charsets[CHARSET_UCS2] || charset == &charsets[CHARSET_UTF16] ||
                   charset == &charsets[CHARSET_UTF16LE]
               ? 2
               : 1;
}

bool fc_charset_is_plain(const struct fc_charset *charset, struct fc_slice text)
{
    const uint64_t high_bits = 0x8080808080808080ULL;
    size_t index = 0;
    uint64_t seen = 0;
    if (charset->low != NULL || unit_size(charset) > 1) {
        return false;
    }
    for (; text.len - index >= sizeof(seen); index += sizeof(seen)) {
        uint64_t eight;
        memcpy(&eight, text.data + index, sizeof(eight));
        seen |= eight;
    }
    for (; index < text.len; index++) {
        seen |= text.data[index];
    }
    return (seen & high_bits) == 0;
}

/* A code point below 0x10000. */
static size_t put_code_point(char *to, uint32_t code_point)
{
    if (code_point < 0x80) {
        to[0] = (char)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        to[0] = (char)(0xc0 | (code_point >> 6));
        to[1] = (char)(0x80 | (code_point & 0x3f));
        return 2;
    }
    to[0] = (char)(0xe0 | (code_point >> 12));
    to[1] = (char)(0x80 | ((code_point >> 6) & 0x3f));
    to[2] = (char)(0x80 | (code_point & 0x3f));
    return 3;
}

static size_t convert_single(const struct fc_charset *charset, struct fc_slice text, char *to)
{
    char *at = to;
    for (size_t index = 0; index < text.len; index++) {
        uint8_t byte = text.data[index];
        uint32_t code_point = byte;
        if (byte >= 0x80) {
            code_point = charset->high[byte - 0x80];
        } else if (charset->low != NULL) {
            code_point = charset->low[byte];
        }
        if (code_point == 0 && byte != 0) {
            code_point = '?';
        }
        at += put_code_point(at, code_point);
    }
    return (size_t)(at - to);
}

static bool within(uint8_t byte, uint8_t low, uint8_t high)
{
    return byte >= low && byte <= high;
}

/* GB18030: two bytes, or four whose second is a digit. */
static size_t gb18030_size(const uint8_t *text, size_t left)
{
    if (within(text[1], '0', '9')) {
        return left >= 4 && within(text[2], 0x81, 0xfe) && within(text[3], '0', '9') ? 4 : 1;
    }
    return text[1] >= 0x40 && text[1] != 0x7f && text[1] != 0xff ? 2 : 1;
}

/* EUC-JP: 8e and a half-width katakana, 8f and two bytes, or two bytes. */
static size_t eucjp_size(const uint8_t *text, size_t left)
{
    if (text[0] == 0x8e) {
        return within(text[1], 0xa1, 0xdf) ? 2 : 1;
    }
    if (text[0] == 0x8f) {
        return left >= 3 && within(text[1], 0xa1, 0xfe) && within(text[2], 0xa1, 0xfe) ? 3 : 1;
    }
    return within(text[0], 0xa1, 0xfe) && within(text[1], 0xa1, 0xfe) ? 2 : 1;
}

/*
 * Bytes of the character that starts at text, by the servers' rule for what is well formed,
 * which says nothing about whether the character exists; 1 where nothing well formed starts.
 */
static size_t character_size(const struct fc_charset *charset, const uint8_t *text, size_t left)
{
    uint8_t first = text[0];
    uint8_t second;
    bool two = false;
    if (first < 0x80 || left < 2) {
        return 1;
    }
    second = text[1];
    switch (charset - charsets) {
    case CHARSET_SJIS:
    case CHARSET_CP932:
        two = (within(first, 0x81, 0x9f) || within(first, 0xe0, 0xfc)) &&
              within(second, 0x40, 0xfc) && second != 0x7f;
        break;
    case CHARSET_BIG5:
        two = within(first, 0xa1, 0xf9) &&
              (within(second, 0x40, 0x7e) || within(second, 0xa1, 0xfe));
        break;
    case CHARSET_GBK:
        two = within(first, 0x81, 0xfe) && within(second, 0x40, 0xfe) && second != 0x7f;
        break;
    case CHARSET_GB2312:
        two = within(first, 0xa1, 0xf7) && within(second, 0xa1, 0xfe);
        break;
    case CHARSET_EUCKR:
        two = within(first, 0x81, 0xfe) &&
              (within(second, 0x41, 0x5a) || within(second, 0x61, 0x7a) ||
               within(second, 0x81, 0xfe));
        break;
    case CHARSET_GB18030:
        return within(first, 0x81, 0xfe) ? gb18030_size(text, left) : 1;
    default:
        return eucjp_size(text, left);
    }
    return two ? 2 : 1;
}

/* 0 when the character has no override. */
static uint16_t find_override(const struct fc_charset *charset, const uint8_t *text,
                              size_t size)
{
    uint32_t bytes = 0;
    size_t low = 0;
    size_t high = charset->override_count;
    for (size_t index = 0; index < size; index++) {
        bytes = bytes << 8 | text[index];
    }
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (charset->overrides[middle].bytes < bytes) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < charset->override_count && charset->overrides[low].bytes == bytes
               ? charset->overrides[low].code_point
               : 0;
}

/* Convert all of the text through iconv; false, and *to as it was, when it does not know all. */
static bool convert_known(const struct fc_charset_converter *converter, struct fc_slice text,
                          char **to)
{
    /* iconv wants char **, but does not write there. */
    union {
        const uint8_t *in;
        char *out;
    } at = { .in = text.data };
    size_t left = text.len;
    size_t room = fc_charset_utf8_size_max(converter->charset, text.len);
    char *end = *to;
    (void)iconv((iconv_t)converter->handle, NULL, NULL, NULL, NULL); /* forget earlier text */
    if (left > 0 &&
        iconv((iconv_t)converter->handle, &at.out, &left, &end, &room) == (size_t)-1) {
        return false;
    }
    *to = end;
    return true;
}

/*
 * Convert through iconv; each character that it does not know becomes '?'. Where a failed
 * conversion stands is not asked of iconv: some of glibc's converters tell it wrong. The text
 * is done again character by character instead.
 */
static char *convert_run(const struct fc_charset_converter *converter, const uint8_t *from,
                         size_t size, char *to)
{
    size_t unit = unit_size(converter->charset);
    if (convert_known(converter, fc_slice_of(from, size), &to)) {
        return to;
    }
    while (size > 0) {
        size_t taken = unit > 1 ? unit : character_size(converter->charset, from, size);
        bool known;
        taken = taken < size ? taken : size;
        known = convert_known(converter, fc_slice_of(from, taken), &to);
        if (!known && unit == 2 && size >= 4 &&
            convert_known(converter, fc_slice_of(from, 4), &to)) { /* a surrogate pair */
            known = true;
            taken = 4;
        }
        if (!known) {
            *to++ = '?';
        }
        from += taken;
        size -= taken;
    }
    return to;
}

static size_t convert_multi(const struct fc_charset_converter *converter, struct fc_slice text,
                            char *to)
{
    const struct fc_charset *charset = converter->charset;
    size_t run = 0; /* start of what iconv has not seen */
    size_t index = 0;
    char *at = to;
    while (charset->override_count > 0 && index < text.len) {
        size_t size = character_size(charset, text.data + index, text.len - index);
        uint16_t code_point = size == 1 ? 0 : find_override(charset, text.data + index, size);
        if (code_point != 0) {
            at = convert_run(converter, text.data + run, index - run, at);
            at += put_code_point(at, code_point);
            run = index + size;
        }
        index += size;
    }
    at = convert_run(converter, text.data + run, text.len - run, at);
    return (size_t)(at - to);
}

size_t fc_charset_to_utf8(struct fc_charset_converter *converter, struct fc_slice text,
                          char *to)
{
    if (converter->handle != NULL) {
        return convert_multi(converter, text, to);
    }
    if (converter->charset->high != NULL) {
        return convert_single(converter->charset, text, to);
    }
    if (text.len > 0) {
        memcpy(to, text.data, text.len);
    }
    return text.len;
}
