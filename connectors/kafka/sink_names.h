/* SPDX-License-Identifier: Apache-2.0 */
/* What a sink is called at its target, by the connector's name. */
#ifndef FC_KAFKA_SINK_NAMES_H
#define FC_KAFKA_SINK_NAMES_H

#include <stdio.h>

enum { FC_SINK_NAME_SIZE = 256 };

struct fc_sink_names {
    char writer[FC_SINK_NAME_SIZE];    /* its transactional id */
    char positions[FC_SINK_NAME_SIZE]; /* topics, see sink_state.h */
    char offsets[FC_SINK_NAME_SIZE];
};

static inline void fc_sink_names(const char *connector, struct fc_sink_names *out_names)
{
    (void)snprintf(out_names->writer, sizeof(out_names->writer), "fluvio.sink.%s", connector);
    (void)snprintf(out_names->positions, sizeof(out_names->positions), "_fluvio.sink.%s",
                   connector);
    (void)snprintf(out_names->offsets, sizeof(out_names->offsets), "_fluvio.offsets.%s",
                   connector);
}

#endif
