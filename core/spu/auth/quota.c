/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/auth/quota.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/arena.h"
#include "core/base/hashmap.h"
#include "core/spu/auth/path.h"

#define DEFAULT_TEXT "<default>"

enum { NAME_LEN_MAX = 1024, LINE_MAX_BYTES = 128 };

static const char *const NAMES[FC_QUOTA_COUNT] = { "producer_byte_rate", "consumer_byte_rate",
                                                   "request_percentage",
                                                   "controller_mutation_rate",
                                                   "connection_creation_rate" };

const char *fc_quota_name(fc_quota quota)
{
    return NAMES[quota];
}

fc_quota fc_quota_of(struct fc_slice name)
{
    int quota = 0;
    while (quota < FC_QUOTA_COUNT && !fc_slice_equal_text(name, NAMES[quota])) {
        quota++;
    }
    return (fc_quota)quota;
}

bool fc_quota_ip(struct fc_slice text, char to[FC_QUOTA_IP_SIZE])
{
    static const uint8_t MAPPED[12] = { [10] = 0xff, [11] = 0xff };
    uint8_t bytes[16];
    if (text.len >= FC_QUOTA_IP_SIZE || memchr(text.data, '\0', text.len) != NULL) {
        return false;
    }
    memcpy(to, text.data, text.len);
    to[text.len] = '\0';
    if (inet_pton(AF_INET, to, bytes) == 1) {
        return inet_ntop(AF_INET, bytes, to, FC_QUOTA_IP_SIZE) != NULL;
    }
    if (inet_pton(AF_INET6, to, bytes) != 1) {
        return false;
    }
    return memcmp(bytes, MAPPED, sizeof(MAPPED)) == 0
               ? inet_ntop(AF_INET, bytes + sizeof(MAPPED), to, FC_QUOTA_IP_SIZE) != NULL
               : inet_ntop(AF_INET6, bytes, to, FC_QUOTA_IP_SIZE) != NULL;
}

/* --- keys and values --- */

static void append_part(struct fc_buf *to, const char *folder, const struct fc_quota_part *part)
{
    if (part->kind != FC_QUOTA_ABSENT) {
        fc_buf_append_u8(to, '/');
        fc_buf_append_text(to, folder);
        fc_buf_append_u8(to, '/');
        if (part->kind == FC_QUOTA_DEFAULT) {
            fc_buf_append_text(to, DEFAULT_TEXT);
        } else {
            fc_path_append(to, part->name);
        }
    }
}

void fc_quota_key_append(struct fc_buf *to, const struct fc_quota_entity *entity)
{
    fc_buf_append(to, FC_QUOTA_PREFIX, strlen(FC_QUOTA_PREFIX) - 1); /* the slash follows */
    append_part(to, "users", &entity->user);
    append_part(to, "clients", &entity->client);
    append_part(to, "ips", &entity->ip);
}

/* Take "folder/name" off the path, if that is what it begins with. */
static bool take_part(struct fc_slice *path, const char *folder, struct fc_arena *texts,
                      struct fc_quota_part *out_part)
{
    size_t len = strlen(folder);
    struct fc_buf name;
    bool good;
    out_part->kind = FC_QUOTA_ABSENT;
    if (path->len <= len || memcmp(path->data, folder, len) != 0 || path->data[len] != '/') {
        return true;
    }
    path->data += len + 1;
    path->len -= len + 1;
    len = strlen(DEFAULT_TEXT);
    if (path->len >= len && memcmp(path->data, DEFAULT_TEXT, len) == 0) {
        out_part->kind = FC_QUOTA_DEFAULT;
        path->data += path->len > len ? len + 1 : len;
        path->len -= path->len > len ? len + 1 : len;
        return true;
    }
    fc_buf_init(&name, NAME_LEN_MAX);
    good = fc_path_take(path, &name);
    out_part->kind = FC_QUOTA_NAMED;
    out_part->name = fc_arena_copy(
        texts, fc_slice_of(name.data == NULL ? (const uint8_t *)"" : name.data, name.len));
    fc_buf_release(&name);
    return good;
}

void fc_quota_value_append(struct fc_buf *to, const struct fc_quota_values *values)
{
    for (int quota = 0; quota < FC_QUOTA_COUNT; quota++) {
        if (values->set[quota]) {
            fc_buf_append_fmt(to, "%s=%.17g\n", NAMES[quota], values->value[quota]);
        }
    }
}

