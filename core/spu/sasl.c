/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SaslHandshake names a mechanism, SaslAuthenticate carries its messages. What is known of a
 * connection's exchange hangs on the connection and belongs to its loop's thread.
 *
 * SCRAM costs the server next to nothing and is done right there; PLAIN's password takes
 * milliseconds to verify, which a thread of its own does. Each failure is answered with the same
 * words a while later, counted from the request's arrival, so that neither words nor time tell a
 * wrong password from an unknown user, and then the connection is closed.
 *
 * After version 0 of SaslHandshake the messages come bare, without SaslAuthenticate around them,
 * and are answered so; a failure has no answer then, the connection closes.
 *
 * Who waits holds a few KB: the request's arena is given back before.
 */
#include "core/spu/sasl.h"

#include <inttypes.h>
#include <stdlib.h>

#include <openssl/crypto.h>

#include "core/base/alloc.h"
#include "core/spu/auth/plain.h"
#include "core/spu/auth/principal.h"
#include "core/spu/handlers.h"
#include "core/spu/security.h"

enum {
    FAILURE_DELAY_MS = 100, /* as connection.failed.authentication.delay.ms */
    ANSWER_MAX = 4096,
    BARE_TOKENS_VERSION = 0,
    NS_PER_MS = 1000000
};

static const struct {
    unsigned bit;
    const char *name;
} MECHANISMS[] = {
    { FC_SASL_SCRAM_SHA_512, "SCRAM-SHA-512" },
    { FC_SASL_SCRAM_SHA_256, "SCRAM-SHA-256" },
    { FC_SASL_PLAIN, "PLAIN" },
};

const char *fc_sasl_mechanism(size_t index, unsigned *out_bit)
{
    if (index >= sizeof(MECHANISMS) / sizeof(MECHANISMS[0])) {
        return NULL;
    }
    *out_bit = MECHANISMS[index].bit;
    return MECHANISMS[index].name;
}

/* In the connection's slot. Owned by the loop's thread. */
struct session {
    unsigned mechanism;     /* 0: no exchange is going on */
    struct fc_scram *scram; /* once the first message has come */
    bool known;             /* the user of scram has credentials */
    int64_t expires_ns;     /* steady; 0: never */
};

static void end_exchange(struct session *session)
{
    if (session->scram != NULL) {
        fc_scram_release(session->scram);
        free(session->scram);
        session->scram = NULL;
    }
    session->mechanism = 0;
}

static void free_session(void *auth)
{
    struct session *session = auth;
    if (session != NULL) {
        end_exchange(session);
        free(session);
    }
}

static const struct fc_spu_listener_auth *auth_of(const struct fc_spu *spu,
                                                  const struct fc_connection *connection)
{
    static const struct fc_spu_listener_auth nothing = { 0 };
    return spu->config.listeners_auth == NULL
               ? &nothing
               : &spu->config.listeners_auth[fc_connection_listener(connection)->index];
}

static const char *mechanism_name(unsigned bit)
{
    for (size_t index = 0; index < sizeof(MECHANISMS) / sizeof(MECHANISMS[0]); index++) {
        if (MECHANISMS[index].bit == bit) {
            return MECHANISMS[index].name;
        }
    }
    return "none";
}

void fc_sasl_on_connection(void *ctx, struct fc_connection *connection)
{
    const struct fc_spu *spu = ctx;
    const struct fc_spu_listener_auth *auth = auth_of(spu, connection);
    const char *subject = fc_connection_tls_subject(connection);
    char *principal;
    if (subject == NULL || auth->rules == NULL || auth->mechanisms != 0) {
        return;
    }
    principal = fc_principal_of_subject(auth->rules, subject);
    /* A certificate that no rule names is nobody's. It is the first principal: that works. */
    (void)fc_connection_set_principal(connection,
                                      principal == NULL ? "User:ANONYMOUS" : principal);
    free(principal);
}

bool fc_sasl_is_over(const struct fc_request *request)
{
    const struct session *session = fc_connection_auth(request->connection);
    return session != NULL && session->expires_ns != 0 &&
           request->received_ns > session->expires_ns;
}

/* --- SaslHandshake --- */

static void answer_and_close(struct fc_request *request, void *response)
{
    const struct fc_wire_api *api = fc_wire_api(request->api_key);
    struct fc_reply reply = { 0 };
    struct fc_error err;
    struct fc_buf *body = fc_reply_begin(&reply, request);
    if (fc_wire_encode(api->response, request->api_version, response, body, &err) == FC_OK) {
        reply.close_after = true;
        fc_request_reply(request, &reply);
    } else {
        fc_reply_release(&reply);
        fc_request_drop(request, err.message);
    }
}

