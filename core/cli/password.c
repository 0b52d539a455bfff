/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/password.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/terminal.h"

void fc_password_free(char *password)
{
    if (password != NULL) {
        explicit_bzero(password, strlen(password));
        free(password);
    }
}

static fc_code read_line(FILE *from, char **out_password, struct fc_error *err)
{
    char line[FC_PASSWORD_MAX + 3];
    size_t len;
    fc_code code = FC_OK;
    if (fgets(line, sizeof(line), from) == NULL) {
        return fc_fail(err, FC_ERR_CONFIG, "no password was given");
    }
    len = strcspn(line, "\r\n");
    if (len == 0) {
        code = fc_fail(err, FC_ERR_CONFIG, "the password is empty");
    } else if (len > FC_PASSWORD_MAX) {
        code = fc_fail(err, FC_ERR_CONFIG, "the password is longer than %d bytes",
                       FC_PASSWORD_MAX);
    }
    for (size_t index = 0; index < len && code == FC_OK; index++) {
        if ((unsigned char)line[index] < ' ' || line[index] == 0x7f) {
            code = fc_fail(err, FC_ERR_CONFIG, "the password holds a control character");
        }
    }
    if (code == FC_OK) {
        *out_password = fc_strndup(line, len);
    }
    explicit_bzero(line, sizeof(line));
    return code;
}

static fc_code ask_once(struct fc_cli *cli, const char *prompt, char **out_password,
                        struct fc_error *err)
{
    struct termios before;
    struct termios silent;
    fc_code code;
    if (tcgetattr(fileno(cli->in), &before) != 0) {
        return fc_fail(err, FC_ERR_IO, "the terminal: %s", strerrordesc_np(errno));
    }
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    (void)fprintf(cli->err, "%s: ", prompt);
    (void)fflush(cli->err);
    (void)tcsetattr(fileno(cli->in), TCSAFLUSH, &silent); /* at worst the password is seen */
    code = read_line(cli->in, out_password, err);
    (void)tcsetattr(fileno(cli->in), TCSAFLUSH, &before);
    (void)fputc('\n', cli->err);
    return code;
}

static fc_code ask(struct fc_cli *cli, bool confirm, char **out_password, struct fc_error *err)
{
    char *first = NULL;
    char *second = NULL;
    fc_code code = ask_once(cli, "Password", &first, err);
    if (code == FC_OK && confirm) {
        code = ask_once(cli, "Once more", &second, err);
    }
    if (code == FC_OK && confirm) {
        fc_assert(first != NULL);
        fc_assert(second != NULL);
        if (strcmp(first, second) != 0) {
            code = fc_fail(err, FC_ERR_CONFIG, "the two passwords differ");
        }
    }
    fc_password_free(second);
    if (code != FC_OK) {
        fc_password_free(first);
        return code;
    }
    *out_password = first;
    return FC_OK;
}

fc_code fc_password_read(struct fc_cli *cli, const char *file, bool confirm,
                         char **out_password, struct fc_error *err)
{
    FILE *stream;
    fc_code code;
    if (file == NULL && fc_terminal_is(cli->in)) {
        return ask(cli, confirm, out_password, err);
    }
    if (file == NULL || strcmp(file, "-") == 0) {
        return read_line(cli->in, out_password, err);
    }
    stream = fopen(file, "re");
    if (stream == NULL) {
        return fc_fail(err, FC_ERR_CONFIG, "password file %s: %s", file,
                       strerrordesc_np(errno));
    }
    code = read_line(stream, out_password, err);
    (void)fclose(stream); /* only read from */
    return code == FC_OK ? FC_OK : fc_wrap(err, "password file %s", file);
}
