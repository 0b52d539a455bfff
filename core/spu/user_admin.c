/* SPDX-License-Identifier: Apache-2.0 */
/* DescribeUserScramCredentials and AlterUserScramCredentials. */
#include <openssl/crypto.h>

#include "core/spu/access.h"
#include "core/spu/auth/users.h"
#include "core/spu/handlers.h"
#include "core/spu/security.h"

enum { TRIES = 5 };

/* --- Describe --- */

static bool describe(struct fc_spu *spu, struct fc_request *request, struct fc_slice name,
                     struct fc_msg_describe_user_scram_credentials_response_result *out)
{
    struct fc_user user;
    struct fc_error err;
    out->user = name;
    if (fc_users_get(fc_security_store(spu->security), name, &user, &err) != FC_OK) {
        out->error_code = (int16_t)fc_kafka_error_of(err.code);
        out->error_message = fc_answer_message(request, &err);
        return true;
    }
    if (user.revision == FC_STORE_ABSENT) {
        out->error_code = FC_KAFKA_RESOURCE_NOT_FOUND;
        out->error_message = fc_slice_text("there is no such user");
        return true;
    }
    out->credential_infos =
        fc_wire_array(&request->arena,
                      &fc_msg_describe_user_scram_credentials_response_credential_info_type, 2);
    if (out->credential_infos == NULL) {
        return false;
    }
    for (int kind = FC_SCRAM_SHA_256; kind <= FC_SCRAM_SHA_512; kind++) {
        const struct fc_scram_credential *credential =
            fc_user_credential(&user, (fc_scram_kind)kind);
        if ((int)credential->kind != 0) {
            struct fc_msg_describe_user_scram_credentials_response_credential_info *info =
                &out->credential_infos[out->credential_infos_count++];
            info->mechanism = (int8_t)credential->kind;
            info->iterations = credential->iterations;
        }
    }
    OPENSSL_cleanse(&user, sizeof(user));
    return true;
}

/* The names that are asked for, or all. */
struct names {
    struct fc_request *request;
    struct fc_slice *items;
    int32_t count;
    int32_t room;
};

static void count_name(void *ctx, struct fc_slice name)
{
    struct names *names = ctx;
    (void)name;
    names->room++;
}

static void add_name(void *ctx, struct fc_slice name)
{
    struct names *names = ctx;
    if (names->count < names->room) {
        names->items[names->count++] = fc_arena_copy(&names->request->arena, name);
    }
}

static bool list_names(struct fc_spu *spu, struct names *names,
                       const struct fc_msg_describe_user_scram_credentials_request *ask)
{
    struct fc_store *store = fc_security_store(spu->security);
    bool all = ask->users_count <= 0;
    names->room = all ? 0 : ask->users_count;
    if (all && fc_users_each(store, count_name, names, NULL) != FC_OK) {
        return false;
    }
    names->items = fc_wire_array(&names->request->arena, &fc_wire_string_type, names->room);
    if (names->items == NULL) {
        return false;
    }
    for (int32_t index = 0; !all && index < ask->users_count; index++) {
        names->items[names->count++] = ask->users[index].name;
    }
    return !all || fc_users_each(store, add_name, names, NULL) == FC_OK;
}

static bool is_twice(const struct names *names, int32_t which)
{
    for (int32_t index = 0; index < names->count; index++) {
        if (index != which && fc_slice_equal(names->items[index], names->items[which])) {
            return true;
        }
    }
    return false;
}

