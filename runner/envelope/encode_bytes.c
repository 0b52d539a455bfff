/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/envelope/encode_bytes.h"

#include <assert.h>

#include "runner/envelope/base64.h"
#include "runner/envelope/json_write.h"
#include "runner/envelope/unscaled.h"

enum {
    SRID_SIZE = 4,
    POINT_WKB_SIZE = 21, /* byte order, type, x, y */
    WKB_POINT = 1,
    FLOAT_ROOM = 24 /* "-1.17549435E-38," and quotes around words */
};

size_t fc_bytes_bound(size_t len)
{
    return len * FC_JSON_ESCAPE_MAX + (size_t)FC_UNSCALED_BYTES_MAX * 2 + 256;
}

static char *put_text(char *at, const char *text)
{
    while (*text != '\0') {
        *at++ = *text++;
    }
    return at;
}

static char *put_quoted_base64(char *at, const uint8_t *data, size_t len)
{
    *at++ = '"';
    at = fc_base64_put(at, data, len);
    *at++ = '"';
    return at;
}

static uint64_t load_number(const uint8_t *data, size_t size, bool little)
{
    uint64_t value = 0;
    for (size_t index = 0; index < size; index++) {
        value = value << 8 | data[little ? size - 1 - index : index];
    }
    return value;
}

static double load_double(const uint8_t *data, bool little)
{
    uint64_t bits = load_number(data, sizeof(bits), little);
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static bool is_point_wkb(const uint8_t *wkb, size_t len)
{
    return len == POINT_WKB_SIZE && wkb[0] <= 1 &&
           load_number(wkb + 1, 4, wkb[0] == 1) == WKB_POINT;
}

static char *put_srid(char *at, uint32_t srid)
{
    at = put_text(at, "\",\"srid\":");
    return srid == 0 ? fc_json_put_null(at) : fc_json_put_u64(at, srid);
}

char *fc_bytes_put_geometry(char *at, struct fc_slice bytes, bool is_point)
{
    const uint8_t *wkb = bytes.data + SRID_SIZE;
    uint32_t srid;
    if (bytes.len < SRID_SIZE) {
        return put_quoted_base64(at, bytes.data, bytes.len);
    }
    srid = (uint32_t)load_number(bytes.data, SRID_SIZE, true);
    is_point = is_point && is_point_wkb(wkb, bytes.len - SRID_SIZE);
    *at++ = '{';
    if (is_point) {
        at = put_text(at, "\"x\":");
        at = fc_json_put_double(at, load_double(wkb + 5, wkb[0] == 1));
        at = put_text(at, ",\"y\":");
        at = fc_json_put_double(at, load_double(wkb + 13, wkb[0] == 1));
        *at++ = ',';
    }
    at = put_text(at, "\"wkb\":\"");
    at = fc_base64_put(at, wkb, bytes.len - SRID_SIZE);
    at = put_srid(at, srid);
    return put_text(at, is_point ? "}" : ",\"extensions\":null}");
}

/* Whole floats, and no NaN but the one that "NaN" reads back as. */
static bool is_plain_vector(struct fc_slice bytes)
{
    for (size_t index = 0; index + 4 <= bytes.len; index += 4) {
        uint32_t bits = (uint32_t)load_number(bytes.data + index, 4, true);
        if ((bits & 0x7fffffff) > 0x7f800000 && bits != 0x7fc00000) {
            return false;
        }
    }
    return bytes.len % 4 == 0;
}

char *fc_bytes_put_vector(char *at, struct fc_slice bytes)
{
    static_assert(FLOAT_ROOM <= 4 * FC_JSON_ESCAPE_MAX, "fc_bytes_bound is for vectors too");
    if (!is_plain_vector(bytes)) {
        return put_quoted_base64(at, bytes.data, bytes.len);
    }
    *at++ = '[';
    for (size_t index = 0; index < bytes.len; index += 4) {
        uint32_t bits = (uint32_t)load_number(bytes.data + index, 4, true);
        float value;
        memcpy(&value, &bits, sizeof(value));
        if (index > 0) {
            *at++ = ',';
        }
        at = fc_json_put_float(at, value);
    }
    *at++ = ']';
    return at;
}

char *fc_bytes_put_unscaled(char *at, struct fc_slice text, unsigned scale)
{
    uint8_t bytes[FC_UNSCALED_BYTES_MAX];
    size_t len = 0;
    unsigned text_scale = 0;
    if (!fc_unscaled_from_text(text, scale, bytes, &len, &text_scale)) {
        at = put_text(at, "{\"text\":");
        at = fc_json_put_string(at, text);
        return put_text(at, "}");
    }
    if (text_scale == scale) {
        return put_quoted_base64(at, bytes, len);
    }
    at = put_text(at, "{\"scale\":");
    at = fc_json_put_u64(at, text_scale);
    at = put_text(at, ",\"value\":");
    at = put_quoted_base64(at, bytes, len);
    return put_text(at, "}");
}
