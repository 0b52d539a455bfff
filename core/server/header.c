/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request's header (RequestHeader.json of Apache Kafka, versions 0 to 2):
 *
 *   api key 2, api version 2, correlation id 4, client id (length 2, -1: null; bytes),
 *   and for flexible versions tagged fields: count, then for each tag, size, bytes.
 *
 * The client id is of the old form in each version. ControlledShutdown 0 has none.
 */
#include "core/server/header.h"

#include "core/base/reader.h"

enum {
    NEVER = INT16_MAX,
    API_CONTROLLED_SHUTDOWN = 7,
    API_VERSIONS = 18,
    TAGS_MAX = 10000 /* as Kafka 4.4 */
};

/* The first flexible version of each message (*Request.json, flexibleVersions); those that
 * came later are flexible from their first version on. */
static const int16_t flexible_from[] = {
    9,     12, 6, 9, 4, 2, 6, 3, 8, 6, /* 0 Produce ... 9 OffsetFetch */
    3,     6,  4, 4, 4, 5, 3,          /* 10 FindCoordinator ... 16 ListGroups */
    NEVER,                             /* 17 SaslHandshake */
    3,     5,  4, 2, 2, 4, 3, 3, 3, 1, /* 18 ApiVersions ... 27 WriteTxnMarkers */
    3,     2,  2, 2, 4, 2, 2, 2,       /* 28 TxnOffsetCommit ... 35 DescribeLogDirs */
    2,     2,  2, 2, 2, 2,             /* 36 SaslAuthenticate ... 41 DescribeDelegationToken */
    2,     2,  1, 0, 0,                /* 42 DeleteGroups ... 46 ListPartitionReassignments */
    NEVER,                             /* 47 OffsetDelete */
    1,     1                           /* 48, 49 client quotas */
};

bool fc_header_is_flexible(int16_t api_key, int16_t api_version)
{
    if (api_key < 0) {
        return false;
    }
    if ((size_t)api_key >= sizeof(flexible_from) / sizeof(flexible_from[0])) {
        return true;
    }
    return api_version >= flexible_from[api_key];
}

bool fc_header_reply_has_tags(int16_t api_key, int16_t api_version)
{
    return api_key != API_VERSIONS && fc_header_is_flexible(api_key, api_version);
}

static uint32_t read_unsigned_varint(struct fc_reader *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint8_t byte = fc_reader_u8(reader);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            reader->failed = reader->failed || value > UINT32_MAX;
            return (uint32_t)value;
        }
    }
    reader->failed = true;
    return 0;
}

static void skip_tags(struct fc_reader *reader)
{
    uint32_t count = read_unsigned_varint(reader);
    if (count > TAGS_MAX) {
        reader->failed = true;
    }
    for (uint32_t index = 0; index < count && !reader->failed; index++) {
        (void)read_unsigned_varint(reader); /* the tag: none is known */
        fc_reader_skip(reader, read_unsigned_varint(reader));
    }
}

bool fc_header_decode(struct fc_slice frame, struct fc_header *out_header)
{
    struct fc_reader reader;
    struct fc_header header = { 0, 0, 0, { NULL, 0 }, 0 };
    fc_reader_init(&reader, frame);
    header.api_key = (int16_t)fc_reader_be(&reader, 2);
    header.api_version = (int16_t)fc_reader_be(&reader, 2);
    header.correlation_id = (int32_t)fc_reader_be(&reader, 4);
    if (header.api_key != API_CONTROLLED_SHUTDOWN || header.api_version != 0) {
        int16_t length = (int16_t)fc_reader_be(&reader, 2);
        if (length >= 0) {
            header.client_id = fc_reader_slice(&reader, (size_t)length);
        } else if (length < -1) {
            reader.failed = true;
        }
    }
    if (fc_header_is_flexible(header.api_key, header.api_version)) {
        skip_tags(&reader);
    }
    if (reader.failed) {
        return false;
    }
    header.size = frame.len - fc_reader_left(&reader);
    *out_header = header;
    return true;
}
