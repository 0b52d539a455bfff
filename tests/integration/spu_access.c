/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that an SPU serves, asked for by users who may and who may not.
 *
 *   spu_access PORT LOG
 *
 * PORT is of a listener with PLAIN and ACLs; its users are root (a super user), nobody (no ACL), half
 * (everything on groups and transactional ids, nothing else), user and admin (the roles), their
 * passwords NAME-secret; LOG is the file that the node's lines go to.
 *
 * What is served is asked of the server: an API that has no row here fails, in each of its
 * versions it is asked with each user. Who may not gets the refusal that Kafka defines and nothing
 * else, the same words whether there is such a thing or not; and a line tells of it.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/wire/messages.h"
#include "tests/support/access_ask.h"
#include "tests/support/spu_client.h"
#include "tests/support/wire_batch.h"

enum { LOG_WAIT_MS = 20000 };

struct access {
    /* What nobody may see who does not know it, and things of the same length that are not
     * there. */
    struct api_names there;
    struct api_names absent;
    uint16_t port;
    const char *log;
    const struct fc_msg_api_versions_response *served;
    struct fc_arena served_arena;
    struct fc_buf served_reply;
    struct fc_buf batch;
    int passed;
    int failed;
};

static void check(struct access *access, bool good, const char *what)
{
    (void)printf("%s spu_access/%s\n", good ? "ok  " : "FAIL", what);
    (void)fflush(stdout);
    access->passed += good;
    access->failed += !good;
}

static int dial_as(const struct access *access, const char *user)
{
    char password[64];
    int fd = spu_dial(access->port);
    (void)snprintf(password, sizeof(password), "%s-secret", user);
    if (fd < 0 || !spu_login(fd, user, password)) {
        (void)printf("     %s cannot log in\n", user);
        exit(1);
    }
    return fd;
}

/* --- all requests of a user --- */

typedef int16_t (*wanted_of)(const struct expected *expected);

static int16_t of_nobody(const struct expected *expected)
{
    return expected->nobody;
}

static int16_t of_half(const struct expected *expected)
{
    return expected->half;
}

static int16_t of_user(const struct expected *expected)
{
    return expected->user;
}

static int16_t of_admin(const struct expected *expected)
{
    (void)expected;
    return YES;
}

/* From this version on AddPartitionsToTxn is a broker's request. */
static int16_t in_version(int16_t wanted, int16_t key, int16_t version, bool is_admin)
{
    return key == FC_API_ADD_PARTITIONS_TO_TXN && version >= 4 && !is_admin ? CLUSTER : wanted;
}

static bool ask_all(struct access *access, const char *user, wanted_of wanted,
                    const struct api_names *names)
{
    struct fc_buf reply;
    struct access_asker asker = { dial_as(access, user), &access->there };
    bool good = true;
    fc_buf_init(&reply, SPU_ANSWER_MAX);
    for (int32_t index = 0; index < access->served->api_keys_count; index++) {
        const struct fc_wire_api *api = fc_wire_api(access->served->api_keys[index].api_key);
        const struct expected *expected = expected_of(api->key);
        for (int16_t version = api->request->version_min;
             expected != NULL && version <= api->max; version++) {
            good =
                access_ask(&asker, api, version, names,
                           in_version(wanted(expected), api->key, version, wanted == of_admin),
                           &reply) &&
                good;
        }
    }
    (void)close(asker.fd);
    fc_buf_release(&reply);
    return good;
}

static void every_api_is_known(struct access *access)
{
    bool good = access->served->api_keys_count > 40;
    for (int32_t index = 0; index < access->served->api_keys_count; index++) {
        int16_t key = access->served->api_keys[index].api_key;
        if (!is_login(key) && expected_of(key) == NULL) {
            (void)printf("     API %d is served, and nobody has said who may use it\n", key);
            good = false;
        }
    }
    check(access, good, "of every API that is served it is known who may use it");
}

/* --- what is there or not is answered alike --- */

static void replace_all(struct fc_buf *bytes, const char *from, const char *to)
{
    size_t len = strlen(from);
    fc_assert(len == strlen(to));
    for (uint8_t *at = bytes->data;
         (at = memmem(at, bytes->len - (size_t)(at - bytes->data), from, len)) != NULL;) {
        memcpy(at, to, len);
    }
}