void fc_handle_describe_user_scram_credentials(struct fc_spu *spu, struct fc_request *request,
                                               const void *message)
{
    const struct fc_msg_describe_user_scram_credentials_request *ask = message;
    struct fc_msg_describe_user_scram_credentials_response response;
    struct names names = { .request = request };
    bool fits = true;
    fc_wire_init(&fc_msg_describe_user_scram_credentials_response_type, &response);
    if (!fc_access_may_cluster(spu, request, FC_OPERATION_DESCRIBE)) {
        response.error_code = FC_KAFKA_CLUSTER_AUTHORIZATION_FAILED;
        response.error_message =
            fc_slice_text(fc_kafka_error_message(FC_KAFKA_CLUSTER_AUTHORIZATION_FAILED));
        fc_answer(request, &response);
        return;
    }
    fits = list_names(spu, &names, ask);
    if (fits) {
        response.results = fc_wire_array(
            &request->arena, &fc_msg_describe_user_scram_credentials_response_result_type,
            names.count);
        fits = response.results != NULL;
    }
    for (int32_t index = 0; fits && index < names.count; index++) {
        struct fc_msg_describe_user_scram_credentials_response_result *out =
            &response.results[response.results_count++];
        if (ask->users_count > 0 && is_twice(&names, index)) {
            out->user = names.items[index];
            out->error_code = FC_KAFKA_DUPLICATE_RESOURCE;
            out->error_message = fc_slice_text("the user is asked for twice");
        } else {
            fits = describe(spu, request, names.items[index], out);
        }
    }
    if (fits) {
        fc_answer(request, &response);
    } else {
        fc_answer_too_large(request);
    }
}

/* --- Alter: all that is asked of one user is done together --- */

static bool is_known(int8_t mechanism)
{
    return mechanism == FC_SCRAM_SHA_256 || mechanism == FC_SCRAM_SHA_512;
}

/* Whether the request names the mechanism of the user more than once. */
static int32_t count_of(const struct fc_msg_alter_user_scram_credentials_request *ask,
                        struct fc_slice name, int8_t mechanism)
{
    int32_t count = 0;
    for (int32_t index = 0; index < ask->deletions_count; index++) {
        count += ask->deletions[index].mechanism == mechanism &&
                 fc_slice_equal(ask->deletions[index].name, name);
    }
    for (int32_t index = 0; index < ask->upsertions_count; index++) {
        count += ask->upsertions[index].mechanism == mechanism &&
                 fc_slice_equal(ask->upsertions[index].name, name);
    }
    return count;
}

static fc_kafka_error refuse(fc_kafka_error error, const char *why, struct fc_error *err)
{
    (void)fc_fail(err, FC_ERR_CONFIG, "%s", why);
    return error;
}

static fc_kafka_error
apply_deletion(const struct fc_msg_alter_user_scram_credentials_request *ask, int32_t index,
               struct fc_user *user, struct fc_error *err)
{
    const struct fc_msg_alter_user_scram_credentials_request_deletion *asked =
        &ask->deletions[index];
    struct fc_scram_credential *credential;
    if (!is_known(asked->mechanism)) {
        return refuse(FC_KAFKA_UNSUPPORTED_SASL_MECHANISM, "unknown SCRAM mechanism", err);
    }
    if (count_of(ask, asked->name, asked->mechanism) > 1) {
        return refuse(FC_KAFKA_DUPLICATE_RESOURCE, "a user's mechanism is there twice", err);
    }
    credential = fc_user_credential(user, (fc_scram_kind)asked->mechanism);
    if ((int)credential->kind == 0) {
        return refuse(FC_KAFKA_RESOURCE_NOT_FOUND, "the user has no such credential", err);
    }
    memset(credential, 0, sizeof(*credential));
    return FC_KAFKA_NONE;
}

static fc_kafka_error
apply_upsertion(const struct fc_msg_alter_user_scram_credentials_request *ask, int32_t index,
                struct fc_user *user, struct fc_error *err)
{
    const struct fc_msg_alter_user_scram_credentials_request_upsertion *asked =
        &ask->upsertions[index];
    struct fc_scram_credential made;
    if (!is_known(asked->mechanism)) {
        return refuse(FC_KAFKA_UNSUPPORTED_SASL_MECHANISM, "unknown SCRAM mechanism", err);
    }
    if (count_of(ask, asked->name, asked->mechanism) > 1) {
        return refuse(FC_KAFKA_DUPLICATE_RESOURCE, "a user's mechanism is there twice", err);
    }
    if (fc_scram_from_salted((fc_scram_kind)asked->mechanism, asked->salted_password,
                             asked->salt, asked->iterations, &made, err) != FC_OK) {
        return FC_KAFKA_UNACCEPTABLE_CREDENTIAL;
    }
    *fc_user_credential(user, made.kind) = made;
    return FC_KAFKA_NONE;
}