/* What is wrong with the mechanism, or 0 and its bit. */
static fc_kafka_error choose(struct fc_spu *spu, const struct fc_request *request,
                             struct fc_slice name, unsigned *out_bit)
{
    const struct fc_spu_listener_auth *auth = auth_of(spu, request->connection);
    const struct fc_listener *listener = fc_connection_listener(request->connection);
    char text[FC_AUDIT_TEXT_SIZE];
    const char *why = "the listener does not offer it";
    /* Who logs in again has other requests in flight, which bare tokens cannot be told from. */
    if (auth->mechanisms == 0 || (request->api_version == BARE_TOKENS_VERSION &&
                                  fc_connection_principal(request->connection) != NULL)) {
        return FC_KAFKA_ILLEGAL_SASL_STATE;
    }
    for (size_t index = 0; index < sizeof(MECHANISMS) / sizeof(MECHANISMS[0]); index++) {
        if (fc_slice_equal_text(name, MECHANISMS[index].name)) {
            *out_bit = MECHANISMS[index].bit;
        }
    }
    if ((auth->mechanisms & *out_bit) != 0) {
        if (*out_bit != FC_SASL_PLAIN || listener->tls || auth->plain_without_tls) {
            return FC_KAFKA_NONE;
        }
        why = "PLAIN needs TLS: its passwords would go over the wire in clear";
    }
    fc_security_audit(spu->security, "mechanism refused: %s mechanism=%s peer=%s listener=%s",
                      why, fc_security_text(name, text),
                      fc_connection_peer_text(request->connection), listener->name);
    return FC_KAFKA_UNSUPPORTED_SASL_MECHANISM;
}

static void list_mechanisms(const struct fc_spu_listener_auth *auth, bool tls,
                            struct fc_slice *names,
                            struct fc_msg_sasl_handshake_response *response)
{
    response->mechanisms = names;
    for (size_t index = 0; index < sizeof(MECHANISMS) / sizeof(MECHANISMS[0]); index++) {
        bool in_clear =
            MECHANISMS[index].bit == FC_SASL_PLAIN && !tls && !auth->plain_without_tls;
        if ((auth->mechanisms & MECHANISMS[index].bit) != 0 && !in_clear) {
            names[response->mechanisms_count++] = fc_slice_text(MECHANISMS[index].name);
        }
    }
}

void fc_handle_sasl_handshake(struct fc_spu *spu, struct fc_request *request,
                              const void *message)
{
    const struct fc_msg_sasl_handshake_request *ask = message;
    struct fc_connection *connection = request->connection;
    struct fc_slice names[sizeof(MECHANISMS) / sizeof(MECHANISMS[0])];
    struct fc_msg_sasl_handshake_response response;
    struct session *session = fc_connection_auth(connection);
    unsigned bit = 0;
    fc_kafka_error error = choose(spu, request, ask->mechanism, &bit);
    fc_wire_init(&fc_msg_sasl_handshake_response_type, &response);
    list_mechanisms(auth_of(spu, connection), fc_connection_listener(connection)->tls, names,
                    &response);
    response.error_code = (int16_t)error;
    if (error != FC_KAFKA_NONE) {
        answer_and_close(request, &response);
        return;
    }
    if (session == NULL) {
        session = fc_new(struct session);
        fc_connection_set_auth(connection, session, free_session);
    }
    end_exchange(session);
    session->mechanism = bit;
    fc_connection_set_bare(connection, request->api_version == BARE_TOKENS_VERSION);
    fc_answer(request, &response);
}

/* A token, in its request or bare. */
static void answer_token(struct fc_request *request,
                         struct fc_msg_sasl_authenticate_response *response)
{
    struct fc_reply reply = { 0 };
    if (request->bare) {
        fc_buf_append_slice(fc_reply_begin(&reply, request), response->auth_bytes);
        fc_request_reply(request, &reply);
    } else {
        fc_answer(request, response);
    }
}

/* --- an answer that is not given at once --- */

/* Stands apart from the request, whose arena has gone. Owned by the loop's thread, but for the
 * password and what comes of it while the verifier has it. */
struct parked {
    struct fc_spu *spu;
    struct fc_request *request;
    struct fc_loop_timer timer;
    struct fc_task slow;
    struct fc_loop_task task;
    char user[FC_SCRAM_USER_MAX + 1];
    char password[FC_PLAIN_PASSWORD_MAX + 1];
    size_t password_len;
    bool right;
    fc_kafka_error error;
    char why[160]; /* for the client */
};

