/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/mariadb_position.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/reader.h"

void fc_mariadb_position_init(struct fc_mariadb_position *position)
{
    memset(position, 0, sizeof(*position));
}

void fc_mariadb_position_release(struct fc_mariadb_position *position)
{
    free(position->gtids);
    fc_mariadb_position_init(position);
}

void fc_mariadb_position_copy(struct fc_mariadb_position *to,
                              const struct fc_mariadb_position *from)
{
    fc_mariadb_position_init(to);
    if (from->count > 0) {
        to->gtids = fc_new_array(struct fc_mariadb_gtid, from->count);
        memcpy(to->gtids, from->gtids, from->count * sizeof(from->gtids[0]));
        to->count = from->count;
        to->capacity = from->count;
    }
}

/* Where the domain is, or where it would be inserted. */
static uint32_t find_domain(const struct fc_mariadb_position *position, uint32_t domain_id)
{
    uint32_t low = 0;
    uint32_t high = position->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (position->gtids[middle].domain_id < domain_id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct fc_mariadb_gtid *
fc_mariadb_position_get(const struct fc_mariadb_position *position, uint32_t domain_id)
{
    uint32_t at = find_domain(position, domain_id);
    return at < position->count && position->gtids[at].domain_id == domain_id
               ? &position->gtids[at]
               : NULL;
}

fc_code fc_mariadb_position_update(struct fc_mariadb_position *position,
                                   const struct fc_mariadb_gtid *gtid, struct fc_error *err)
{
    uint32_t at = find_domain(position, gtid->domain_id);
    if (at < position->count && position->gtids[at].domain_id == gtid->domain_id) {
        position->gtids[at] = *gtid;
        return FC_OK;
    }
    if (position->count == FC_MARIADB_DOMAINS_MAX) {
        return fc_fail(err, FC_ERR_LIMIT, "GTID position with more than %d domains",
                       FC_MARIADB_DOMAINS_MAX);
    }
    if (position->count == position->capacity) {
        position->capacity = position->capacity == 0 ? 4 : position->capacity * 2;
        position->gtids =
            fc_realloc_array(position->gtids, position->capacity, sizeof(position->gtids[0]));
    }
    memmove(position->gtids + at + 1, position->gtids + at,
            (position->count - at) * sizeof(position->gtids[0]));
    position->gtids[at] = *gtid;
    position->count++;
    return FC_OK;
}

bool fc_mariadb_position_reached(const struct fc_mariadb_position *position,
                                 const struct fc_mariadb_gtid *gtid)
{
    const struct fc_mariadb_gtid *at = fc_mariadb_position_get(position, gtid->domain_id);
    return at != NULL && at->sequence >= gtid->sequence;
}

/* Digits at *at; false when there are none or the number is above max. */
static bool scan_number(struct fc_slice text, size_t *at, uint64_t max, uint64_t *out_number)
{
    uint64_t number = 0;
    size_t start = *at;
    for (; *at < text.len && text.data[*at] >= '0' && text.data[*at] <= '9'; (*at)++) {
        unsigned digit = (unsigned)(text.data[*at] - '0');
        if (number > (max - digit) / 10) {
            return false;
        }
        number = number * 10 + digit;
    }
    *out_number = number;
    return *at > start;
}

static bool scan_char(struct fc_slice text, size_t *at, char c)
{
    if (*at < text.len && text.data[*at] == (uint8_t)c) {
        (*at)++;
        return true;
    }
    return false;
}

static void skip_blanks(struct fc_slice text, size_t *at)
{
    while (*at < text.len && (text.data[*at] == ' ' || text.data[*at] == '\n')) {
        (*at)++;
    }
}

fc_code fc_mariadb_position_parse(struct fc_mariadb_position *position, struct fc_slice text,
                                  struct fc_error *err)
{
    fc_code code = FC_OK;
    size_t at = 0;
    fc_mariadb_position_init(position);
    skip_blanks(text, &at);
    while (code == FC_OK && at < text.len) {
        struct fc_mariadb_gtid gtid;
        uint64_t domain = 0;
        uint64_t server = 0;
        bool well = scan_number(text, &at, UINT32_MAX, &domain) && scan_char(text, &at, '-') &&
                    scan_number(text, &at, UINT32_MAX, &server) && scan_char(text, &at, '-') &&
                    scan_number(text, &at, UINT64_MAX, &gtid.sequence);
        skip_blanks(text, &at);
        if (!well || (at < text.len && (!scan_char(text, &at, ',') || at == text.len))) {
            code = fc_fail(
                err, FC_ERR_CONFIG,
                "GTID position: domain-server-sequence expected, cannot read byte %zu", at);
            break;
        }
        skip_blanks(text, &at);
        gtid.domain_id = (uint32_t)domain;
        gtid.server_id = (uint32_t)server;
        if (fc_mariadb_position_get(position, gtid.domain_id) != NULL) {
            code = fc_fail(err, FC_ERR_CONFIG, "GTID position: domain %u stands in it twice",
                           gtid.domain_id);
            break;
        }
        code = fc_mariadb_position_update(position, &gtid, err);
    }
    if (code != FC_OK) {
        fc_mariadb_position_release(position);
    }
    return code;
}

void fc_mariadb_position_print_one(const struct fc_mariadb_gtid *gtid, struct fc_buf *out)
{
    fc_buf_append_u64(out, gtid->domain_id);
    fc_buf_append_u8(out, '-');
    fc_buf_append_u64(out, gtid->server_id);
    fc_buf_append_u8(out, '-');
    fc_buf_append_u64(out, gtid->sequence);
}

void fc_mariadb_position_print(const struct fc_mariadb_position *position, struct fc_buf *out)
{
    for (uint32_t index = 0; index < position->count; index++) {
        fc_buf_append_text(out, index > 0 ? "," : "");
        fc_mariadb_position_print_one(&position->gtids[index], out);
    }
}

fc_code fc_mariadb_position_from_list(struct fc_mariadb_position *position,
                                      const struct fc_binlog_event *event, struct fc_error *err)
{
    const uint32_t count_mask = (1U << 28) - 1; /* flags above */
    struct fc_reader reader;
    uint32_t count;
    fc_code code = FC_OK;
    fc_mariadb_position_init(position);
    fc_reader_init(&reader, event->body);
    count = (uint32_t)fc_reader_le(&reader, 4) & count_mask;
    if (reader.failed || count > fc_reader_left(&reader) / 16) {
        return fc_binlog_event_malformed(event, "it is too short", err);
    }
    for (uint32_t index = 0; code == FC_OK && index < count; index++) {
        struct fc_mariadb_gtid gtid;
        gtid.domain_id = (uint32_t)fc_reader_le(&reader, 4);
        gtid.server_id = (uint32_t)fc_reader_le(&reader, 4);
        gtid.sequence = fc_reader_le(&reader, 8);
        code = fc_mariadb_position_update(position, &gtid, err);
    }
    if (code != FC_OK) {
        fc_mariadb_position_release(position);
    }
    return code;
}