static bool is_alike(const struct access *access, int fd, const struct fc_wire_api *api,
                     int16_t version, int16_t wanted)
{
    struct access_asker asker = { fd, &access->there };
    struct fc_buf first;
    struct fc_buf second;
    bool good;
    fc_buf_init(&first, SPU_ANSWER_MAX);
    fc_buf_init(&second, SPU_ANSWER_MAX);
    good = access_ask(&asker, api, version, &access->there, wanted, &first) &&
           access_ask(&asker, api, version, &access->absent, wanted, &second);
    if (good) {
        replace_all(&second, access->absent.topic, access->there.topic);
        replace_all(&second, access->absent.group, access->there.group);
        replace_all(&second, access->absent.transactional_id, access->there.transactional_id);
        replace_all(&second, access->absent.user, access->there.user);
        good = first.len == second.len && memcmp(first.data, second.data, first.len) == 0;
        if (!good) {
            (void)printf("     %s version %d: what is there is told from what is not\n",
                         api->name, version);
        }
    }
    fc_buf_release(&first);
    fc_buf_release(&second);
    return good;
}

/* Topics' ids are no secret, neither with Kafka. */
static bool is_by_id(const struct fc_wire_api *api, int16_t version)
{
    return (api->key == FC_API_PRODUCE && version >= 13) ||
           (api->key == FC_API_FETCH && version >= 13) ||
           (api->key == FC_API_OFFSET_COMMIT && version >= 10) ||
           (api->key == FC_API_OFFSET_FETCH && version >= 10);
}

static void nothing_is_told(struct access *access)
{
    int fd = dial_as(access, "nobody");
    bool good = true;
    for (int32_t index = 0; index < access->served->api_keys_count; index++) {
        const struct fc_wire_api *api = fc_wire_api(access->served->api_keys[index].api_key);
        const struct expected *expected = expected_of(api->key);
        for (int16_t version = api->request->version_min;
             expected != NULL && version <= api->max; version++) {
            if (!is_by_id(api, version)) {
                int16_t wanted = in_version(expected->nobody, api->key, version, false);
                good = is_alike(access, fd, api, version, wanted) && good;
            }
        }
    }
    (void)close(fd);
    check(access, good, "whether there is such a thing is not told to who may not see it");
}

/* --- a line for each --- */

