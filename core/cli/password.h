/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords: asked for on the terminal, or read from a file or stdin; never from the command
 * line, which every user of the machine can see. */
#ifndef FC_CLI_PASSWORD_H
#define FC_CLI_PASSWORD_H

#include "core/cli/command.h"

enum { FC_PASSWORD_MAX = 1024 };

/*
 * The first line of the file ("-": stdin); without a file, asked for on the terminal without
 * echo (twice when `confirm`), or the first line of stdin when that is none.
 *
 * out_password: to be given to fc_password_free. FC_ERR_CONFIG when it is empty, too long or
 * holds control characters.
 */
FC_MUST_CHECK fc_code fc_password_read(struct fc_cli *cli, const char *file, bool confirm,
                                       char **out_password, struct fc_error *err);
/* Wipes it; NULL is fine. */
void fc_password_free(char *password);

#endif
