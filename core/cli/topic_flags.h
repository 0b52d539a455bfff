/* SPDX-License-Identifier: Apache-2.0 */
/* A topic's settings as flags: --retention-time 7d and its kin, and --config NAME=VALUE. */
#ifndef FC_CLI_TOPIC_FLAGS_H
#define FC_CLI_TOPIC_FLAGS_H

#include "core/cli/command.h"
#include "core/cli/profile.h"

struct fc_topic_flags {
    const char *retention_time;
    const char *retention_size;
    const char *segment_size;
    const char *max_record_size;
    const char *compression;
    const char *cleanup;
    struct fc_flag_list configs;
};

/* The entries of a flag table that fill it. */
enum { FC_TOPIC_FLAGS_COUNT = 7 };
#define FC_TOPIC_FLAGS(given)                                                                     \
    { "retention-time",         0,      FC_FLAG_TEXT,                                             \
      &(given)->retention_time, "TIME", "keep records this long: 7d, 12h, unlimited" },           \
        { "retention-size",         0,      FC_FLAG_TEXT,                                         \
          &(given)->retention_size, "SIZE", "keep so much of each partition: 10GiB, unlimited" }, \
        { "segment-size",         0,      FC_FLAG_TEXT,                                           \
          &(given)->segment_size, "SIZE", "size of a segment file: 64MiB" },                      \
        { "max-record-size",         0,      FC_FLAG_TEXT,                                        \
          &(given)->max_record_size, "SIZE", "largest batch that is taken: 1MiB" },               \
        { "compression-type",    0,      FC_FLAG_TEXT,                                            \
          &(given)->compression, "TYPE", "producer, uncompressed, gzip, snappy, lz4, zstd" },     \
        { "cleanup-policy",  0,        FC_FLAG_TEXT,                                              \
          &(given)->cleanup, "POLICY", "delete, compact or compact,delete" },                     \
    {                                                                                             \
        "config", 'c', FC_FLAG_LIST, &(given)->configs, "NAME=VALUE", "any other setting"         \
    }

/* Into `out` as Kafka's names and values. FC_ERR_CONFIG. */
FC_MUST_CHECK fc_code fc_topic_flags_read(const struct fc_topic_flags *given,
                                          struct fc_profile *out, struct fc_error *err);

#endif