static char *log_text(const struct access *access)
{
    FILE *file = fopen(access->log, "r");
    struct fc_buf text;
    char part[4096];
    size_t len;
    fc_buf_init(&text, 64 << 20);
    while (file != NULL && (len = fread(part, 1, sizeof(part), file)) > 0) {
        fc_buf_append(&text, part, len);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    fc_buf_append_u8(&text, '\0');
    return (char *)text.data;
}

/* A line tells of this user and API. */
static bool is_told(const struct access *access, const char *user, const char *api)
{
    char *text = log_text(access);
    char *rest = NULL;
    char who[80];
    char what[80];
    bool found = false;
    (void)snprintf(who, sizeof(who), " principal=User:%s ", user);
    (void)snprintf(what, sizeof(what), " api=%s", api);
    for (char *line = strtok_r(text, "\n", &rest); line != NULL && !found;
         line = strtok_r(NULL, "\n", &rest)) {
        const char *at = strstr(line, what);
        char after = at == NULL ? 'x' : at[strlen(what)];
        found = strstr(line, " refused ") != NULL && strstr(line, who) != NULL &&
                (after == '\0' || after == ' ');
    }
    free(text);
    return found;
}

/* Only so many lines are written a second: it is asked again until there is one. */
static bool refuse_until_told(const struct access *access, int fd,
                              const struct fc_wire_api *api, int16_t wanted)
{
    struct access_asker asker = { fd, &access->there };
    uint64_t until_ms = spu_now_ms() + LOG_WAIT_MS;
    struct fc_buf reply;
    bool told = false;
    fc_buf_init(&reply, SPU_ANSWER_MAX);
    while (!told && spu_now_ms() < until_ms &&
           access_ask(&asker, api, api->max, &access->there, wanted, &reply)) {
        told = is_told(access, "nobody", api->name);
        if (!told) {
            (void)poll(NULL, 0, 20);
        }
    }
    fc_buf_release(&reply);
    return told;
}

static void each_is_told(struct access *access)
{
    int fd = dial_as(access, "nobody");
    bool good = true;
    for (int32_t index = 0; index < access->served->api_keys_count; index++) {
        const struct fc_wire_api *api = fc_wire_api(access->served->api_keys[index].api_key);
        const struct expected *expected = expected_of(api->key);
        if (expected != NULL && is_refusal(expected->nobody) &&
            !refuse_until_told(access, fd, api,
                               in_version(expected->nobody, api->key, api->max, false))) {
            (void)printf("     no line tells that %s was refused\n", api->name);
            good = false;
        }
    }
    (void)close(fd);
    check(access, good, "a line tells of each refusal: who, what, by which API");
}

/* --- other ways to ask --- */

static void other_ways(struct access *access)
{
    struct api_names groups_only = access->absent;
    const struct way *way;
    bool good = true;
    groups_only.group = access->there.group;
    for (size_t index = 0; (way = way_at(index)) != NULL; index++) {
        const struct fc_wire_api *api = fc_wire_api(way->key);
        struct access_asker asker = { dial_as(access, way->user), &access->there };
        struct fc_arena arena;
        struct fc_buf reply;
        void *message;
        fc_arena_init(&arena, SPU_ARENA_MAX);
        fc_buf_init(&reply, SPU_ANSWER_MAX);
        message = api_request_make(api, api->max, &groups_only, &arena);
        way->change(message, &access->there, &access->absent);
        if (!access_ask_with(&asker, api, api->max, &groups_only, message, way->wanted,
                             &reply)) {
            (void)printf("     it was row %zu of the other ways\n", index);
            good = false;
        }
        fc_arena_release(&arena);
        fc_buf_release(&reply);
        (void)close(asker.fd);
    }
    check(access, good, "all topics, topics by id, brokers' settings: no way around");
}

/* --- before logging in --- */

static void nothing_before_login(struct access *access)
{
    bool good = true;
    for (int32_t index = 0; index < access->served->api_keys_count; index++) {
        const struct fc_wire_api *api = fc_wire_api(access->served->api_keys[index].api_key);
        struct fc_arena arena;
        struct fc_buf reply;
        int fd = spu_dial(access->port);
        bool answered;
        fc_arena_init(&arena, SPU_ARENA_MAX);
        fc_buf_init(&reply, SPU_ANSWER_MAX);
        answered = spu_ask(fd, api->key, api->max,
                           api_request_make(api, api->max, &access->there, &arena), &reply,
                           &arena) != NULL;
        if (answered != (api->key == FC_API_API_VERSIONS || is_login(api->key))) {
            (void)printf("     %s before login: %s\n", api->name,
                         answered ? "answered" : "not answered");
            good = false;
        }
        fc_arena_release(&arena);
        fc_buf_release(&reply);
        (void)close(fd);
    }
    check(access, good, "before logging in nothing is served but what logs in");
}

/* --- what is there --- */

static void ask_versions(struct access *access)
{
    struct fc_msg_api_versions_request request;
    int fd = spu_dial(access->port);
    fc_wire_init(&fc_msg_api_versions_request_type, &request);
    fc_arena_init(&access->served_arena, SPU_ARENA_MAX);
    fc_buf_init(&access->served_reply, SPU_ANSWER_MAX);
    access->served = spu_ask(fd, FC_API_API_VERSIONS, 0, &request, &access->served_reply,
                             &access->served_arena);
    (void)close(fd);
    fc_assert(access->served != NULL);
}

/* A topic with a record, a group with an offset, a transactional id. */
static void make_things(struct access *access)
{
    static const int16_t order[] = { FC_API_CREATE_TOPICS, FC_API_PRODUCE, FC_API_OFFSET_COMMIT,
                                     FC_API_INIT_PRODUCER_ID };
    const struct wire_batch one = { .count = 1,
                                    .timestamp_ms = 1700000000000,
                                    .producer_id = -1 };
    struct fc_buf reply;
    int fd = dial_as(access, "root");
    bool good = true;
    fc_buf_init(&reply, SPU_ANSWER_MAX);
    wire_batch_make(&one, &access->batch);
    access->there.records = fc_buf_slice(&access->batch);
    access->absent.records = access->there.records;
    for (size_t index = 0; index < sizeof(order) / sizeof(order[0]); index++) {
        const struct fc_wire_api *api = fc_wire_api(order[index]);
        struct fc_arena arena;
        const void *answer;
        struct access_counts counts = { .wanted = 0 };
        int16_t version = api->max < 9 ? api->max : 9; /* by names */
        fc_arena_init(&arena, SPU_ARENA_MAX);
        answer =
            spu_ask(fd, api->key, version,
                    api_request_make(api, version, &access->there, &arena), &reply, &arena);
        if (answer != NULL) {
            api_response_errors(api->response, version, answer, access_count, &counts);
        }
        if (answer != NULL && api->key == FC_API_CREATE_TOPICS) {
            const struct fc_msg_create_topics_response *made = answer;
            access->there.topic_id = made->topics[0].topic_id;
            access->absent.topic_id = access->there.topic_id;
        }
        if (answer == NULL || counts.first_error != 0) {
            (void)printf("     %s: error %d\n", api->name, counts.first_error);
            good = false;
        }
        fc_arena_release(&arena);
    }
    (void)close(fd);
    fc_buf_release(&reply);
    check(access, good, "a super user makes a topic, a group and a transactional id");
}

/* Everything on all groups and all transactional ids. */
static void allow_half(struct access *access)
{
    static const int8_t resources[] = { 3, 5 };
    const struct fc_wire_api *api = fc_wire_api(FC_API_CREATE_ACLS);
    struct fc_buf reply;
    int fd = dial_as(access, "root");
    bool good = true;
    fc_buf_init(&reply, SPU_ANSWER_MAX);
    for (size_t index = 0; index < sizeof(resources); index++) {
        struct fc_arena arena;
        struct fc_msg_create_acls_request *request;
        const struct fc_msg_create_acls_response *answer;
        fc_arena_init(&arena, SPU_ARENA_MAX);
        request = api_request_make(api, api->max, &access->there, &arena);
        request->creations[0].resource_type = resources[index];
        request->creations[0].resource_name = fc_slice_text("*");
        request->creations[0].principal = fc_slice_text("User:half");
        request->creations[0].operation = 2; /* all */
        answer = spu_ask(fd, api->key, api->max, request, &reply, &arena);
        good = good && answer != NULL && answer->results[0].error_code == 0;
        fc_arena_release(&arena);
    }
    (void)close(fd);
    fc_buf_release(&reply);
    check(access, good, "and lets a user do all with groups and transactional ids");
}

int main(int argc, char **argv)
{
    struct access access = { .there = { .topic = "hidden-topic",
                                        .group = "hidden-group",
                                        .transactional_id = "hidden-txn",
                                        .user = "half",
                                        .metadata = "hidden-metadata" },
                             .absent = { .topic = "absent-topic",
                                         .group = "absent-group",
                                         .transactional_id = "absent-txn",
                                         .user = "gone",
                                         .metadata = "hidden-metadata" } };
    if (argc != 3) {
        (void)fputs("usage: spu_access PORT LOG\n", stderr);
        return 2;
    }
    access.port = (uint16_t)strtoul(argv[1], NULL, 10);
    access.log = argv[2];
    ask_versions(&access);
    every_api_is_known(&access);
    nothing_before_login(&access);
    make_things(&access);
    allow_half(&access);
    check(&access, ask_all(&access, "nobody", of_nobody, &access.there),
          "who may nothing is refused by every API in every version, or told nothing");
    nothing_is_told(&access);
    each_is_told(&access);
    other_ways(&access);
    check(&access, ask_all(&access, "half", of_half, &access.absent),
          "who may write transactions and be in groups sees no topic by them");
    check(&access, ask_all(&access, "user", of_user, &access.absent),
          "the role user reads and writes, and looks after nothing");
    check(&access, ask_all(&access, "admin", of_admin, &access.absent),
          "the role admin may everything");
    fc_arena_release(&access.served_arena);
    fc_buf_release(&access.served_reply);
    fc_buf_release(&access.batch);
    (void)printf("%d passed, %d failed\n", access.passed, access.failed);
    return access.failed == 0 ? 0 : 1;
}
