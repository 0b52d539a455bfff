/* SPDX-License-Identifier: Apache-2.0 */
/* Users, ACLs and quotas in a store, and what is read back after a restart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "catalog/store_local.h"
#include "core/spu/auth/acl_store.h"
#include "core/spu/auth/path.h"
#include "core/spu/auth/quota.h"
#include "core/spu/auth/roles.h"
#include "core/spu/auth/users.h"
#include "tests/support/fs_lossy.h"

struct fixture {
    struct fc_fs *fs;
    struct fc_store *store;
    struct fc_error err;
};

static void reopen(struct fixture *fixture)
{
    fc_store_close(fixture->store);
    fixture->store = NULL;
    assert_int_equal(fc_store_local_open(fixture->fs, "", &fixture->store, &fixture->err),
                     FC_OK);
}

static int set_up(void **state)
{
    static struct fixture fixture; /* one test at a time */
    memset(&fixture, 0, sizeof(fixture));
    fixture.fs = fs_lossy_new(3, 512);
    reopen(&fixture);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    fc_store_close(fixture->store);
    fs_lossy_free(fixture->fs);
    return 0;
}

static void parts_of_paths_come_back_whatever_their_bytes(void **state)
{
    uint8_t name[256];
    struct fc_buf path;
    struct fc_buf part;
    struct fc_slice rest;
    (void)state;
    for (size_t index = 0; index < sizeof(name); index++) {
        name[index] = (uint8_t)index;
    }
    fc_buf_init(&path, 4096);
    fc_buf_init(&part, 4096);
    fc_path_append(&path, fc_slice_of(name, sizeof(name)));
    fc_buf_append_text(&path, "/b");
    rest = fc_buf_slice(&path);
    assert_true(fc_path_take(&rest, &part));
    assert_int_equal(part.len, sizeof(name));
    assert_memory_equal(part.data, name, sizeof(name));
    fc_buf_clear(&part);
    assert_true(fc_path_take(&rest, &part));
    assert_int_equal(rest.len, 0);
    rest = fc_slice_text("a%2");
    assert_false(fc_path_take(&rest, &part));
    rest = fc_slice_text("a b");
    assert_false(fc_path_take(&rest, &part));
    fc_buf_release(&path);
    fc_buf_release(&part);
}

static void a_users_password_is_verified_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    struct fc_user user;
    struct fc_slice name = fc_slice_text("j/\xc3\xb6rg ,=");
    assert_int_equal(
        fc_users_set_password(fixture->store, name, fc_slice_text("secret"), &fixture->err),
        FC_OK);
    reopen(fixture);
    assert_int_equal(fc_users_get(fixture->store, name, &user, &fixture->err), FC_OK);
    assert_true(user.revision > 0);
    assert_true(fc_scram_verify(&user.sha_256, fc_slice_text("secret")));
    assert_true(fc_scram_verify(&user.sha_512, fc_slice_text("secret")));
    assert_false(fc_scram_verify(&user.sha_512, fc_slice_text("Secret")));
}

static void a_user_changed_meanwhile_is_not_overwritten(void **state)
{
    struct fixture *fixture = *state;
    struct fc_user before;
    struct fc_slice name = fc_slice_text("ada");
    assert_int_equal(
        fc_users_set_password(fixture->store, name, fc_slice_text("one"), &fixture->err),
        FC_OK);
    assert_int_equal(fc_users_get(fixture->store, name, &before, &fixture->err), FC_OK);
    assert_int_equal(
        fc_users_set_password(fixture->store, name, fc_slice_text("two"), &fixture->err),
        FC_OK);
    assert_int_equal(fc_users_put(fixture->store, name, &before, &fixture->err),
                     FC_ERR_REJECTED);
}

static void a_user_without_credentials_is_gone(void **state)
{
    struct fixture *fixture = *state;
    struct fc_user user;
    struct fc_slice name = fc_slice_text("ada");
    assert_int_equal(
        fc_users_set_password(fixture->store, name, fc_slice_text("one"), &fixture->err),
        FC_OK);
    assert_int_equal(fc_users_get(fixture->store, name, &user, &fixture->err), FC_OK);
    memset(&user.sha_256, 0, sizeof(user.sha_256));
    memset(&user.sha_512, 0, sizeof(user.sha_512));
    assert_int_equal(fc_users_put(fixture->store, name, &user, &fixture->err), FC_OK);
    assert_int_equal(fc_users_get(fixture->store, name, &user, &fixture->err), FC_OK);
    assert_int_equal(user.revision, FC_STORE_ABSENT);
}

