/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question is answered by a few look-ups: the entries for the very name, for all names, and for
 * each prefix of the name whose length some entry has; each for the principal and for all. What
 * is found there is a short list of hosts with a bit for each operation that is allowed or denied.
 */
#include "core/spu/auth/acl.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/hashmap.h"

enum { KEY_MAX = 2 + FC_ACL_NAME_MAX + FC_ACL_PRINCIPAL_MAX, RESOURCES = FC_RESOURCE_USER + 1 };

static const char ALL_PRINCIPALS[] = "User:*";

/* What is allowed and denied from one host, bit n for operation n. */
struct host_rule {
    struct host_rule *next;
    struct fc_slice host;
    uint32_t allowed; /* with what it implies */
    uint32_t denied;
};

struct fc_acls {
    struct fc_acl *items;
    size_t count;
    uint8_t *texts;
    struct fc_hashmap rules; /* resource, pattern, name, principal -> first struct host_rule */
    uint16_t *lengths[RESOURCES]; /* of prefixes that entries have, ascending, by resource */
    size_t lengths_count[RESOURCES];
};

/* --- making --- */

/* What an operation that is allowed allows, too. */
static uint32_t implied_by(fc_operation operation)
{
    uint32_t bits = 1U << operation;
    switch (operation) {
    case FC_OPERATION_ALL:
        return UINT32_MAX;
    case FC_OPERATION_READ:
    case FC_OPERATION_WRITE:
    case FC_OPERATION_DELETE:
    case FC_OPERATION_ALTER:
        return bits | 1U << FC_OPERATION_DESCRIBE;
    case FC_OPERATION_ALTER_CONFIGS:
        return bits | 1U << FC_OPERATION_DESCRIBE_CONFIGS;
    case FC_OPERATION_ANY:
    case FC_OPERATION_CREATE:
    case FC_OPERATION_DESCRIBE:
    case FC_OPERATION_CLUSTER_ACTION:
    case FC_OPERATION_DESCRIBE_CONFIGS:
    case FC_OPERATION_IDEMPOTENT_WRITE:
    case FC_OPERATION_CREATE_TOKENS:
    case FC_OPERATION_DESCRIBE_TOKENS:
        break;
    }
    return bits;
}

/* No name and no principal is so long as to run into another's key: they are checked. */
static struct fc_slice make_key(uint8_t to[KEY_MAX], fc_resource resource, fc_pattern pattern,
                                struct fc_slice name, struct fc_slice principal)
{
    to[0] = (uint8_t)((unsigned)resource << 4 | (unsigned)pattern);
    memcpy(to + 1, name.data, name.len);
    to[1 + name.len] = '\0'; /* not in a name of ours */
    memcpy(to + 2 + name.len, principal.data, principal.len);
    return fc_slice_of(to, 2 + name.len + principal.len);
}

static void add_length(struct fc_acls *acls, fc_resource resource, size_t length)
{
    uint16_t *lengths = acls->lengths[resource];
    size_t count = acls->lengths_count[resource];
    size_t at = 0;
    while (at < count && lengths[at] < length) {
        at++;
    }
    if (at < count && lengths[at] == length) {
        return;
    }
    lengths = fc_realloc_array(lengths, count + 1, sizeof(uint16_t));
    memmove(&lengths[at + 1], &lengths[at], (count - at) * sizeof(uint16_t));
    lengths[at] = (uint16_t)length;
    acls->lengths[resource] = lengths;
    acls->lengths_count[resource] = count + 1;
}

static void add_rule(struct fc_acls *acls, const struct fc_acl *acl)
{
    uint8_t bytes[KEY_MAX];
    struct fc_slice key =
        make_key(bytes, acl->resource, acl->pattern, acl->name, acl->principal);
    struct host_rule *first = fc_hashmap_get(&acls->rules, key);
    struct host_rule *rule = first;
    while (rule != NULL && !fc_slice_equal(rule->host, acl->host)) {
        rule = rule->next;
    }
    if (rule == NULL) {
        rule = fc_new(struct host_rule);
        rule->host = acl->host;
        rule->next = first;
        (void)fc_hashmap_put(&acls->rules, key, rule);
    }
    if (acl->permission == FC_PERMISSION_ALLOW) {
        rule->allowed |= implied_by(acl->operation);
    } else {
        rule->denied |= acl->operation == FC_OPERATION_ALL ? UINT32_MAX : 1U << acl->operation;
    }
    if (acl->pattern == FC_PATTERN_PREFIXED) {
        add_length(acls, acl->resource, acl->name.len);
    }
}

