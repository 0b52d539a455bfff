/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/auth/plain.h"

#include "core/spu/auth/scram.h"

fc_code fc_plain_decode(struct fc_slice message, struct fc_plain *out_plain,
                        struct fc_error *err)
{
    const uint8_t *end;
    const uint8_t *first;
    const uint8_t *second;
    struct fc_slice authorization;
    if (message.data == NULL || message.len == 0) {
        return fc_fail(err, FC_ERR_PROTOCOL, "not a PLAIN message: it is empty");
    }
    end = message.data + message.len;
    first = memchr(message.data, '\0', message.len);
    second = first == NULL ? NULL : memchr(first + 1, '\0', (size_t)(end - first) - 1);
    if (second == NULL || memchr(second + 1, '\0', (size_t)(end - second) - 1) != NULL) {
        return fc_fail(err, FC_ERR_PROTOCOL, "not a PLAIN message: it has not three parts");
    }
    authorization = fc_slice_of(message.data, (size_t)(first - message.data));
    out_plain->user = fc_slice_of(first + 1, (size_t)(second - first) - 1);
    out_plain->password = fc_slice_of(second + 1, (size_t)(end - second) - 1);
    if (out_plain->user.len == 0 || out_plain->user.len > FC_SCRAM_USER_MAX ||
        out_plain->password.len == 0 || out_plain->password.len > FC_PLAIN_PASSWORD_MAX) {
        return fc_fail(err, FC_ERR_PROTOCOL,
                       "not a PLAIN message: user or password is empty or too long");
    }
    if (authorization.len > 0 && !fc_slice_equal(authorization, out_plain->user)) {
        return fc_fail(err, FC_ERR_PROTOCOL, "acting for another user is not done here");
    }
    return FC_OK;
}
