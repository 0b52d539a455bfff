/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/add_user.h"

#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "catalog/store_local.h"
#include "core/base/alloc.h"
#include "core/spu/auth/acl_store.h"
#include "core/spu/auth/plain.h"
#include "core/spu/auth/roles.h"
#include "core/spu/auth/users.h"

/* The first line of stdin; from a terminal without echo. */
static fc_code read_password(char password[FC_PLAIN_PASSWORD_MAX + 2], struct fc_error *err)
{
    struct termios shown;
    bool terminal = isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &shown) == 0;
    char *line;
    if (terminal) {
        struct termios hidden = shown;
        hidden.c_lflag &= ~(tcflag_t)ECHO;
        (void)fputs("Password: ", stderr);
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden); /* at worst it is seen */
    }
    line = fgets(password, FC_PLAIN_PASSWORD_MAX + 2, stdin);
    if (terminal) {
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
        (void)fputs("\n", stderr);
    }
    if (line == NULL) {
        return fc_fail(err, FC_ERR_CONFIG, "no password: it is the first line of stdin");
    }
    password[strcspn(password, "\r\n")] = '\0';
    if (password[0] == '\0' || strlen(password) > FC_PLAIN_PASSWORD_MAX) {
        return fc_fail(err, FC_ERR_CONFIG, "a password has 1 to %d bytes",
                       FC_PLAIN_PASSWORD_MAX);
    }
    return FC_OK;
}

static fc_code give_role(struct fc_store *store, const char *name, const char *role,
                         struct fc_error *err)
{
    char *principal = fc_asprintf("User:%s", name);
    struct fc_acl acls[FC_ROLE_ACLS_MAX];
    struct fc_store_change changes[FC_ROLE_ACLS_MAX];
    struct fc_buf keys[FC_ROLE_ACLS_MAX];
    size_t count = fc_role_acls(role, fc_slice_text(principal), acls);
    fc_code code;
    for (size_t index = 0; index < count; index++) {
        fc_buf_init(&keys[index], FC_STORE_KEY_MAX);
        fc_acl_key_append(&keys[index], &acls[index]);
        changes[index].key = fc_buf_slice(&keys[index]);
        changes[index].value = fc_slice_of("", 0);
        changes[index].expected = FC_STORE_ANYTHING;
    }
    code = fc_store_apply(store, changes, count, NULL, err);
    for (size_t index = 0; index < count; index++) {
        fc_buf_release(&keys[index]);
    }
    free(principal);
    return code;
}

static fc_code check(const char *name, const char *role, struct fc_error *err)
{
    struct fc_acl acls[FC_ROLE_ACLS_MAX];
    if (name[0] == '\0' || strlen(name) > FC_SCRAM_USER_MAX) {
        return fc_fail(err, FC_ERR_CONFIG, "a user's name has 1 to %d bytes",
                       FC_SCRAM_USER_MAX);
    }
    if (role != NULL && fc_role_acls(role, fc_slice_text(name), acls) == 0) {
        return fc_fail(err, FC_ERR_CONFIG, "no role \"%s\": there are " FC_ROLE_NAMES, role);
    }
    return FC_OK;
}

fc_code fc_spu_add_user(const struct fc_spu_file *file, const char *name, const char *role,
                        struct fc_error *err)
{
    struct fc_data_dir_config config = { .dir = file->data_dir, .defaults = &file->topics };
    struct fc_data_dir *data = NULL;
    struct fc_store *store = NULL;
    char password[FC_PLAIN_PASSWORD_MAX + 2] = "";
    fc_code code = check(name, role, err);
    if (code == FC_OK) {
        code = fc_data_dir_open(&config, &data, err); /* holds its lock */
    }
    if (code == FC_OK) {
        code = fc_store_local_open(fc_fs_system(), file->data_dir, &store, err);
    }
    if (code == FC_OK) {
        code = read_password(password, err);
    }
    if (code == FC_OK) {
        code = fc_users_set_password(store, fc_slice_text(name), fc_slice_text(password), err);
    }
    if (code == FC_OK && role != NULL) {
        code = give_role(store, name, role, err);
    }
    OPENSSL_cleanse(password, sizeof(password));
    fc_store_close(store);
    fc_data_dir_close(data);
    return code;
}
