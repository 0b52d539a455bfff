/* SPDX-License-Identifier: Apache-2.0 */
/* Capturing from MySQL and MariaDB: struct fc_source_ops on a change stream and a snapshot. */
#ifndef FC_MYSQL_SOURCE_H
#define FC_MYSQL_SOURCE_H

#include "fc/connector.h"

extern const struct fc_source_ops fc_mysql_source_ops;

/* The replica id that we show: the option, or one made from the connector's name. */
uint32_t fc_mysql_server_id(const struct fc_host *host);

#endif
