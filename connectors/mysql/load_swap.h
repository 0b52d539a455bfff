/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a load: a finished staging table takes the destination's place. */
#ifndef FC_MYSQL_LOAD_SWAP_H
#define FC_MYSQL_LOAD_SWAP_H

#include "connectors/mysql/load_staging.h"

/*
 * See that the triggers of a table that is to be replaced can be made again by this user, before
 * hours go into loading.
 *
 * Errors: FC_ERR_CONFIG naming the grant or setting that is missing.
 */
FC_MUST_CHECK fc_code fc_swap_check_triggers(struct fc_staging *staging, struct fc_error *err);

/*
 * Make the staging table live: one RENAME TABLE, then triggers, foreign keys and the end of the
 * replaced table, all sent to the server in one piece, so that it goes through even when this
 * process dies meanwhile.
 *
 * On failure staging->created says whether it is still a staging table (nothing changed then);
 * if not, the rows are live and the message names what is missing.
 */
FC_MUST_CHECK fc_code fc_swap_commit(struct fc_staging *staging, struct fc_error *err);

#endif