static void answer_failure(struct parked *parked)
{
    struct fc_msg_sasl_authenticate_response response;
    fc_wire_init(&fc_msg_sasl_authenticate_response_type, &response);
    response.error_code = (int16_t)parked->error;
    response.error_message = fc_slice_text(parked->why);
    if (parked->request->bare) {
        fc_request_drop(parked->request, "authentication failed");
    } else {
        answer_and_close(parked->request, &response);
    }
    free(parked);
}

static void on_time(void *ctx)
{
    struct parked *parked = ctx;
    fc_request_on_close(parked->request, NULL, NULL);
    answer_failure(parked);
}

static void on_closed(void *ctx, struct fc_request *request)
{
    struct parked *parked = ctx;
    fc_loop_timer_clear(fc_connection_loop(request->connection), &parked->timer);
    answer_failure(parked); /* it goes nowhere */
}

static struct parked *park(struct fc_spu *spu, struct fc_request *request)
{
    struct parked *parked = fc_new(struct parked);
    parked->spu = spu;
    parked->request = request;
    return parked;
}

/* Answer with an error, in a while. `why` is for the client, `who` and `really` for the audit. */
static void fail(struct parked *parked, fc_kafka_error error, const char *why, const char *who,
                 const char *really)
{
    struct fc_request *request = parked->request;
    struct fc_loop *loop = fc_connection_loop(request->connection);
    struct session *session = fc_connection_auth(request->connection);
    char text[FC_AUDIT_TEXT_SIZE];
    fc_security_audit(parked->spu->security,
                      "authentication failed: %s user=%s mechanism=%s peer=%s listener=%s",
                      really, fc_security_text(fc_slice_text(who), text),
                      mechanism_name(session == NULL ? 0 : session->mechanism),
                      fc_connection_peer_text(request->connection),
                      fc_connection_listener(request->connection)->name);
    parked->error = error;
    (void)snprintf(parked->why, sizeof(parked->why), "%s", why);
    if (session != NULL) {
        end_exchange(session); /* with what `who` may point to */
    }
    fc_arena_release(&request->arena);
    fc_loop_timer_init(&parked->timer, on_time, parked);
    fc_loop_timer_set(loop, &parked->timer,
                      request->received_ns / NS_PER_MS + FAILURE_DELAY_MS);
    fc_request_on_close(request, on_closed, parked);
}

static void fail_credentials(struct parked *parked, const char *who, const char *really)
{
    const struct session *session = fc_connection_auth(parked->request->connection);
    char why[128];
    (void)snprintf(why, sizeof(why),
                   "Authentication failed: wrong user or password for SASL mechanism %s",
                   mechanism_name(session->mechanism));
    fail(parked, FC_KAFKA_SASL_AUTHENTICATION_FAILED, why, who, really);
}

/* --- SaslAuthenticate --- */

static void succeed(struct fc_spu *spu, struct fc_request *request, const char *user,
                    struct fc_slice answer)
{
    struct session *session = fc_connection_auth(request->connection);
    const struct fc_spu_listener_auth *auth = auth_of(spu, request->connection);
    struct fc_msg_sasl_authenticate_response response;
    char *principal = fc_asprintf("User:%s", user);
    bool same = fc_connection_set_principal(request->connection, principal);
    free(principal);
    if (!same) {
        fail(park(spu, request), FC_KAFKA_SASL_AUTHENTICATION_FAILED,
             "Cannot change principals during re-authentication", user,
             "another user than before");
        return;
    }
    end_exchange(session);
    fc_wire_init(&fc_msg_sasl_authenticate_response_type, &response);
    response.auth_bytes = answer;
    session->expires_ns = 0;
    if (auth->reauth_ms > 0) {
        session->expires_ns = request->received_ns + auth->reauth_ms * NS_PER_MS;
        response.session_lifetime_ms = auth->reauth_ms;
    }
    fc_connection_set_bare(request->connection, false);
    answer_token(request, &response);
}

/* The loop's thread: what the verifier found. */
static void on_verified(void *ctx)
{
    struct parked *parked = ctx;
    if (parked->right) {
        succeed(parked->spu, parked->request, parked->user, fc_slice_of("", 0));
        free(parked);
    } else {
        fail_credentials(parked, parked->user, "wrong user or password");
    }
}

