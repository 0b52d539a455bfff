/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/login_fuzz.h"

#include <sys/socket.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/wire/api.h"
#include "core/wire/messages.h"
#include "tests/support/spu_client.h"

enum { AT_ONCE = 64, TOKEN_MAX = 300, FRAMES_MAX = 8 };

static const char *const MECHANISMS[] = { "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "GSSAPI" };

/* What a right one may look like; | is 0. The password is none of them. */
static const char *const TOKENS[] = {
    "|tester|wrong",
    "tester|tester|wrong",
    "n,,n=tester,r=fyko+d2lbbFgONRv9qkxdawL||",
    "n,,n=tester,r=fyko+d2lbbFgONRv9qkxdawL",
    "n,a=admin,n=tester,r=abc",
    "y,,n=te=2Cs=3Dter,r=abc",
    "p=tls-unique,,n=tester,r=abc",
    "c=biws,r=fyko+d2lbbFgONRv9qkxdawL,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    "c=biws,r=,p=",
    "n,,n=,r=",
};

static uint64_t pick(struct login_fuzz *fuzz, uint64_t below)
{
    fuzz->state ^= fuzz->state << 13;
    fuzz->state ^= fuzz->state >> 7;
    fuzz->state ^= fuzz->state << 17;
    return fuzz->state % below;
}

static size_t make_token(struct login_fuzz *fuzz, uint8_t *token)
{
    const size_t count = sizeof(TOKENS) / sizeof(TOKENS[0]);
    const char *text;
    size_t len;
    if (pick(fuzz, 4) == 0) {
        len = pick(fuzz, TOKEN_MAX);
        for (size_t index = 0; index < len; index++) {
            token[index] = (uint8_t)pick(fuzz, 256);
        }
        return len;
    }
    text = TOKENS[pick(fuzz, count)];
    len = strlen(text);
    for (size_t index = 0; index < len; index++) {
        token[index] = text[index] == '|' ? 0 : (uint8_t)text[index];
    }
    if (pick(fuzz, 2) == 0) {
        token[pick(fuzz, len)] ^= (uint8_t)(1U << pick(fuzz, 8));
    }
    return pick(fuzz, 4) == 0 ? pick(fuzz, len) : len;
}

/* A frame behind what is there. */
static void add_request(struct fc_buf *to, int16_t key, int16_t version, const void *message)
{
    struct fc_buf frame;
    fc_buf_init(&frame, SPU_ANSWER_MAX);
    spu_frame(&frame, key, version, fc_wire_api(key)->request, message);
    fc_buf_append_slice(to, fc_buf_slice(&frame));
    fc_buf_release(&frame);
}

static void add_token(struct login_fuzz *fuzz, struct fc_buf *to, bool bare)
{
    struct fc_msg_sasl_authenticate_request authenticate;
    uint8_t token[TOKEN_MAX];
    size_t len = make_token(fuzz, token);
    if (bare) {
        fc_buf_append_be32(to, (uint32_t)len);
        fc_buf_append(to, token, len);
        return;
    }
    fc_wire_init(&fc_msg_sasl_authenticate_request_type, &authenticate);
    authenticate.auth_bytes = fc_slice_of(token, len);
    add_request(to, FC_API_SASL_AUTHENTICATE, (int16_t)pick(fuzz, 3), &authenticate);
}

static void make_login(struct login_fuzz *fuzz, struct fc_buf *to)
{
    struct fc_msg_sasl_handshake_request handshake;
    struct fc_msg_metadata_request metadata;
    int16_t version = (int16_t)pick(fuzz, 2);
    fc_wire_init(&fc_msg_sasl_handshake_request_type, &handshake);
    fc_wire_init(&fc_msg_metadata_request_type, &metadata);
    handshake.mechanism = fc_slice_text(MECHANISMS[pick(fuzz, 4)]);
    add_request(to, FC_API_SASL_HANDSHAKE, version, &handshake);
    for (uint64_t more = 1 + pick(fuzz, 3); more > 0; more--) {
        /* Now and then of the other kind. */
        add_token(fuzz, to, (version == 0) != (pick(fuzz, 8) == 0));
    }
    add_request(to, FC_API_METADATA, 12, &metadata);
    if (pick(fuzz, 8) == 0) {
        to->data[pick(fuzz, to->len)] ^= (uint8_t)(1U << pick(fuzz, 8));
    }
}

/* Nobody waits for an answer: what was sent is wrong, or ends in the middle of a frame. */
static bool is_closed(int fd)
{
    struct fc_buf reply;
    spu_answer got = SPU_ANSWER;
    fc_buf_init(&reply, SPU_ANSWER_MAX);
    (void)shutdown(fd, SHUT_WR);
    for (int frames = 0; got == SPU_ANSWER && frames < FRAMES_MAX; frames++) {
        got = spu_receive(fd, &reply, SPU_WAIT_MS);
    }
    fc_buf_release(&reply);
    return got == SPU_CLOSED;
}

bool login_fuzz_round(struct login_fuzz *fuzz)
{
    int fds[AT_ONCE];
    bool good = true;
    for (int index = 0; index < AT_ONCE; index++) {
        struct fc_buf bytes;
        fc_buf_init(&bytes, SPU_ANSWER_MAX);
        make_login(fuzz, &bytes);
        fds[index] = spu_dial(fuzz->port);
        good = good && fds[index] >= 0;
        (void)spu_send(fds[index], bytes.data, bytes.len);
        fuzz->tried++;
        fc_buf_release(&bytes);
    }
    for (int index = 0; index < AT_ONCE; index++) {
        good = is_closed(fds[index]) && good;
        (void)close(fds[index]);
    }
    return good;
}