static struct fc_slice keep(uint8_t **to, struct fc_slice text)
{
    struct fc_slice kept = fc_slice_of(*to, text.len);
    memcpy(*to, text.data, text.len);
    *to += text.len;
    return kept;
}

struct fc_acls *fc_acls_new(const struct fc_acl *items, size_t count)
{
    struct fc_acls *acls = fc_new(struct fc_acls);
    size_t bytes = 0;
    uint8_t *to;
    fc_hashmap_init(&acls->rules);
    for (size_t index = 0; index < count; index++) {
        bytes += items[index].name.len + items[index].principal.len + items[index].host.len;
    }
    acls->items = fc_new_array(struct fc_acl, count + 1);
    acls->texts = fc_alloc_zeroed(1, bytes + 1);
    acls->count = count;
    to = acls->texts;
    for (size_t index = 0; index < count; index++) {
        struct fc_acl *acl = &acls->items[index];
        *acl = items[index];
        fc_assert(acl->name.len <= FC_ACL_NAME_MAX &&
                  acl->principal.len <= FC_ACL_PRINCIPAL_MAX &&
                  fc_resource_name(acl->resource) != NULL);
        acl->name = keep(&to, items[index].name);
        acl->principal = keep(&to, items[index].principal);
        acl->host = keep(&to, items[index].host);
        add_rule(acls, acl);
    }
    return acls;
}

static void free_rules(void *value)
{
    struct host_rule *rule = value;
    while (rule != NULL) {
        struct host_rule *next = rule->next;
        free(rule);
        rule = next;
    }
}

void fc_acls_free(struct fc_acls *acls)
{
    if (acls != NULL) {
        fc_hashmap_release(&acls->rules, free_rules);
        for (size_t resource = 0; resource < RESOURCES; resource++) {
            free(acls->lengths[resource]);
        }
        free(acls->items);
        free(acls->texts);
        free(acls);
    }
}

size_t fc_acls_count(const struct fc_acls *acls)
{
    return acls->count;
}

const struct fc_acl *fc_acls_at(const struct fc_acls *acls, size_t index)
{
    return &acls->items[index];
}

/* --- asking --- */

struct verdict {
    uint32_t allowed;
    uint32_t denied;
};

static bool host_fits(struct fc_slice rule, struct fc_slice host)
{
    return fc_slice_equal_text(rule, "*") || fc_slice_equal(rule, host);
}

static void look_up(const struct fc_acls *acls, struct fc_slice key, struct fc_slice host,
                    struct verdict *verdict)
{
    for (const struct host_rule *rule = fc_hashmap_get(&acls->rules, key); rule != NULL;
         rule = rule->next) {
        if (host_fits(rule->host, host)) {
            verdict->allowed |= rule->allowed;
            verdict->denied |= rule->denied;
        }
    }
}

/* Entries for the caller and for all. */
static void look_up_both(const struct fc_acls *acls, const struct fc_acl_caller *caller,
                         fc_resource resource, fc_pattern pattern, struct fc_slice name,
                         struct verdict *verdict)
{
    uint8_t bytes[KEY_MAX];
    look_up(acls,
            make_key(bytes, resource, pattern, name,
                     fc_slice_of(ALL_PRINCIPALS, sizeof(ALL_PRINCIPALS) - 1)),
            caller->host, verdict);
    if (caller->principal.len <= FC_ACL_PRINCIPAL_MAX) {
        look_up(acls, make_key(bytes, resource, pattern, name, caller->principal), caller->host,
                verdict);
    }
}