/* The verifier's thread. */
static void verify(void *ctx)
{
    struct parked *parked = ctx;
    struct fc_security *security = parked->spu->security;
    struct fc_slice user = fc_slice_text(parked->user);
    struct fc_scram_credential credential;
    struct fc_error err;
    bool known = false;
    fc_code code =
        fc_security_credential(security, FC_SCRAM_SHA_512, user, &credential, &known, &err);
    if (code == FC_OK && !known) {
        struct fc_scram_credential other;
        code = fc_security_credential(security, FC_SCRAM_SHA_256, user, &other, &known, &err);
        credential = known ? other : credential;
    }
    parked->right =
        fc_scram_verify(&credential, fc_slice_of(parked->password, parked->password_len)) &&
        code == FC_OK && known;
    OPENSSL_cleanse(parked->password, sizeof(parked->password));
    OPENSSL_cleanse(&credential, sizeof(credential));
    fc_loop_post(fc_connection_loop(parked->request->connection), &parked->task);
}

static void authenticate_plain(struct fc_spu *spu, struct fc_request *request,
                               struct fc_slice message)
{
    struct parked *parked = park(spu, request);
    struct fc_plain plain;
    struct fc_error err;
    if (fc_plain_decode(message, &plain, &err) != FC_OK) {
        fail(parked, FC_KAFKA_SASL_AUTHENTICATION_FAILED, err.message, "", err.message);
        return;
    }
    memcpy(parked->user, plain.user.data, plain.user.len);
    memcpy(parked->password, plain.password.data, plain.password.len);
    parked->password_len = plain.password.len;
    parked->slow.on_run = verify;
    parked->slow.ctx = parked;
    parked->task.on_run = on_verified;
    parked->task.ctx = parked;
    fc_arena_release(&request->arena);
    fc_task_queue_add(fc_security_verifier(spu->security), &parked->slow);
}

static void begin_scram(struct fc_spu *spu, struct fc_request *request, struct session *session,
                        struct fc_slice message)
{
    struct fc_msg_sasl_authenticate_response response;
    struct fc_scram_credential credential;
    struct fc_scram *scram = fc_new(struct fc_scram);
    struct fc_error err;
    session->scram = scram;
    fc_scram_init(scram, session->mechanism == FC_SASL_SCRAM_SHA_512 ? FC_SCRAM_SHA_512
                                                                     : FC_SCRAM_SHA_256);
    if (fc_scram_first(scram, message, &err) != FC_OK ||
        fc_security_credential(spu->security, scram->kind, fc_slice_text(scram->user),
                               &credential, &session->known, &err) != FC_OK) {
        fail(park(spu, request), FC_KAFKA_SASL_AUTHENTICATION_FAILED,
             err.code == FC_ERR_PROTOCOL ? err.message : "Authentication failed", scram->user,
             err.message);
        return;
    }
    fc_scram_challenge(scram, &credential, NULL);
    fc_wire_init(&fc_msg_sasl_authenticate_response_type, &response);
    response.auth_bytes = fc_buf_slice(&scram->server_first);
    answer_token(request, &response);
}

static void end_scram(struct fc_spu *spu, struct fc_request *request, struct session *session,
                      struct fc_slice message)
{
    char user[FC_SCRAM_USER_MAX + 1];
    struct fc_buf answer;
    struct fc_error err;
    fc_code code;
    fc_buf_init(&answer, ANSWER_MAX);
    memcpy(user, session->scram->user, sizeof(user));
    code = fc_scram_final(session->scram, message, &answer, &err);
    if (code == FC_OK && session->known) {
        succeed(spu, request, user, fc_buf_slice(&answer));
    } else if (code == FC_ERR_PROTOCOL) {
        fail(park(spu, request), FC_KAFKA_SASL_AUTHENTICATION_FAILED, err.message, user,
             err.message);
    } else {
        fail_credentials(park(spu, request), user, "wrong user or password");
    }
    fc_buf_release(&answer);
}

static void authenticate(struct fc_spu *spu, struct fc_request *request, struct fc_slice token)
{
    struct session *session = fc_connection_auth(request->connection);
    if (session == NULL || session->mechanism == 0) {
        fail(park(spu, request), FC_KAFKA_ILLEGAL_SASL_STATE,
             "SaslAuthenticate without SaslHandshake before it", "", "no mechanism was named");
    } else if (session->mechanism == FC_SASL_PLAIN) {
        authenticate_plain(spu, request, token);
    } else if (session->scram == NULL) {
        begin_scram(spu, request, session, token);
    } else {
        end_scram(spu, request, session, token);
    }
}

void fc_handle_sasl_authenticate(struct fc_spu *spu, struct fc_request *request,
                                 const void *message)
{
    const struct fc_msg_sasl_authenticate_request *ask = message;
    authenticate(spu, request, ask->auth_bytes);
}

void fc_sasl_on_token(struct fc_spu *spu, struct fc_request *request)
{
    authenticate(spu, request, fc_slice_of(request->body, request->body_len));
}
