/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32C (Castagnoli), as Kafka's batch format uses it; computed by isa-l. */
#ifndef FC_BASE_CRC32C_H
#define FC_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Continue from `crc` (0 to begin): crc32c(crc32c(0, a), b) is the checksum of a followed by b.
 */
uint32_t fc_crc32c(uint32_t crc, const void *data, size_t len);

#endif
