/* SPDX-License-Identifier: Apache-2.0 */
/* The store of a single node: all of it in memory, and in one file (store_file.h). */
#ifndef FC_CATALOG_STORE_LOCAL_H
#define FC_CATALOG_STORE_LOCAL_H

#include "catalog/store.h"
#include "core/base/fs.h"

/* The file's name in a data directory. */
#define FC_STORE_LOCAL_NAME "metadata.store"

/*
 * Open the store in the directory, made when it is not there; the file is written anew. Only one
 * process may have it open: who opens it has the directory's lock.
 *
 * Errors: FC_ERR_CORRUPT (file and byte named; nothing was changed), FC_ERR_CONFIG (another
 * version), FC_ERR_IO, FC_ERR_FULL, FC_ERR_LIMIT (larger than a store may be).
 */
FC_MUST_CHECK fc_code fc_store_local_open(struct fc_fs *fs, const char *dir,
                                          struct fc_store **out_store, struct fc_error *err);

#endif