bool fc_acls_allow(const struct fc_acls *acls, const struct fc_acl_caller *caller,
                   fc_operation operation, fc_resource resource, struct fc_slice name)
{
    struct verdict verdict = { 0, 0 };
    const uint16_t *lengths = acls->lengths[resource];
    if (name.data == NULL) {
        return false;
    }
    look_up_both(acls, caller, resource, FC_PATTERN_LITERAL, fc_slice_of("*", 1), &verdict);
    if (name.len <= FC_ACL_NAME_MAX && !fc_slice_equal_text(name, "*")) {
        look_up_both(acls, caller, resource, FC_PATTERN_LITERAL, name, &verdict);
    }
    for (size_t index = 0; index < acls->lengths_count[resource] && lengths[index] <= name.len;
         index++) {
        look_up_both(acls, caller, resource, FC_PATTERN_PREFIXED,
                     fc_slice_of(name.data, lengths[index]), &verdict);
    }
    return (verdict.denied & 1U << operation) == 0 && (verdict.allowed & 1U << operation) != 0;
}

static bool concerns(const struct fc_acl *acl, const struct fc_acl_caller *caller,
                     fc_operation operation, fc_resource resource)
{
    bool same = acl->permission == FC_PERMISSION_ALLOW
                    ? (implied_by(acl->operation) & 1U << operation) != 0
                    : acl->operation == FC_OPERATION_ALL || acl->operation == operation;
    return acl->resource == resource && same && host_fits(acl->host, caller->host) &&
           (fc_slice_equal_text(acl->principal, ALL_PRINCIPALS) ||
            fc_slice_equal(acl->principal, caller->principal));
}

static bool begins_with(struct fc_slice text, struct fc_slice prefix)
{
    return text.len >= prefix.len && memcmp(text.data, prefix.data, prefix.len) == 0;
}

static bool is_all_names(const struct fc_acl *acl)
{
    return acl->pattern == FC_PATTERN_LITERAL && fc_slice_equal_text(acl->name, "*");
}

/* Whether `deny` denies whatever `allow` allows. */
static bool covers(const struct fc_acl *deny, const struct fc_acl *allow)
{
    if (is_all_names(deny) || is_all_names(allow)) {
        return is_all_names(deny);
    }
    return deny->pattern == FC_PATTERN_PREFIXED ? begins_with(allow->name, deny->name)
                                                : allow->pattern == FC_PATTERN_LITERAL &&
                                                      fc_slice_equal(allow->name, deny->name);
}

bool fc_acls_allow_some(const struct fc_acls *acls, const struct fc_acl_caller *caller,
                        fc_operation operation, fc_resource resource)
{
    for (size_t index = 0; index < acls->count; index++) {
        const struct fc_acl *allow = &acls->items[index];
        bool denied = false;
        if (allow->permission != FC_PERMISSION_ALLOW ||
            !concerns(allow, caller, operation, resource)) {
            continue;
        }
        for (size_t other = 0; other < acls->count && !denied; other++) {
            denied = acls->items[other].permission == FC_PERMISSION_DENY &&
                     concerns(&acls->items[other], caller, operation, resource) &&
                     covers(&acls->items[other], allow);
        }
        if (!denied) {
            return true;
        }
    }
    return false;
}

/* --- filters --- */

static bool name_fits(const struct fc_acl *acl, const struct fc_acl_filter *filter)
{
    if (filter->name.data == NULL) {
        return filter->pattern == FC_PATTERN_ANY || filter->pattern == FC_PATTERN_MATCH ||
               filter->pattern == acl->pattern;
    }
    if (filter->pattern == FC_PATTERN_MATCH) {
        return is_all_names(acl) ||
               (acl->pattern == FC_PATTERN_LITERAL ? fc_slice_equal(acl->name, filter->name)
                                                   : begins_with(filter->name, acl->name));
    }
    return (filter->pattern == FC_PATTERN_ANY || filter->pattern == acl->pattern) &&
           fc_slice_equal(acl->name, filter->name);
}

bool fc_acl_fits(const struct fc_acl *acl, const struct fc_acl_filter *filter)
{
    return (filter->resource == FC_RESOURCE_ANY || filter->resource == acl->resource) &&
           name_fits(acl, filter) &&
           (filter->principal.data == NULL ||
            fc_slice_equal(filter->principal, acl->principal)) &&
           (filter->host.data == NULL || fc_slice_equal(filter->host, acl->host)) &&
           (filter->operation == FC_OPERATION_ANY || filter->operation == acl->operation) &&
           (filter->permission == FC_PERMISSION_ANY || filter->permission == acl->permission);
}
