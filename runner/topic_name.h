/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Topic names and templates: "shop" for all tables of a source, "shop.${table}" or
 * "${db}.${table}" for one topic a table; "dc1.${topic}" where topics are copied.
 */
#ifndef FC_RUNNER_TOPIC_NAME_H
#define FC_RUNNER_TOPIC_NAME_H

#include "core/base/error.h"
#include "core/base/slice.h"

/* FC_ERR_CONFIG when it is neither a valid name nor a valid template of one. */
FC_MUST_CHECK fc_code fc_topic_name_check(const char *topic, struct fc_error *err);

/* FC_ERR_CONFIG when a template of this kind does not go with what is captured: records of
 * topics, or changes of tables. */
FC_MUST_CHECK fc_code fc_topic_name_check_use(const char *topic, bool of_records,
                                              struct fc_error *err);

/* Whether it names different topics for different tables. */
bool fc_topic_name_is_template(const char *topic);

/*
 * The topic for db.table; `to` has room for FC_TOPIC_NAME_MAX + 1 bytes. Characters of db and
 * table that a topic name cannot have become '_', as in Debezium; a name over the limit is cut.
 * Returns its length. `topic` has passed the check.
 */
size_t fc_topic_name_fill(const char *topic, struct fc_slice db, struct fc_slice table,
                          char *to);

/* How many bytes of such a topic's name the topics of all tables of db begin with; of a template
 * without ${table} and ${topic}, those of all databases. */
size_t fc_topic_name_prefix(const char *topic, struct fc_slice db);

#endif
