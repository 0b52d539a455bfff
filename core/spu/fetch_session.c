/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/fetch_session.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "core/base/alloc.h"

/* What a client says with its session epoch. */
enum { EPOCH_FINAL = -1, EPOCH_INITIAL = 0 };

enum { VERSION_BY_ID = 13 };

struct fc_fetch_session {
    int32_t id;
    int32_t epoch; /* that the next request must have */
    bool busy;     /* a request is using it */
    bool closed;   /* to be freed once it is not busy */
    uint64_t used; /* grows with each use of any session */
    struct fc_fetch_item *items;
    int32_t count;
    int32_t first;
    struct fc_fetch_session *next;
};

struct fc_fetch_sessions {
    pthread_mutex_t lock;
    /* Guarded by lock, items of a busy session excepted. */
    struct fc_fetch_session *first;
    uint32_t count;
    uint32_t max;
    uint64_t uses;
};

struct fc_fetch_sessions *fc_fetch_sessions_new(uint32_t sessions_max)
{
    struct fc_fetch_sessions *sessions = fc_new(struct fc_fetch_sessions);
    (void)pthread_mutex_init(&sessions->lock, NULL); /* cannot fail on Linux */
    sessions->max = sessions_max;
    return sessions;
}

static void free_session(struct fc_fetch_session *session)
{
    for (int32_t index = 0; index < session->count; index++) {
        free(fc_unconst(session->items[index].name.data));
    }
    free(session->items);
    free(session);
}

void fc_fetch_sessions_free(struct fc_fetch_sessions *sessions)
{
    if (sessions == NULL) {
        return;
    }
    while (sessions->first != NULL) {
        struct fc_fetch_session *session = sessions->first;
        sessions->first = session->next;
        free_session(session);
    }
    (void)pthread_mutex_destroy(&sessions->lock); /* nobody uses it any more */
    free(sessions);
}

/* --- the list; lock is held --- */

static struct fc_fetch_session *find(struct fc_fetch_sessions *sessions, int32_t id)
{
    struct fc_fetch_session *session = sessions->first;
    while (session != NULL && session->id != id) {
        session = session->next;
    }
    return session;
}

static void take_out(struct fc_fetch_sessions *sessions, struct fc_fetch_session *session)
{
    struct fc_fetch_session **link = &sessions->first;
    while (*link != session) {
        link = &(*link)->next;
    }
    *link = session->next;
    sessions->count--;
    if (session->busy) {
        session->closed = true; /* its request frees it */
    } else {
        free_session(session);
    }
}

static bool make_room(struct fc_fetch_sessions *sessions)
{
    struct fc_fetch_session *oldest = NULL;
    for (struct fc_fetch_session *session = sessions->first; session != NULL;
         session = session->next) {
        if (!session->busy && (oldest == NULL || session->used < oldest->used)) {
            oldest = session;
        }
    }
    if (sessions->count >= sessions->max && oldest != NULL) {
        take_out(sessions, oldest);
    }
    return sessions->count < sessions->max;
}

static struct fc_fetch_session *add_session(struct fc_fetch_sessions *sessions)
{
    struct fc_fetch_session *session;
    int32_t id = 0;
    if (!make_room(sessions)) {
        return NULL;
    }
    while (id <= 0 || find(sessions, id) != NULL) {
        if (getrandom(&id, sizeof(id), 0) != (ssize_t)sizeof(id)) {
            return NULL; /* no session then; the client names everything again */
        }
        id &= INT32_MAX;
    }
    session = fc_new(struct fc_fetch_session);
    session->id = id;
    session->epoch = 1;
    session->busy = true;
    session->used = ++sessions->uses;
    session->next = sessions->first;
    sessions->first = session;
    sessions->count++;
    return session;
}

/* --- items of a session that is busy with this request --- */

static struct fc_fetch_item *item_of(struct fc_fetch_session *session, struct fc_slice name,
                                     struct fc_uuid id, int32_t partition)
{
    for (int32_t index = 0; index < session->count; index++) {
        struct fc_fetch_item *item = &session->items[index];
        if (item->partition == partition && fc_uuid_equal(item->id, id) &&
            fc_slice_equal(item->name, name)) {
            return item;
        }
    }
    return NULL;
}

/* The name by which a topic is asked for; null in versions that go by id. */
static struct fc_slice name_of(const struct fc_request *request, struct fc_slice name)
{
    return request->api_version >= VERSION_BY_ID ? fc_slice_null() : name;
}

static void forget(struct fc_fetch_session *session, const struct fc_request *request,
                   const struct fc_msg_fetch_request *ask)
{
    for (int32_t topic = 0; topic < ask->forgotten_topics_data_count; topic++) {
        const struct fc_msg_fetch_request_forgotten_topic *gone =
            &ask->forgotten_topics_data[topic];
        struct fc_slice name = name_of(request, gone->topic);
        for (int32_t index = 0; index < gone->partitions_count; index++) {
            struct fc_fetch_item *item =
                item_of(session, name, gone->topic_id, gone->partitions[index]);
            if (item != NULL) {
                free(fc_unconst(item->name.data));
                *item = session->items[--session->count];
            }
        }
    }
}

