/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers with units as people write them in files: "64KiB", "30s", "7d". */
#ifndef FC_BASE_QUANTITY_H
#define FC_BASE_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

/* Whole text must be the number; false when it is not, or does not fit. */
bool fc_quantity_int(const char *text, int64_t *out_value);

/* Bytes: 512, 64KiB, 1MiB, 2GiB, 1TiB; KB, MB, GB, TB are powers of ten. Not negative. */
bool fc_quantity_size(const char *text, int64_t *out_bytes);

/* Milliseconds: 250ms, 30s, 5m, 1h, 7d; 0 needs no unit. Not negative. */
bool fc_quantity_duration(const char *text, int64_t *out_ms);

#endif
