/* SPDX-License-Identifier: Apache-2.0 */
/* A small file of a test. */
#ifndef FC_TEST_TEMP_FILE_H
#define FC_TEST_TEMP_FILE_H

#include <sys/types.h>

/* Writes dir/name with this text and mode, replacing what was there; gives the path, which the
 * caller frees with free(). Aborts when it cannot. */
char *temp_file_write(const char *dir, const char *name, const char *text, mode_t mode);

#endif