static void set_item(struct fc_fetch_item *item, const struct fc_msg_fetch_request_topic *topic,
                     const struct fc_msg_fetch_request_partition *partition)
{
    item->id = topic->topic_id;
    item->partition = partition->partition;
    item->offset = partition->fetch_offset;
    item->bytes_max = partition->partition_max_bytes;
    item->leader_epoch = partition->current_leader_epoch;
    item->told = false;
}

static int32_t count_asked(const struct fc_msg_fetch_request *ask)
{
    int64_t count = 0;
    for (int32_t topic = 0; topic < ask->topics_count; topic++) {
        count += ask->topics[topic].partitions_count;
    }
    return count > INT32_MAX ? INT32_MAX : (int32_t)count;
}

static struct fc_fetch_item *add_item(struct fc_fetch_session *session, struct fc_slice name)
{
    struct fc_fetch_item *item = &session->items[session->count++];
    memset(item, 0, sizeof(*item));
    if (name.data != NULL) {
        item->name = fc_slice_of(fc_strndup((const char *)name.data, name.len), name.len);
    }
    return item;
}

static void take_over(struct fc_fetch_session *session, const struct fc_request *request,
                      const struct fc_msg_fetch_request *ask)
{
    bool fresh = session->count == 0;
    session->items =
        fc_realloc_array(session->items, (size_t)session->count + (size_t)count_asked(ask),
                         sizeof(struct fc_fetch_item));
    for (int32_t topic = 0; topic < ask->topics_count; topic++) {
        const struct fc_msg_fetch_request_topic *asked = &ask->topics[topic];
        struct fc_slice name = name_of(request, asked->topic);
        for (int32_t index = 0; index < asked->partitions_count; index++) {
            const struct fc_msg_fetch_request_partition *partition = &asked->partitions[index];
            struct fc_fetch_item *item =
                fresh ? NULL : item_of(session, name, asked->topic_id, partition->partition);
            if (item == NULL) {
                item = add_item(session, name);
            }
            set_item(item, asked, partition);
        }
    }
}

static void plan_of_session(struct fc_fetch_session *session, struct fc_fetch_plan *plan)
{
    plan->session = session;
    plan->session_id = session->id;
    plan->items = session->items;
    plan->count = session->count;
    plan->first = session->count == 0 ? 0 : session->first % session->count;
}

static void plan_of_request(struct fc_request *request, const struct fc_msg_fetch_request *ask,
                            struct fc_fetch_plan *plan)
{
    int32_t count = count_asked(ask);
    plan->count = count;
    plan->items =
        fc_arena_alloc(&request->arena, sizeof(struct fc_fetch_item) * ((size_t)count + 1));
    count = 0;
    for (int32_t topic = 0; plan->items != NULL && topic < ask->topics_count; topic++) {
        for (int32_t index = 0; index < ask->topics[topic].partitions_count; index++) {
            struct fc_fetch_item *item = &plan->items[count++];
            memset(item, 0, sizeof(*item));
            item->name = name_of(request, ask->topics[topic].topic);
            set_item(item, &ask->topics[topic], &ask->topics[topic].partitions[index]);
        }
    }
}

fc_kafka_error fc_fetch_plan_begin(struct fc_fetch_sessions *sessions,
                                   struct fc_request *request,
                                   const struct fc_msg_fetch_request *ask,
                                   struct fc_fetch_plan *out_plan)
{
    struct fc_fetch_session *session = NULL;
    bool whole = ask->session_epoch == EPOCH_FINAL || ask->session_epoch == EPOCH_INITIAL;
    fc_kafka_error error = FC_KAFKA_NONE;
    memset(out_plan, 0, sizeof(*out_plan));
    (void)pthread_mutex_lock(&sessions->lock);
    if (ask->session_id != 0) {
        session = find(sessions, ask->session_id);
    }
    if (whole) {
        if (session != NULL) {
            take_out(sessions, session);
        }
        session = ask->session_epoch == EPOCH_INITIAL && request->api_version >= 7
                      ? add_session(sessions)
                      : NULL;
    } else if (session == NULL) {
        error = FC_KAFKA_FETCH_SESSION_ID_NOT_FOUND;
    } else if (session->busy || ask->session_epoch != session->epoch) {
        error = FC_KAFKA_INVALID_FETCH_SESSION_EPOCH;
    } else {
        session->busy = true;
        session->used = ++sessions->uses;
        session->epoch = session->epoch == INT32_MAX ? 1 : session->epoch + 1;
        out_plan->incremental = true;
    }
    (void)pthread_mutex_unlock(&sessions->lock);
    if (error != FC_KAFKA_NONE) {
        return error;
    }
    if (session == NULL) {
        plan_of_request(request, ask, out_plan);
    } else {
        forget(session, request, ask);
        take_over(session, request, ask);
        plan_of_session(session, out_plan);
    }
    return FC_KAFKA_NONE;
}

void fc_fetch_plan_end(struct fc_fetch_sessions *sessions, struct fc_fetch_plan *plan,
                       int32_t last)
{
    struct fc_fetch_session *session = plan->session;
    bool closed;
    if (session == NULL) {
        return;
    }
    if (last >= 0) {
        session->first = last + 1;
    }
    (void)pthread_mutex_lock(&sessions->lock);
    session->busy = false;
    closed = session->closed;
    (void)pthread_mutex_unlock(&sessions->lock);
    if (closed) {
        free_session(session);
    }
    plan->session = NULL;
}
