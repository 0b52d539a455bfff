/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/quotas.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/hashmap.h"

enum {
    THROTTLE_MAX_MS = 10000, /* what is still owed then is owed by the next request */
    BUCKETS_MAX = 10000,
    KEY_MAX = 4096,
    WHO_MAX = 256,       /* bytes of a name in a copy */
    MUTATE_DEPTH_S = 11, /* controller.quota.window.num of a second each, in Kafka */
    NS_PER_S = 1000000000
};

struct bucket {
    double tokens;
    int64_t filled_ns;
};

struct fc_quotas {
    struct fc_store *store;
    const struct fc_clock *clock;
    struct fc_store_watch watch;
    bool watching;
    _Atomic(bool) has[FC_QUOTA_COUNT]; /* a look without the lock */
    pthread_mutex_t lock;
    /* Guarded by lock. */
    struct fc_quotas_set *set;
    struct fc_hashmap buckets; /* quota and who shares it -> struct bucket */
};

static fc_code load(struct fc_quotas *quotas, int64_t *out_revision, struct fc_error *err)
{
    struct fc_quotas_set *set = NULL;
    struct fc_quotas_set *old;
    fc_code code = fc_quotas_load(quotas->store, &set, out_revision, err);
    if (code == FC_OK) {
        (void)pthread_mutex_lock(&quotas->lock);
        old = quotas->set;
        quotas->set = set;
        for (int quota = 0; quota < FC_QUOTA_COUNT; quota++) {
            atomic_store(&quotas->has[quota], fc_quotas_has(set, (fc_quota)quota));
        }
        (void)pthread_mutex_unlock(&quotas->lock);
        fc_quotas_set_free(old);
    }
    return code;
}

static void on_change(void *ctx, const struct fc_store_entry *events, size_t count)
{
    int64_t revision = 0;
    (void)events;
    (void)count;
    (void)load(ctx, &revision, NULL); /* what cannot be read was not written by us: as before */
}

fc_code fc_quotas_new(struct fc_store *store, const struct fc_clock *clock,
                      struct fc_quotas **out_quotas, struct fc_error *err)
{
    struct fc_quotas *quotas = fc_new(struct fc_quotas);
    int64_t revision = 0;
    fc_code code;
    quotas->store = store;
    quotas->clock = clock;
    (void)pthread_mutex_init(&quotas->lock, NULL); /* cannot fail on Linux */
    fc_hashmap_init(&quotas->buckets);
    code = load(quotas, &revision, err);
    if (code == FC_OK) {
        quotas->watch.prefix = FC_QUOTA_PREFIX;
        quotas->watch.on_change = on_change;
        quotas->watch.ctx = quotas;
        code = fc_store_watch(store, &quotas->watch, revision + 1, err);
    }
    quotas->watching = code == FC_OK;
    if (code != FC_OK) {
        fc_quotas_free(quotas);
        return code;
    }
    *out_quotas = quotas;
    return FC_OK;
}

void fc_quotas_free(struct fc_quotas *quotas)
{
    if (quotas != NULL) {
        if (quotas->watching) {
            fc_store_unwatch(quotas->store, &quotas->watch);
        }
        fc_quotas_set_free(quotas->set);
        fc_hashmap_release(&quotas->buckets, free);
        (void)pthread_mutex_destroy(&quotas->lock);
        free(quotas);
    }
}

const struct fc_quotas_set *fc_quotas_hold(struct fc_quotas *quotas)
{
    (void)pthread_mutex_lock(&quotas->lock);
    return quotas->set;
}

void fc_quotas_let_go(struct fc_quotas *quotas)
{
    (void)pthread_mutex_unlock(&quotas->lock);
}

static void append_part(struct fc_buf *key, const struct fc_quota_part *part)
{
    fc_buf_append_u8(key, (uint8_t)part->kind);
    if (part->kind != FC_QUOTA_ABSENT) {
        fc_buf_append_slice(key, part->name);
    }
    fc_buf_append_u8(key, 0);
}

/* What a bucket holds. */
static double depth_of(fc_quota quota, double rate)
{
    double depth = quota == FC_QUOTA_MUTATE ? rate * MUTATE_DEPTH_S : rate;
    return depth < 1 ? 1 : depth;
}

