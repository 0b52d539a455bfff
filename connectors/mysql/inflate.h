/* SPDX-License-Identifier: Apache-2.0 */
/* MariaDB's two ways to pack bytes with zlib: statements and rows of compressed binlog events,
 * and values of COMPRESSED columns. */
#ifndef FC_MYSQL_INFLATE_H
#define FC_MYSQL_INFLATE_H

#include "connectors/mysql/memory.h"

/*
 * The contents of a compressed event's statement or rows:
 *
 *   0x80 | algorithm(3 bits) << 4 | n   size(n bytes, big-endian)   zlib stream
 *
 * Errors: FC_ERR_PROTOCOL; FC_ERR_LIMIT (memory).
 */
FC_MUST_CHECK fc_code fc_inflate_record(struct fc_slice packed,
                                        const struct fc_mysql_memory *memory,
                                        struct fc_slice *out_bytes, struct fc_error *err);

/*
 * The contents of a COMPRESSED column's value; borrows `packed` when it is stored as it is:
 *
 *   0x00   bytes
 *   0x80 | bare(bit 3) | n   size(n bytes, big-endian)   zlib stream, or bare deflate
 */
FC_MUST_CHECK fc_code fc_inflate_column(struct fc_slice packed,
                                        const struct fc_mysql_memory *memory,
                                        struct fc_slice *out_bytes, struct fc_error *err);

#endif
