/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Restoring into MySQL and MariaDB: rows go by LOAD DATA into a staging table beside the
 * destination, which becomes live in one RENAME TABLE.
 */
#ifndef FC_MYSQL_TARGET_H
#define FC_MYSQL_TARGET_H

#include "fc/connector.h"

extern const struct fc_target_ops fc_mysql_target_ops;

#endif
