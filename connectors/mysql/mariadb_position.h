/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MariaDB's GTID position: the last transaction of each replication domain,
 * "domain-server-sequence" joined by commas.
 *
 * Invariants: ordered by domain; one entry a domain.
 */
#ifndef FC_MYSQL_MARIADB_POSITION_H
#define FC_MYSQL_MARIADB_POSITION_H

#include <stdbool.h>
#include <stdint.h>

#include "connectors/mysql/binlog_event.h"
#include "core/base/buf.h"

enum { FC_MARIADB_DOMAINS_MAX = 65536 };

struct fc_mariadb_gtid {
    uint32_t domain_id;
    uint32_t server_id;
    uint64_t sequence;
};

struct fc_mariadb_position {
    struct fc_mariadb_gtid *gtids;
    uint32_t count;
    uint32_t capacity;
};

void fc_mariadb_position_init(struct fc_mariadb_position *position); /* empty */
void fc_mariadb_position_release(struct fc_mariadb_position *position);
void fc_mariadb_position_copy(struct fc_mariadb_position *to,
                              const struct fc_mariadb_position *from); /* inits to */

/* Init and fill from text (may be empty); empty on failure. FC_ERR_CONFIG: malformed, or a
 * domain twice. */
FC_MUST_CHECK fc_code fc_mariadb_position_parse(struct fc_mariadb_position *position,
                                                struct fc_slice text, struct fc_error *err);
/* "0-1-42,7-2-3" */
void fc_mariadb_position_print(const struct fc_mariadb_position *position, struct fc_buf *out);
/* "0-1-42" */
void fc_mariadb_position_print_one(const struct fc_mariadb_gtid *gtid, struct fc_buf *out);

/* The domain's entry becomes `gtid`, whatever it was. FC_ERR_LIMIT: too many domains. */
FC_MUST_CHECK fc_code fc_mariadb_position_update(struct fc_mariadb_position *position,
                                                 const struct fc_mariadb_gtid *gtid,
                                                 struct fc_error *err);
/* NULL when the domain is not in it. */
const struct fc_mariadb_gtid *
fc_mariadb_position_get(const struct fc_mariadb_position *position, uint32_t domain_id);
/* True when the position is at or past gtid in gtid's domain (by sequence). */
bool fc_mariadb_position_reached(const struct fc_mariadb_position *position,
                                 const struct fc_mariadb_gtid *gtid);

/* Init and fill from a GTID_LIST event: the state at the start of a binlog file. Entries of one
 * domain and several servers: the last one counts, as the server orders them. */
FC_MUST_CHECK fc_code fc_mariadb_position_from_list(struct fc_mariadb_position *position,
                                                    const struct fc_binlog_event *event,
                                                    struct fc_error *err);

#endif
