/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as what a stranger sends to log in, and as what stands in the store. The first byte
 * chooses: 0 SCRAM's two messages with a zero byte between, 1 PLAIN, 2 a certificate's subject, 3 a store's file, 4 a
 * quota's value, 5 a part of a path.
 */
#include <stdlib.h>

#include "catalog/store_file.h"
#include "core/base/alloc.h"
#include "core/spu/auth/path.h"
#include "core/spu/auth/plain.h"
#include "core/spu/auth/principal.h"
#include "core/spu/auth/quota.h"
#include "core/spu/auth/scram.h"

enum { TEXT_MAX = 1 << 16, CHOICES = 6 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No bytes are the right proof of a password that nobody has. */
static void log_in(struct fc_slice bytes)
{
    const uint8_t *end = bytes.len == 0 ? NULL : memchr(bytes.data, '\0', bytes.len);
    size_t first_len = end == NULL ? bytes.len : (size_t)(end - bytes.data);
    struct fc_scram_credential credential;
    struct fc_scram scram;
    struct fc_buf answer;
    struct fc_error err;
    fc_scram_init(&scram, FC_SCRAM_SHA_256);
    fc_buf_init(&answer, TEXT_MAX);
    if (fc_scram_first(&scram, fc_slice_of(bytes.data, first_len), &err) == FC_OK) {
        fc_scram_made_up(FC_SCRAM_SHA_256, fc_slice_text("secret"), fc_slice_text(scram.user),
                         &credential);
        fc_scram_challenge(&scram, &credential, "nonce");
        if (end != NULL) {
            fc_assert(fc_scram_final(&scram, fc_slice_of(end + 1, bytes.len - first_len - 1),
                                     &answer, &err) != FC_OK);
        }
    }
    fc_scram_release(&scram);
    fc_buf_release(&answer);
}

static void map_subject(struct fc_slice bytes)
{
    static const char *const texts[] = { "RULE:^CN=([^,]+),OU=([a-z]*).*$/$2-$1/U", "DEFAULT" };
    struct fc_principal_rules *rules = NULL;
    char *subject = fc_strndup(bytes.len == 0 ? "" : (const char *)bytes.data, bytes.len);
    fc_assert(fc_principal_rules_new(texts, 2, &rules, NULL) == FC_OK);
    free(fc_principal_of_subject(rules, subject));
    fc_principal_rules_free(rules);
    free(subject);
}

/* What is accepted can be written again and gives the same. */
static void read_store(struct fc_slice bytes)
{
    struct fc_store_table table = { 0 };
    struct fc_store_table again = { 0 };
    struct fc_store_file file = { 0 };
    struct fc_store_file file_again = { 0 };
    struct fc_error err;
    struct fc_buf written;
    fc_buf_init(&written, (size_t)TEXT_MAX * 64);
    if (fc_store_file_decode(bytes, "store", &table, &file, &err) == FC_OK) {
        fc_assert(file.size <= bytes.len);
        fc_store_file_encode(&written, &table, file.revision, &file);
        fc_assert(!written.failed);
        fc_assert(fc_store_file_decode(fc_buf_slice(&written), "store", &again, &file_again,
                                       &err) == FC_OK);
        fc_assert(again.count == table.count && again.bytes == table.bytes &&
                  file_again.size == written.len);
    }
    fc_buf_release(&written);
    fc_store_table_release(&table);
    fc_store_table_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fc_slice bytes = fc_slice_of(data + 1, size == 0 ? 0 : size - 1);
    struct fc_quota_values values;
    struct fc_plain plain;
    struct fc_buf part;
    if (size == 0) {
        return 0;
    }
    fc_buf_init(&part, TEXT_MAX);
    switch (data[0] % CHOICES) {
    case 0:
        log_in(bytes);
        break;
    case 1:
        if (fc_plain_decode(bytes, &plain, NULL) == FC_OK) {
            fc_assert(plain.user.len > 0 && plain.user.len <= FC_SCRAM_USER_MAX &&
                      plain.password.len > 0);
        }
        break;
    case 2:
        map_subject(bytes);
        break;
    case 3:
        read_store(bytes);
        break;
    case 4:
        (void)fc_quota_value_decode(bytes, &values);
        break;
    default:
        (void)fc_path_take(&bytes, &part);
        break;
    }
    fc_buf_release(&part);
    return 0;
}