static void unknown_users_are_answered_alike_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    struct fc_buf first;
    struct fc_buf again;
    fc_buf_init(&first, 256);
    fc_buf_init(&again, 256);
    assert_int_equal(fc_users_secret(fixture->store, &first, &fixture->err), FC_OK);
    reopen(fixture);
    assert_int_equal(fc_users_secret(fixture->store, &again, &fixture->err), FC_OK);
    assert_int_equal(first.len, 32);
    assert_true(fc_slice_equal(fc_buf_slice(&first), fc_buf_slice(&again)));
    fc_buf_release(&first);
    fc_buf_release(&again);
}

static void a_roles_entries_work_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    struct fc_acl acls[FC_ROLE_ACLS_MAX];
    struct fc_acl_caller caller = { fc_slice_text("User:a/b"), fc_slice_text("::1") };
    size_t count = fc_role_acls("user", caller.principal, acls);
    struct fc_acls *loaded = NULL;
    int64_t revision = 0;
    assert_true(count > 0);
    assert_int_equal(fc_role_acls("king", caller.principal, acls), 0);
    count = fc_role_acls("user", caller.principal, acls);
    for (size_t index = 0; index < count; index++) {
        struct fc_buf key;
        assert_true(fc_acl_operation_is_for(acls[index].operation, acls[index].resource));
        fc_buf_init(&key, 4096);
        fc_acl_key_append(&key, &acls[index]);
        assert_int_equal(fc_store_put(fixture->store, fc_buf_slice(&key), fc_slice_of("", 0),
                                      FC_STORE_ABSENT, &fixture->err),
                         FC_OK);
        fc_buf_release(&key);
    }
    reopen(fixture);
    assert_int_equal(fc_acls_load(fixture->store, &loaded, &revision, &fixture->err), FC_OK);
    assert_int_equal(fc_acls_count(loaded), count);
    assert_true(fc_acls_allow(loaded, &caller, FC_OPERATION_WRITE, FC_RESOURCE_TOPIC,
                              fc_slice_text("any")));
    assert_false(fc_acls_allow(loaded, &caller, FC_OPERATION_DELETE, FC_RESOURCE_TOPIC,
                               fc_slice_text("any")));
    assert_false(fc_acls_allow(loaded, &caller, FC_OPERATION_ALTER, FC_RESOURCE_CLUSTER,
                               fc_slice_text(FC_ACL_CLUSTER)));
    fc_acls_free(loaded);
    assert_int_equal(fc_store_put(fixture->store, fc_slice_text("acls/TOPIC/LITERAL/x"),
                                  fc_slice_of("", 0), FC_STORE_ABSENT, &fixture->err),
                     FC_OK);
    assert_int_equal(fc_acls_load(fixture->store, &loaded, &revision, &fixture->err),
                     FC_ERR_CORRUPT);
}

/* --- quotas --- */

static struct fc_quota_part part(const char *name)
{
    struct fc_quota_part made = { FC_QUOTA_ABSENT, { NULL, 0 } };
    if (name != NULL) {
        made.kind = name[0] == '*' ? FC_QUOTA_DEFAULT : FC_QUOTA_NAMED;
        made.name = fc_slice_text(name);
    }
    return made;
}

static void set_quota(struct fixture *fixture, const char *user, const char *client,
                      double value)
{
    struct fc_quota_entity entity = { .user = part(user), .client = part(client) };
    struct fc_quota_values values = { { true, false, false }, { value, 0, 0 } };
    struct fc_buf key;
    struct fc_buf text;
    fc_buf_init(&key, 4096);
    fc_buf_init(&text, 4096);
    fc_quota_key_append(&key, &entity);
    fc_quota_value_append(&text, &values);
    assert_int_equal(fc_store_put(fixture->store, fc_buf_slice(&key), fc_buf_slice(&text),
                                  FC_STORE_ABSENT, &fixture->err),
                     FC_OK);
    fc_buf_release(&key);
    fc_buf_release(&text);
}

static double quota_of(const struct fc_quotas_set *set, const char *user, const char *client)
{
    struct fc_quota_entity shared;
    double limit = 0;
    return fc_quotas_find(set, FC_QUOTA_PRODUCE, fc_slice_text(user), fc_slice_text(client),
                          &limit, &shared)
               ? limit
               : -1;
}

