/* SPDX-License-Identifier: Apache-2.0 */
/* Names of users, topics and clients as parts of a store's keys: letters, digits and -_.~:*
 * stand for themselves, all other bytes are %XX. */
#ifndef FC_SPU_AUTH_PATH_H
#define FC_SPU_AUTH_PATH_H

#include <stdbool.h>

#include "core/base/buf.h"

void fc_path_append(struct fc_buf *to, struct fc_slice name);

/* Take the part before the next slash off the path; append what it stands for to out. False when
 * it is not what fc_path_append writes. */
bool fc_path_take(struct fc_slice *path, struct fc_buf *out);

#endif
