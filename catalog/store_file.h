/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of a local store: a header, then a record for each revision, appended. Big-endian,
 * version 1:
 *
 *   header  12 magic "fluvio-store"; 4 version; 8 revision when the file was written; 4 salt;
 *           4 CRC-32C of what stands before it
 *   record  4 CRC-32C of the rest; 4 size of the record; 8 its place in the file; 8 revision;
 *           4 number of changes; then for each: 1 kind (1: put, 2: removed); 4 size of the key,
 *           and the key; for a put 4 size of the value, and the value
 *
 * The CRC of records begins with the salt, a random number, so that no value can be made to look
 * like a record. A record is synced before the next one is written. So only the last one may be
 * torn: a record that cannot be read with a whole one somewhere behind it is damage. A record
 * without changes is written when the store is closed; nothing may be missing before it.
 */
#ifndef FC_CATALOG_STORE_FILE_H
#define FC_CATALOG_STORE_FILE_H

#include "catalog/store_table.h"

enum {
    FC_STORE_FILE_VERSION = 1,
    FC_STORE_HEADER_SIZE = 32,
    FC_STORE_RECORD_SIZE_MAX =
        64 + FC_STORE_CHANGES_MAX * (16 + FC_STORE_KEY_MAX + FC_STORE_VALUE_MAX)
};

struct fc_store_file {
    uint32_t salt;
    int64_t revision; /* the newest */
    uint64_t size;    /* of what is whole; the next record goes there */
};

/* Append a record of the entries (a null value: removed) to out; `at` is its place. */
void fc_store_record_encode(struct fc_buf *out, uint32_t salt, uint64_t at, int64_t revision,
                            const struct fc_store_entry *entries, size_t count);

/* The whole file of a table, with a fresh salt: a record for each row. */
void fc_store_file_encode(struct fc_buf *out, const struct fc_store_table *table,
                          int64_t revision, struct fc_store_file *out_file);

/*
 * Read a whole file into an empty table. What is torn at its end is left out.
 * Errors: FC_ERR_CORRUPT (path and byte named), FC_ERR_CONFIG (another version).
 */
FC_MUST_CHECK fc_code fc_store_file_decode(struct fc_slice bytes, const char *path,
                                           struct fc_store_table *table,
                                           struct fc_store_file *out_file,
                                           struct fc_error *err);

#endif
