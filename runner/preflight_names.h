/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is looked at before a run where names come from the other side: topics of a cluster that
 * are called after the source's tables or topics, groups whose offsets go along, and, for a sink,
 * what it would copy. Nothing is created or changed.
 */
#ifndef FC_RUNNER_PREFLIGHT_NAMES_H
#define FC_RUNNER_PREFLIGHT_NAMES_H

#include "runner/preflight.h"

/* stream: on the cluster of log.kafka, for looking only. The topic is a template. */
void fc_preflight_names(const struct fc_preflight *preflight, struct fc_stream *stream);

/* Of a sink, after its own check. */
void fc_preflight_copies(const struct fc_preflight *preflight);

#endif