bool fc_quota_value_decode(struct fc_slice text, struct fc_quota_values *out_values)
{
    memset(out_values, 0, sizeof(*out_values));
    while (text.len > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        const uint8_t *equals = memchr(text.data, '=', text.len);
        char number[LINE_MAX_BYTES] = "";
        char *rest = number;
        fc_quota quota;
        if (end == NULL || equals == NULL || equals > end ||
            (size_t)(end - equals) > sizeof(number)) {
            return false;
        }
        quota = fc_quota_of(fc_slice_of(text.data, (size_t)(equals - text.data)));
        memcpy(number, equals + 1, (size_t)(end - equals) - 1);
        if (quota == FC_QUOTA_COUNT) {
            return false;
        }
        out_values->value[quota] = strtod(number, &rest);
        out_values->set[quota] = true;
        if (rest == number || *rest != '\0' || !isfinite(out_values->value[quota])) {
            return false;
        }
        text.len -= (size_t)(end - text.data) + 1;
        text.data = end + 1;
    }
    return true;
}

/* --- a set --- */

struct row {
    struct fc_quota_entity entity;
    struct fc_quota_values values;
};

struct fc_quotas_set {
    struct row **rows;
    size_t count;
    size_t capacity;
    bool has[FC_QUOTA_COUNT];
    struct fc_hashmap by_entity; /* -> struct row */
    struct fc_arena texts;
};

/* kinds, then the names with a NUL between. */
static void append_entity(struct fc_buf *to, const struct fc_quota_entity *entity)
{
    fc_buf_append_u8(to, (uint8_t)((unsigned)entity->user.kind << 4 |
                                   (unsigned)entity->client.kind << 2 | entity->ip.kind));
    if (entity->user.kind == FC_QUOTA_NAMED) {
        fc_buf_append_slice(to, entity->user.name);
    }
    fc_buf_append_u8(to, 0);
    if (entity->client.kind == FC_QUOTA_NAMED) {
        fc_buf_append_slice(to, entity->client.name);
    }
    fc_buf_append_u8(to, 0);
    if (entity->ip.kind == FC_QUOTA_NAMED) {
        fc_buf_append_slice(to, entity->ip.name);
    }
}

struct loading {
    struct fc_quotas_set *set;
    struct fc_error *err;
    fc_code code;
};

static void add_row(void *ctx, const struct fc_store_entry *entry)
{
    struct loading *loading = ctx;
    struct fc_quotas_set *set = loading->set;
    struct row *row = fc_new(struct row);
    struct fc_slice path = entry->key;
    struct fc_buf key;
    path.data += strlen(FC_QUOTA_PREFIX);
    path.len -= strlen(FC_QUOTA_PREFIX);
    if (!take_part(&path, "users", &set->texts, &row->entity.user) ||
        !take_part(&path, "clients", &set->texts, &row->entity.client) ||
        !take_part(&path, "ips", &set->texts, &row->entity.ip) || path.len != 0 ||
        !fc_quota_value_decode(entry->value, &row->values)) {
        free(row);
        loading->code =
            fc_fail(loading->err, FC_ERR_CORRUPT, "the store's key %.*s is no quota",
                    (int)entry->key.len, (const char *)entry->key.data);
        return;
    }
    if (set->count == set->capacity) {
        set->capacity = set->capacity == 0 ? 16 : set->capacity * 2;
        set->rows = fc_realloc_array(set->rows, set->capacity, sizeof(struct row *));
    }
    set->rows[set->count++] = row;
    fc_buf_init(&key, SIZE_MAX / 2);
    append_entity(&key, &row->entity);
    (void)fc_hashmap_put(&set->by_entity, fc_buf_slice(&key), row);
    fc_buf_release(&key);
    for (int quota = 0; quota < FC_QUOTA_COUNT; quota++) {
        set->has[quota] = set->has[quota] || row->values.set[quota];
    }
}

fc_code fc_quotas_load(struct fc_store *store, struct fc_quotas_set **out_set,
                       int64_t *out_revision, struct fc_error *err)
{
    struct fc_quotas_set *set = fc_new(struct fc_quotas_set);
    struct loading loading = { set, err, FC_OK };
    fc_code code;
    fc_hashmap_init(&set->by_entity);
    fc_arena_init(&set->texts, SIZE_MAX / 2); /* as large as the store at most */
    code = fc_store_range(store, FC_QUOTA_PREFIX, add_row, &loading, out_revision, err);
    code = code == FC_OK ? loading.code : code;
    if (code != FC_OK) {
        fc_quotas_set_free(set);
        return code;
    }
    *out_set = set;
    return FC_OK;
}

