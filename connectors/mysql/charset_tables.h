/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of charset.c: single-byte sets (128 code points of the bytes 0x80 to 0xff, 0 for none)
 * and the characters in which a multi-byte set of the servers differs from iconv's.
 */
#ifndef FC_MYSQL_CHARSET_TABLES_H
#define FC_MYSQL_CHARSET_TABLES_H

#include <stdint.h>

struct fc_charset_override {
    uint32_t bytes; /* the character, first byte highest */
    uint16_t code_point;
};

extern const uint16_t fc_charset_armscii8_high[128];
extern const uint16_t fc_charset_cp1250_high[128];
extern const uint16_t fc_charset_cp1251_high[128];
extern const uint16_t fc_charset_cp1256_high[128];
extern const uint16_t fc_charset_cp1257_high[128];
extern const uint16_t fc_charset_cp850_high[128];
extern const uint16_t fc_charset_cp852_high[128];
extern const uint16_t fc_charset_cp866_high[128];
extern const uint16_t fc_charset_dec8_high[128];
extern const uint16_t fc_charset_geostd8_high[128];
extern const uint16_t fc_charset_greek_high[128];
extern const uint16_t fc_charset_hebrew_high[128];
extern const uint16_t fc_charset_hp8_high[128];
extern const uint16_t fc_charset_keybcs2_high[128];
extern const uint16_t fc_charset_koi8r_high[128];
extern const uint16_t fc_charset_koi8u_high[128];
extern const uint16_t fc_charset_latin1_high[128];
extern const uint16_t fc_charset_latin2_high[128];
extern const uint16_t fc_charset_latin5_high[128];
extern const uint16_t fc_charset_latin7_high[128];
extern const uint16_t fc_charset_macce_high[128];
extern const uint16_t fc_charset_macroman_high[128];
extern const uint16_t fc_charset_swe7_high[128];
extern const uint16_t fc_charset_swe7_low[128];
extern const uint16_t fc_charset_tis620_high[128];
extern const struct fc_charset_override fc_charset_big5_overrides[267];
extern const struct fc_charset_override fc_charset_gb18030_overrides[42];
extern const struct fc_charset_override fc_charset_sjis_overrides[7];
extern const struct fc_charset_override fc_charset_ujis_overrides[9];

#endif