/* Client ids are whatever clients say: when there are too many, all begin anew. */
static struct bucket *bucket_of(struct fc_quotas *quotas, fc_quota quota,
                                const struct fc_quota_entity *shared, double rate)
{
    struct fc_buf key;
    struct bucket *bucket;
    fc_buf_init(&key, KEY_MAX);
    fc_buf_append_u8(&key, (uint8_t)quota);
    append_part(&key, &shared->user);
    append_part(&key, &shared->client);
    append_part(&key, &shared->ip);
    bucket = fc_hashmap_get(&quotas->buckets, fc_buf_slice(&key));
    if (bucket == NULL) {
        if (quotas->buckets.count >= BUCKETS_MAX) {
            fc_hashmap_release(&quotas->buckets, free);
            fc_hashmap_init(&quotas->buckets);
        }
        bucket = fc_new(struct bucket);
        bucket->tokens = depth_of(quota, rate);
        bucket->filled_ns = quotas->clock->steady_ns(quotas->clock);
        (void)fc_hashmap_put(&quotas->buckets, fc_buf_slice(&key), bucket);
    }
    fc_buf_release(&key);
    return bucket;
}

/* Under the lock. */
static struct bucket *filled(struct fc_quotas *quotas, fc_quota quota,
                             const struct fc_quota_entity *shared, double rate)
{
    struct bucket *bucket = bucket_of(quotas, quota, shared, rate);
    int64_t now_ns = quotas->clock->steady_ns(quotas->clock);
    double depth = depth_of(quota, rate);
    bucket->tokens += rate * (double)(now_ns - bucket->filled_ns) / NS_PER_S;
    bucket->filled_ns = now_ns;
    bucket->tokens = bucket->tokens > depth ? depth : bucket->tokens;
    return bucket;
}

static double debt_ms(const struct bucket *bucket, double rate)
{
    return bucket->tokens >= 0 ? 0 : -bucket->tokens / rate * 1000;
}

static int32_t bounded(double ms)
{
    return ms > THROTTLE_MAX_MS ? THROTTLE_MAX_MS : (int32_t)ms;
}

/* Of what a bucket holds, in the unit of the quota's amounts. */
static double rate_of(fc_quota quota, double limit)
{
    if (quota == FC_QUOTA_MUTATE || quota == FC_QUOTA_CONNECT) {
        return limit;
    }
    limit = quota == FC_QUOTA_REQUEST ? limit / 100 * NS_PER_S : limit;
    return limit < 1 ? 1 : limit;
}

int32_t fc_quotas_take(struct fc_quotas *quotas, fc_quota quota, struct fc_slice user,
                       struct fc_slice client, double amount)
{
    struct fc_quota_entity shared;
    double limit = 0;
    double ms = 0;
    if (!atomic_load_explicit(&quotas->has[quota], memory_order_relaxed)) {
        return 0;
    }
    (void)pthread_mutex_lock(&quotas->lock);
    if (fc_quotas_find(quotas->set, quota, user, client, &limit, &shared)) {
        double rate = rate_of(quota, limit);
        struct bucket *bucket = filled(quotas, quota, &shared, rate);
        bucket->tokens -= amount;
        ms = debt_ms(bucket, rate);
    }
    (void)pthread_mutex_unlock(&quotas->lock);
    return bounded(ms);
}

bool fc_quotas_take_strictly(struct fc_quotas *quotas, fc_quota quota, struct fc_slice user,
                             struct fc_slice client, double amount, int32_t *out_wait_ms)
{
    struct fc_quota_entity shared;
    double limit = 0;
    double ms = 0;
    bool may = true;
    *out_wait_ms = 0;
    if (!atomic_load_explicit(&quotas->has[quota], memory_order_relaxed)) {
        return true;
    }
    (void)pthread_mutex_lock(&quotas->lock);
    if (fc_quotas_find(quotas->set, quota, user, client, &limit, &shared)) {
        double rate = rate_of(quota, limit);
        struct bucket *bucket = filled(quotas, quota, &shared, rate);
        ms = debt_ms(bucket, rate);
        may = bucket->tokens >= 0;
        bucket->tokens -= may ? amount : 0;
    }
    (void)pthread_mutex_unlock(&quotas->lock);
    *out_wait_ms = may ? 0 : 1 + bounded(ms);
    return may;
}