static void the_most_specific_quota_counts(void **state)
{
    struct fixture *fixture = *state;
    struct fc_quotas_set *set = NULL;
    int64_t revision = 0;
    set_quota(fixture, "ada", "app/1", 1);
    set_quota(fixture, "ada", "*", 2);
    set_quota(fixture, "bob", NULL, 3);
    set_quota(fixture, "*", "app/1", 4);
    set_quota(fixture, "*", "*", 5);
    reopen(fixture);
    assert_int_equal(fc_quotas_load(fixture->store, &set, &revision, &fixture->err), FC_OK);
    assert_true(quota_of(set, "ada", "app/1") == 1);
    assert_true(quota_of(set, "ada", "other") == 2);
    assert_true(quota_of(set, "bob", "app/1") == 3);
    assert_true(quota_of(set, "eve", "app/1") == 4);
    assert_true(quota_of(set, "eve", "other") == 5);
    assert_true(fc_quotas_has(set, FC_QUOTA_PRODUCE));
    assert_false(fc_quotas_has(set, FC_QUOTA_CONSUME));
    fc_quotas_set_free(set);
}

static void quotas_of_clients_count_where_users_have_none(void **state)
{
    struct fixture *fixture = *state;
    struct fc_quotas_set *set = NULL;
    int64_t revision = 0;
    set_quota(fixture, NULL, "app", 1.5);
    set_quota(fixture, NULL, "*", 2.5);
    set_quota(fixture, "ada", NULL, 9);
    assert_int_equal(fc_quotas_load(fixture->store, &set, &revision, &fixture->err), FC_OK);
    assert_true(quota_of(set, "ada", "app") == 9);
    assert_true(quota_of(set, "bob", "app") == 1.5);
    assert_true(quota_of(set, "bob", "") == 2.5);
    fc_quotas_set_free(set);
}

static void quotas_of_addresses_are_kept_by_one_spelling(void **state)
{
    struct fixture *fixture = *state;
    const struct fc_quota_values values = { .set = { [FC_QUOTA_CONNECT] = true },
                                            .value = { [FC_QUOTA_CONNECT] = 7 } };
    struct fc_quotas_set *set = NULL;
    struct fc_quota_entity shared;
    char ip[FC_QUOTA_IP_SIZE];
    struct fc_quota_entity entity = { .ip = { FC_QUOTA_NAMED, { NULL, 0 } } };
    struct fc_buf key;
    struct fc_buf text;
    double limit = 0;
    int64_t revision = 0;
    assert_true(fc_quota_ip(fc_slice_text("2001:DB8:0::1"), ip));
    assert_string_equal(ip, "2001:db8::1");
    entity.ip.name = fc_slice_text(ip);
    fc_buf_init(&key, 1024);
    fc_buf_init(&text, 1024);
    fc_quota_key_append(&key, &entity);
    fc_quota_value_append(&text, &values);
    assert_int_equal(fc_store_put(fixture->store, fc_buf_slice(&key), fc_buf_slice(&text),
                                  FC_STORE_ANYTHING, &fixture->err),
                     FC_OK);
    assert_int_equal(fc_quotas_load(fixture->store, &set, &revision, &fixture->err), FC_OK);
    assert_true(fc_quotas_find_ip(set, fc_slice_text("2001:db8::1"), &limit, &shared));
    assert_true(limit == 7);
    assert_false(fc_quotas_find_ip(set, fc_slice_text("2001:db8::2"), &limit, &shared));
    fc_quotas_set_free(set);
    fc_buf_release(&key);
    fc_buf_release(&text);
    assert_true(fc_quota_ip(fc_slice_text("::ffff:10.0.0.8"), ip)); /* as peers are named */
    assert_string_equal(ip, "10.0.0.8");
    assert_false(fc_quota_ip(fc_slice_text("localhost"), ip));
    assert_false(fc_quota_ip(fc_slice_text("10.0.0"), ip));
    assert_false(fc_quota_ip(fc_slice_text(""), ip));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_paths_come_back_whatever_their_bytes),
        cmocka_unit_test_setup_teardown(a_users_password_is_verified_after_a_restart, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_user_changed_meanwhile_is_not_overwritten, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_user_without_credentials_is_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unknown_users_are_answered_alike_after_a_restart,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_roles_entries_work_after_a_restart, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_most_specific_quota_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(quotas_of_addresses_are_kept_by_one_spelling, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(quotas_of_clients_count_where_users_have_none, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
