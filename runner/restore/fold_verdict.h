/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may be restored of what was folded: a table whose rows are all known, or nothing.
 */
#ifndef FC_RESTORE_FOLD_VERDICT_H
#define FC_RESTORE_FOLD_VERDICT_H

#include "runner/restore/fold_pass.h"

/*
 * Leave the tables that exist at the cut in state->tables and count their dead letters; fail for
 * one that cannot be given as it was. Errors: as fc_fold_run.
 */
FC_MUST_CHECK fc_code fc_fold_judge(struct fc_fold_state *state, struct fc_error *err);

#endif
