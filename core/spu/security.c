/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/security.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>

#include <openssl/crypto.h>

#include "catalog/store_local.h"
#include "core/base/alloc.h"
#include "core/base/hashmap.h"
#include "core/server/report.h"
#include "core/spu/auth/acl_store.h"
#include "core/spu/auth/users.h"

enum { SECRET_MAX = 256, AUDIT_TEXT_MAX = 100, LINE_SIZE = 700 };

struct fc_security {
    const struct fc_spu_config *config;
    struct fc_store *store;
    struct fc_task_queue *verifier;
    struct fc_server_report report;
    struct fc_hashmap super_users; /* principal -> itself */
    struct fc_buf secret;          /* of unknown users' salts */
    struct fc_store_watch watch;
    bool watching;
    pthread_rwlock_t lock;
    /* Guarded by lock. */
    struct fc_acls *acls;
};

/* The new set is made beside the old one; nobody waits but for the exchange. */
static fc_code load_acls(struct fc_security *security, int64_t *out_revision,
                         struct fc_error *err)
{
    struct fc_acls *acls = NULL;
    struct fc_acls *old;
    fc_code code = fc_acls_load(security->store, &acls, out_revision, err);
    if (code == FC_OK) {
        (void)pthread_rwlock_wrlock(&security->lock);
        old = security->acls;
        security->acls = acls;
        (void)pthread_rwlock_unlock(&security->lock);
        fc_acls_free(old);
    }
    return code;
}

static void on_change(void *ctx, const struct fc_store_entry *events, size_t count)
{
    struct fc_security *security = ctx;
    struct fc_error err;
    int64_t revision = 0;
    (void)events;
    if (load_acls(security, &revision, &err) != FC_OK) {
        fc_security_audit(security, "ACLs stay as they were, not all of %zu changes count: %s",
                          count, err.message);
    }
}

static fc_code start(struct fc_security *security, struct fc_data_dir *data,
                     struct fc_error *err)
{
    int64_t revision = 0;
    fc_code code =
        fc_store_local_open(fc_fs_system(), fc_data_dir_path(data), &security->store, err);
    if (code == FC_OK) {
        code = fc_users_secret(security->store, &security->secret, err);
    }
    if (code == FC_OK) {
        code = load_acls(security, &revision, err);
    }
    if (code == FC_OK) {
        security->watch.prefix = FC_ACL_STORE_PREFIX;
        security->watch.on_change = on_change;
        security->watch.ctx = security;
        code = fc_store_watch(security->store, &security->watch, revision + 1, err);
    }
    security->watching = code == FC_OK;
    return code == FC_OK ? fc_task_queue_new(NULL, NULL, &security->verifier, err) : code;
}

fc_code fc_security_new(const struct fc_spu_config *config, struct fc_data_dir *data,
                        struct fc_security **out_security, struct fc_error *err)
{
    struct fc_security *security = fc_new(struct fc_security);
    fc_code code;
    security->config = config;
    (void)pthread_rwlock_init(&security->lock, NULL); /* cannot fail on Linux */
    fc_server_report_init(&security->report, config->net.diag, config->net.clock);
    fc_buf_init(&security->secret, SECRET_MAX);
    fc_hashmap_init(&security->super_users);
    for (size_t index = 0; index < config->super_users_count; index++) {
        (void)fc_hashmap_put(&security->super_users, fc_slice_text(config->super_users[index]),
                             security);
    }
    code = start(security, data, err);
    if (code != FC_OK) {
        fc_security_free(security);
        return code;
    }
    *out_security = security;
    return FC_OK;
}

void fc_security_free(struct fc_security *security)
{
    if (security == NULL) {
        return;
    }
    fc_task_queue_free(security->verifier);
    if (security->watching) {
        fc_store_unwatch(security->store, &security->watch);
    }
    fc_store_close(security->store);
    fc_acls_free(security->acls);
    fc_hashmap_release(&security->super_users, NULL);
    fc_buf_release(&security->secret);
    fc_server_report_release(&security->report);
    (void)pthread_rwlock_destroy(&security->lock);
    free(security);
}

struct fc_store *fc_security_store(const struct fc_security *security)
{
    return security->store;
}

struct fc_task_queue *fc_security_verifier(const struct fc_security *security)
{
    return security->verifier;
}

bool fc_security_is_on(const struct fc_security *security)
{
    return security->config->authorization;
}

static bool is_super(const struct fc_security *security, const struct fc_acl_caller *caller)
{
    return fc_hashmap_get(&security->super_users, caller->principal) != NULL;
}

bool fc_security_allows(struct fc_security *security, const struct fc_acl_caller *caller,
                        fc_operation operation, fc_resource resource, struct fc_slice name)
{
    bool allowed = !security->config->authorization || is_super(security, caller);
    if (!allowed) {
        (void)pthread_rwlock_rdlock(&security->lock);
        allowed = fc_acls_allow(security->acls, caller, operation, resource, name);
        (void)pthread_rwlock_unlock(&security->lock);
    }
    return allowed;
}

bool fc_security_allows_some(struct fc_security *security, const struct fc_acl_caller *caller,
                             fc_operation operation, fc_resource resource)
{
    bool allowed = !security->config->authorization || is_super(security, caller);
    if (!allowed) {
        (void)pthread_rwlock_rdlock(&security->lock);
        allowed = fc_acls_allow_some(security->acls, caller, operation, resource);
        (void)pthread_rwlock_unlock(&security->lock);
    }
    return allowed;
}

const struct fc_acls *fc_security_hold_acls(struct fc_security *security)
{
    (void)pthread_rwlock_rdlock(&security->lock);
    return security->acls;
}

void fc_security_let_go(struct fc_security *security)
{
    (void)pthread_rwlock_unlock(&security->lock);
}

fc_code fc_security_credential(struct fc_security *security, fc_scram_kind kind,
                               struct fc_slice user, struct fc_scram_credential *out_credential,
                               bool *out_known, struct fc_error *err)
{
    struct fc_user found;
    const struct fc_scram_credential *credential;
    fc_code code = fc_users_get(security->store, user, &found, err);
    if (code != FC_OK) {
        return code;
    }
    credential = fc_user_credential(&found, kind);
    *out_known = (int)credential->kind != 0;
    /* Made up in any case, so that it takes the same time. */
    fc_scram_made_up(kind, fc_buf_slice(&security->secret), user, out_credential);
    if (*out_known) {
        *out_credential = *credential;
    }
    OPENSSL_cleanse(&found, sizeof(found));
    return FC_OK;
}

void fc_security_audit(struct fc_security *security, const char *fmt, ...)
{
    char line[LINE_SIZE];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, args); /* cut when too long */
    va_end(args);
    fc_server_report_line(&security->report, FC_DIAG_WARN, "%s", line);
}

void fc_security_note(struct fc_security *security, const char *fmt, ...)
{
    char line[LINE_SIZE];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, args); /* cut when too long */
    va_end(args);
    fc_diag_report(security->config->net.diag, FC_DIAG_INFO, "%s", line);
}

const char *fc_security_text(struct fc_slice text, char to[FC_AUDIT_TEXT_SIZE])
{
    size_t len = text.len < AUDIT_TEXT_MAX ? text.len : AUDIT_TEXT_MAX;
    for (size_t index = 0; index < len; index++) {
        bool plain = text.data[index] > 0x20 && text.data[index] < 0x7f;
        to[index] = plain ? (char)text.data[index] : '?';
    }
    (void)snprintf(to + len, FC_AUDIT_TEXT_SIZE - len, "%s", len < text.len ? "..." : "");
    return to;
}