/* What is asked for the user, all of it. */
static fc_kafka_error apply_all(const struct fc_msg_alter_user_scram_credentials_request *ask,
                                struct fc_slice name, struct fc_user *user,
                                struct fc_error *err)
{
    fc_kafka_error error = FC_KAFKA_NONE;
    if (name.len == 0 || name.len > FC_SCRAM_USER_MAX ||
        memchr(name.data, '\0', name.len) != NULL) {
        return refuse(FC_KAFKA_UNACCEPTABLE_CREDENTIAL, "a user's name has 1 to 255 bytes",
                      err);
    }
    for (int32_t index = 0; error == FC_KAFKA_NONE && index < ask->deletions_count; index++) {
        if (fc_slice_equal(ask->deletions[index].name, name)) {
            error = apply_deletion(ask, index, user, err);
        }
    }
    for (int32_t index = 0; error == FC_KAFKA_NONE && index < ask->upsertions_count; index++) {
        if (fc_slice_equal(ask->upsertions[index].name, name)) {
            error = apply_upsertion(ask, index, user, err);
        }
    }
    return error;
}

static void alter(struct fc_spu *spu, struct fc_request *request,
                  const struct fc_msg_alter_user_scram_credentials_request *ask,
                  struct fc_msg_alter_user_scram_credentials_response_result *out)
{
    struct fc_store *store = fc_security_store(spu->security);
    struct fc_user user;
    struct fc_error err;
    char name[FC_AUDIT_TEXT_SIZE];
    char by[FC_AUDIT_TEXT_SIZE];
    fc_kafka_error error = FC_KAFKA_NONE;
    fc_code code = FC_ERR_REJECTED;
    for (int try = 0; code == FC_ERR_REJECTED && error == FC_KAFKA_NONE && try < TRIES; try++) {
        code = fc_users_get(store, out->user, &user, &err);
        if (code == FC_OK) {
            error = apply_all(ask, out->user, &user, &err);
        }
        if (code == FC_OK && error == FC_KAFKA_NONE) {
            code = fc_users_put(store, out->user, &user, &err);
        }
    }
    OPENSSL_cleanse(&user, sizeof(user));
    error = error == FC_KAFKA_NONE ? fc_kafka_error_of(code) : error;
    out->error_code = (int16_t)error;
    if (error != FC_KAFKA_NONE) {
        out->error_message = fc_answer_message(request, &err);
        return;
    }
    fc_security_note(
        spu->security, "credentials changed user=%s by=%s", fc_security_text(out->user, name),
        fc_security_text(fc_slice_text(fc_connection_principal(request->connection)), by));
}

static void add_user(struct fc_msg_alter_user_scram_credentials_response *response,
                     struct fc_slice name)
{
    for (int32_t index = 0; index < response->results_count; index++) {
        if (fc_slice_equal(response->results[index].user, name)) {
            return;
        }
    }
    response->results[response->results_count++].user = name;
}

void fc_handle_alter_user_scram_credentials(struct fc_spu *spu, struct fc_request *request,
                                            const void *message)
{
    const struct fc_msg_alter_user_scram_credentials_request *ask = message;
    struct fc_msg_alter_user_scram_credentials_response response;
    bool may = fc_access_may_cluster(spu, request, FC_OPERATION_ALTER);
    fc_wire_init(&fc_msg_alter_user_scram_credentials_response_type, &response);
    response.results = fc_wire_array(&request->arena,
                                     &fc_msg_alter_user_scram_credentials_response_result_type,
                                     ask->deletions_count + ask->upsertions_count);
    if (response.results == NULL) {
        fc_answer_too_large(request);
        return;
    }
    for (int32_t index = 0; index < ask->deletions_count; index++) {
        add_user(&response, ask->deletions[index].name);
    }
    for (int32_t index = 0; index < ask->upsertions_count; index++) {
        add_user(&response, ask->upsertions[index].name);
    }
    for (int32_t index = 0; index < response.results_count; index++) {
        if (may) {
            alter(spu, request, ask, &response.results[index]);
        } else {
            response.results[index].error_code = FC_KAFKA_CLUSTER_AUTHORIZATION_FAILED;
            response.results[index].error_message =
                fc_slice_text(fc_kafka_error_message(FC_KAFKA_CLUSTER_AUTHORIZATION_FAILED));
        }
    }
    fc_answer(request, &response);
}