void fc_quotas_set_free(struct fc_quotas_set *set)
{
    if (set != NULL) {
        for (size_t index = 0; index < set->count; index++) {
            free(set->rows[index]);
        }
        free(set->rows);
        fc_hashmap_release(&set->by_entity, NULL);
        fc_arena_release(&set->texts);
        free(set);
    }
}

size_t fc_quotas_count(const struct fc_quotas_set *set)
{
    return set->count;
}

const struct fc_quota_entity *fc_quotas_at(const struct fc_quotas_set *set, size_t index,
                                           const struct fc_quota_values **out_values)
{
    *out_values = &set->rows[index]->values;
    return &set->rows[index]->entity;
}

bool fc_quotas_has(const struct fc_quotas_set *set, fc_quota quota)
{
    return set->has[quota];
}

/* Kafka's order, the most specific first. */
static const struct {
    fc_quota_part_kind user;
    fc_quota_part_kind client;
} LEVELS[] = {
    { FC_QUOTA_NAMED, FC_QUOTA_NAMED },     { FC_QUOTA_NAMED, FC_QUOTA_DEFAULT },
    { FC_QUOTA_NAMED, FC_QUOTA_ABSENT },    { FC_QUOTA_DEFAULT, FC_QUOTA_NAMED },
    { FC_QUOTA_DEFAULT, FC_QUOTA_DEFAULT }, { FC_QUOTA_DEFAULT, FC_QUOTA_ABSENT },
    { FC_QUOTA_ABSENT, FC_QUOTA_NAMED },    { FC_QUOTA_ABSENT, FC_QUOTA_DEFAULT },
};

/* The row of exactly this entity, if it sets the quota. */
static const struct row *row_of(const struct fc_quotas_set *set, fc_quota quota,
                                const struct fc_quota_entity *entity)
{
    struct fc_buf key;
    const struct row *row;
    fc_buf_init(&key, (size_t)2 * NAME_LEN_MAX);
    append_entity(&key, entity);
    row = fc_hashmap_get(&set->by_entity, fc_buf_slice(&key));
    fc_buf_release(&key);
    return row != NULL && row->values.set[quota] ? row : NULL;
}

/* Who shares what an entity has: a default's is each one's own. */
static struct fc_quota_part own(fc_quota_part_kind kind, struct fc_slice name)
{
    const struct fc_quota_part part = { kind == FC_QUOTA_ABSENT ? FC_QUOTA_ABSENT
                                                                : FC_QUOTA_NAMED,
                                        name };
    return part;
}

bool fc_quotas_find(const struct fc_quotas_set *set, fc_quota quota, struct fc_slice user,
                    struct fc_slice client, double *out_limit,
                    struct fc_quota_entity *out_shared)
{
    if (!set->has[quota] || user.len + client.len > NAME_LEN_MAX) {
        return false;
    }
    for (size_t level = 0; level < sizeof(LEVELS) / sizeof(LEVELS[0]); level++) {
        const struct fc_quota_entity entity = { .user = { LEVELS[level].user, user },
                                                .client = { LEVELS[level].client, client } };
        const struct row *row = row_of(set, quota, &entity);
        if (row != NULL) {
            *out_limit = row->values.value[quota];
            *out_shared = (struct fc_quota_entity){ .user = own(entity.user.kind, user),
                                                    .client = own(entity.client.kind, client) };
            return true;
        }
    }
    return false;
}

bool fc_quotas_find_ip(const struct fc_quotas_set *set, struct fc_slice ip, double *out_limit,
                       struct fc_quota_entity *out_shared)
{
    const struct fc_quota_entity named = { .ip = { FC_QUOTA_NAMED, ip } };
    const struct fc_quota_entity others = { .ip = { FC_QUOTA_DEFAULT, ip } };
    const struct row *row = row_of(set, FC_QUOTA_CONNECT, &named);
    row = row == NULL ? row_of(set, FC_QUOTA_CONNECT, &others) : row;
    if (row != NULL) {
        *out_limit = row->values.value[FC_QUOTA_CONNECT];
        *out_shared = named;
    }
    return row != NULL;
}
