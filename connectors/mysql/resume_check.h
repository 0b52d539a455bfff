/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a capture may begin or go on here: the server's settings, and whether it is the server,
 * and still has the history, that a position speaks of. */
#ifndef FC_MYSQL_RESUME_CHECK_H
#define FC_MYSQL_RESUME_CHECK_H

#include "connectors/mysql/source_position.h"

/* The binlog is on and holds full rows; FC_ERR_CONFIG names the setting and what to do. */
FC_MUST_CHECK fc_code fc_resume_check_settings(struct fc_session *session,
                                               struct fc_error *err);

/*
 * The server can go on from `position`.
 *
 * out_place_known  file and position of `position` mean something on this server.
 *
 * Errors: FC_ERR_REFUSED when going on would lose or mix changes: another server without GTIDs,
 * transactions purged that we have not read, transactions read that this server does not have.
 */
FC_MUST_CHECK fc_code fc_resume_check(struct fc_session *session,
                                      const struct fc_source_position *position,
                                      bool *out_place_known, struct fc_error *err);

/*
 * MariaDB with GTIDs: the server still has its binlog from `position` on. The dump finds that out by
 * itself; this is to know it before. FC_ERR_REFUSED when it has not.
 */
FC_MUST_CHECK fc_code fc_resume_check_kept(struct fc_session *session,
                                           const struct fc_source_position *position,
                                           struct fc_error *err);

/* Both sessions reached one and the same server; retriable when not (a proxy in between). */
FC_MUST_CHECK fc_code fc_resume_check_same_server(struct fc_session *a, struct fc_session *b,
                                                  struct fc_error *err);

/* How many transactions of `position` onwards the server has purged, as text for a person; NULL
 * when nothing is missing. MySQL with GTIDs only. The caller frees it. */
FC_MUST_CHECK fc_code fc_resume_check_missing(struct fc_session *session,
                                              const struct fc_source_position *position,
                                              char **out_missing, struct fc_error *err);

#endif
