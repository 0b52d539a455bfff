/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/time_text.h"
#include "runner/restore/cut.h"

/* --- TIME -------------------------------------------------------------------------------- */

/* True when text has the form of a time; *out_valid: and is one. */
static bool parse_time(const char *text, struct fc_cut_spec *spec, bool *out_valid)
{
    fc_time_verdict verdict = fc_time_parse(text, &spec->time_us, &spec->local);
    spec->kind = FC_CUT_TIME;
    *out_valid = verdict == FC_TIME_VALID;
    return verdict != FC_TIME_OTHER;
}

/* --- OFFSET ------------------------------------------------------------------------------ */

static bool parse_number(const char *text, int64_t max, int64_t *out)
{
    int64_t value = 0;
    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        int digit = *text - '0';
        if (digit < 0 || digit > 9 || value > (max - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

static bool parse_offset(const char *text, struct fc_cut_spec *spec)
{
    const char *second = strrchr(text, '/');
    const char *first = NULL;
    char partition[16];
    int64_t number;
    if (second == NULL) {
        spec->kind = FC_CUT_OFFSET;
        return parse_number(text, INT64_MAX, &spec->offset);
    }
    for (const char *at = text; at < second; at++) {
        first = *at == '/' ? at : first;
    }
    if (first == NULL || first == text || (size_t)(first - text) > FC_TOPIC_NAME_MAX ||
        (size_t)(second - first) > sizeof(partition)) {
        return false;
    }
    memcpy(spec->topic, text, (size_t)(first - text));
    memcpy(partition, first + 1, (size_t)(second - first - 1));
    partition[second - first - 1] = '\0';
    if (!parse_number(partition, UINT32_MAX, &number)) {
        return false;
    }
    spec->kind = FC_CUT_OFFSET;
    spec->partition = (uint32_t)number;
    return parse_number(second + 1, INT64_MAX, &spec->offset);
}

/* --- all of them ------------------------------------------------------------------------- */

static fc_code parse_tx(const char *text, struct fc_cut_spec *spec, struct fc_error *err)
{
    spec->kind = FC_CUT_TX;
    if (strchr(text, ',') != NULL || strpbrk(text, " \t\n") != NULL || *text == '\0') {
        return fc_fail(err, FC_ERR_CONFIG,
                       "\"%s\" is no single transaction; give one GTID (0-1-42, or <uuid>:17)",
                       text);
    }
    return FC_OK;
}

fc_code fc_cut_parse(const char *to, const char *before, struct fc_cut_spec *out_spec,
                     struct fc_error *err)
{
    struct fc_cut_spec spec;
    const char *text = to != NULL ? to : before;
    bool valid = true;
    fc_code code = FC_OK;
    memset(&spec, 0, sizeof(spec));
    if (to != NULL && before != NULL) {
        return fc_fail(err, FC_ERR_CONFIG, "give --to or --before, not both");
    }
    if (text == NULL || (to != NULL && strcmp(to, "end") == 0)) {
        memset(out_spec, 0, sizeof(*out_spec));
        return FC_OK;
    }
    if (strlen(text) >= sizeof(spec.text)) {
        return fc_fail(err, FC_ERR_CONFIG, "the cut is longer than %zu characters",
                       sizeof(spec.text) - 1);
    }
    memcpy(spec.text, text, strlen(text));
    if (before != NULL) {
        code = parse_tx(text, &spec, err);
        spec.before = true;
    } else if (parse_time(text, &spec, &valid)) {
        if (!valid) {
            code =
                fc_fail(err, FC_ERR_CONFIG,
                        "\"%s\" is not a time; write 2026-11-23 14:03:58 (local time zone) or "
                        "2026-11-23T14:03:58Z",
                        text);
        }
    } else if (strchr(text, '/') != NULL || strspn(text, "0123456789") == strlen(text)) {
        if (!parse_offset(text, &spec)) {
            code = fc_fail(err, FC_ERR_CONFIG,
                           "\"%s\" is not an offset; write topic/partition/offset", text);
        }
    } else {
        code = parse_tx(text, &spec, err);
    }
    if (code == FC_OK) {
        *out_spec = spec;
    }
    return code;
}
