/* SPDX-License-Identifier: Apache-2.0 */
/* A fresh directory for one test, removed with all that is in it. */
#ifndef FC_TEST_TEMP_DIR_H
#define FC_TEST_TEMP_DIR_H

/* Under $TMPDIR or /tmp; aborts when it cannot be made. */
char *temp_dir_new(void);

/* Removes the directory and frees the name. NULL is fine. */
void temp_dir_free(char *path);

#endif
