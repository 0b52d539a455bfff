/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a node's file that says who may come in and who may do what; for spu_file.c. */
#ifndef FC_SPU_SPU_FILE_AUTH_H
#define FC_SPU_SPU_FILE_AUTH_H

#include "core/spu/spu_file.h"

/* Room for what the listeners' blocks say; before the first of them is read. */
void fc_spu_file_begin_auth(struct fc_spu_file *file, size_t listeners_count);

/* A listener's own options, which have been checked; its tls is known. Errors: FC_ERR_CONFIG. */
FC_MUST_CHECK fc_code fc_spu_file_take_auth(struct fc_spu_file *file,
                                            const struct fc_options *options,
                                            const struct fc_yaml_node *map, size_t which,
                                            struct fc_error *err);

extern const struct fc_option FC_SPU_FILE_AUTHORIZATION[];

/* The block `authorization`. Errors: FC_ERR_CONFIG. */
FC_MUST_CHECK fc_code fc_spu_file_read_authorization(struct fc_spu_file *file,
                                                     struct fc_error *err);

void fc_spu_file_release_auth(struct fc_spu_file *file);

/* A copy of the text that lives as long as the file. */
const char *fc_spu_file_keep(struct fc_spu_file *file, const char *text);

#endif
