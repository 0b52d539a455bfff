/* SPDX-License-Identifier: Apache-2.0 */
/* Temporary directories of tests, and small files in them. */
#ifndef FC_TESTS_TEMP_DIR_H
#define FC_TESTS_TEMP_DIR_H

#include <sys/types.h>

/* A fresh directory under $TMPDIR or /tmp; the caller frees the path with fc_temp_dir_remove. */
char *fc_temp_dir_make(void);
/* Removes the directory with all in it, and frees the path; NULL is fine. */
void fc_temp_dir_remove(char *dir);

/* dir/name with this text and mode; gives the path, which the caller frees with free(). */
char *fc_temp_file(const char *dir, const char *name, const char *text, mode_t mode);

#endif