int64_t fc_quotas_connect(struct fc_quotas *quotas, struct fc_slice ip)
{
    struct fc_quota_entity shared;
    double rate = 0;
    double ms = 0;
    if (!atomic_load_explicit(&quotas->has[FC_QUOTA_CONNECT], memory_order_relaxed)) {
        return 0;
    }
    (void)pthread_mutex_lock(&quotas->lock);
    if (fc_quotas_find_ip(quotas->set, ip, &rate, &shared)) {
        struct bucket *bucket = filled(quotas, FC_QUOTA_CONNECT, &shared, rate);
        bucket->tokens -= 1;
        ms = debt_ms(bucket, rate);
        bucket->tokens += ms > THROTTLE_MAX_MS ? 1 : 0;
    }
    (void)pthread_mutex_unlock(&quotas->lock);
    return ms > THROTTLE_MAX_MS ? -1 : (int64_t)ms;
}

/* --- requests --- */

/* "alice" of "User:alice". */
static struct fc_slice user_of(const struct fc_request *request)
{
    const char *principal = fc_connection_principal(request->connection);
    const char *colon = strchr(principal, ':');
    return fc_slice_text(colon == NULL ? principal : colon + 1);
}

static struct fc_slice client_of(const struct fc_request *request)
{
    return request->client_id.data == NULL ? fc_slice_of("", 0) : request->client_id;
}

static void delay(struct fc_request *request, int32_t ms)
{
    if (ms > request->throttle_ms) {
        request->throttle_ms = ms;
        fc_connection_mute(request->connection, ms);
    }
}

void fc_quota_charge(struct fc_spu *spu, struct fc_request *request, fc_quota quota,
                     double amount)
{
    if (atomic_load_explicit(&spu->quotas->has[quota], memory_order_relaxed)) {
        delay(request,
              fc_quotas_take(spu->quotas, quota, user_of(request), client_of(request), amount));
    }
}

bool fc_quota_mutate(struct fc_spu *spu, struct fc_request *request, uint32_t partitions,
                     bool strict)
{
    int32_t ms = 0;
    bool may;
    if (!strict) {
        fc_quota_charge(spu, request, FC_QUOTA_MUTATE, partitions);
        return true;
    }
    if (!atomic_load_explicit(&spu->quotas->has[FC_QUOTA_MUTATE], memory_order_relaxed)) {
        return true;
    }
    may = fc_quotas_take_strictly(spu->quotas, FC_QUOTA_MUTATE, user_of(request),
                                  client_of(request), partitions, &ms);
    delay(request, ms);
    return may;
}

int64_t fc_quota_on_arrival(void *ctx, const char *peer_host)
{
    const struct fc_spu *spu = ctx;
    return fc_quotas_connect(spu->quotas, fc_slice_text(peer_host));
}

/* A copy: the request is gone once it is answered. */
static struct fc_slice keep(struct fc_slice name, char to[WHO_MAX])
{
    size_t len = name.len < WHO_MAX ? name.len : WHO_MAX;
    memcpy(to, name.data, len);
    return fc_slice_of(to, len);
}

void fc_quota_run(struct fc_spu *spu, struct fc_request *request, fc_handler handler,
                  const void *message)
{
    struct fc_quotas *quotas = spu->quotas;
    char user[WHO_MAX];
    char client[WHO_MAX];
    struct fc_slice user_kept;
    struct fc_slice client_kept;
    int64_t begin_ns;
    if (!atomic_load_explicit(&quotas->has[FC_QUOTA_REQUEST], memory_order_relaxed) ||
        fc_connection_principal(request->connection) == NULL) {
        handler(spu, request, message);
        return;
    }
    user_kept = keep(user_of(request), user);
    client_kept = keep(client_of(request), client);
    delay(request, fc_quotas_take(quotas, FC_QUOTA_REQUEST, user_kept, client_kept, 0));
    begin_ns = quotas->clock->steady_ns(quotas->clock);
    handler(spu, request, message);
    (void)fc_quotas_take(quotas, FC_QUOTA_REQUEST, user_kept, client_kept,
                         (double)(quotas->clock->steady_ns(quotas->clock) - begin_ns));
}
