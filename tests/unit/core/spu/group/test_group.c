/* SPDX-License-Identifier: Apache-2.0 */
/* Members of a group join, sync, fall silent and come back, by a clock that the tests move. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/spu/group/group.h"

enum { CLIENTS = 12, SESSION_MS = 10000, REBALANCE_MS = 60000, ID_SIZE = 64, STEPS = 20000 };

/* What a client knows of itself. */
struct client {
    char id[ID_SIZE];
    char instance[ID_SIZE]; /* "": dynamic */
    int32_t generation;
    char assignment[ID_SIZE];
    fc_kafka_error joined; /* answer to the last join */
    fc_kafka_error synced;
    bool waits_join;
    bool waits_sync;
    bool leads;
    bool skips;
    int32_t members; /* that the leader was told of */
};

struct fixture {
    struct fc_group_host host;
    struct fc_group *group;
    struct client clients[CLIENTS];
    int64_t now_ms;
    int ids;
    int changes;
    int32_t members_max;
    uint64_t seed;
};

static void copy_text(char *to, struct fc_slice from)
{
    assert_true(from.len < ID_SIZE);
    memcpy(to, from.data, from.len);
    to[from.len] = '\0';
}

static void on_joined(void *ctx, void *waiter, const struct fc_group *group,
                      const struct fc_group_member *member, fc_kafka_error error,
                      struct fc_slice member_id, bool skip_assignment)
{
    struct client *client = waiter;
    (void)ctx;
    assert_true(client->waits_join);
    client->waits_join = false;
    client->joined = error;
    client->skips = skip_assignment;
    copy_text(client->id, member_id);
    if (member != NULL) {
        client->generation = group->generation;
        client->leads = member == group->leader;
        client->members = client->leads ? group->members_count : 0;
    }
}

static void on_synced(void *ctx, void *waiter, const struct fc_group *group,
                      const struct fc_group_member *member, fc_kafka_error error)
{
    struct client *client = waiter;
    (void)ctx;
    (void)group;
    assert_true(client->waits_sync);
    client->waits_sync = false;
    client->synced = error;
    if (member != NULL) {
        copy_text(client->assignment,
                  member->assignment.data == NULL ? fc_slice_text("") : member->assignment);
    }
}

static void on_changed(void *ctx, struct fc_group *group)
{
    (void)group;
    ((struct fixture *)ctx)->changes++;
}

static struct fc_slice new_member_id(void *ctx, struct fc_slice prefix)
{
    struct fixture *fixture = ctx;
    char *id =
        fc_asprintf("%.*s-%d", (int)prefix.len, (const char *)prefix.data, ++fixture->ids);
    return fc_slice_text(id);
}

static int set_up(void **state)
{
    struct fixture *fixture = fc_new(struct fixture);
    struct fc_group_host host = { fixture, on_joined, on_synced, on_changed, new_member_id };
    fixture->host = host;
    fixture->members_max = 1000;
    fixture->group = fc_group_new(&fixture->host, fc_slice_text("g"), 0);
    fixture->seed = 88172645463325252ULL;
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    fc_group_kill(fixture->group, FC_KAFKA_NOT_COORDINATOR);
    fc_group_free(fixture->group);
    free(fixture);
    return 0;
}

static void join_with(struct fixture *fixture, struct client *client, const char *protocol,
                      bool id_first)
{
    /* Each says something else of itself. */
    static const char metadata[] = "abcdefghijklmnopqrstuvwxyz";
    size_t which = (size_t)(client - fixture->clients) % (sizeof(metadata) - 1);
    struct fc_group_protocol protocols[] = {
        { fc_slice_text(protocol), fc_slice_of(&metadata[which], 1) },
    };
    struct fc_group_join join = {
        .member_id = fc_slice_text(client->id),
        .instance_id =
            client->instance[0] == '\0' ? fc_slice_null() : fc_slice_text(client->instance),
        .client_id = fc_slice_text("c"),
        .client_host = fc_slice_text("127.0.0.1"),
        .protocol_type = fc_slice_text("consumer"),
        .protocols = protocols,
        .protocols_count = 1,
        .session_timeout_ms = SESSION_MS,
        .rebalance_timeout_ms = REBALANCE_MS,
        .id_first = id_first,
        .skips = true,
        .members_max = fixture->members_max,
    };
    client->waits_join = true;
    fc_group_on_join(fixture->group, &join, client, fixture->now_ms);
    fc_group_check(fixture->group);
}

static void join(struct fixture *fixture, int number)
{
    join_with(fixture, &fixture->clients[number], "range", false);
}

static struct fc_group_speaker speaker_of(const struct client *client)
{
    struct fc_group_speaker speaker = { fc_slice_text(client->id),
                                        client->instance[0] == '\0'
                                            ? fc_slice_null()
                                            : fc_slice_text(client->instance),
                                        client->generation };
    return speaker;
}

/* The leader gives every member its own id as the assignment. */
static void sync_client(struct fixture *fixture, struct client *client)
{
    struct fc_group_speaker speaker = speaker_of(client);
    struct fc_group_assignment assignments[CLIENTS * 2];
    int32_t count = 0;
    for (int32_t index = 0; client->leads && index < fixture->group->members_count; index++) {
        assignments[count].member_id = fixture->group->members[index]->id;
        assignments[count].assignment = fixture->group->members[index]->id;
        count++;
    }
    client->waits_sync = true;
    fc_group_on_sync(fixture->group, &speaker, fc_slice_text("consumer"), fc_slice_null(),
                     assignments, count, client, fixture->now_ms);
    fc_group_check(fixture->group);
}

static fc_kafka_error beat(struct fixture *fixture, int number)
{
    struct fc_group_speaker speaker = speaker_of(&fixture->clients[number]);
    return fc_group_on_heartbeat(fixture->group, &speaker, fixture->now_ms);
}

static void pass(struct fixture *fixture, int64_t ms)
{
    fixture->now_ms += ms;
    fc_group_on_time(fixture->group, fixture->now_ms);
    fc_group_check(fixture->group);
}

/* Two members, stable. */
static void make_stable_pair(struct fixture *fixture)
{
    join(fixture, 0);
    join(fixture, 1);
    assert_int_equal(beat(fixture, 0), FC_KAFKA_REBALANCE_IN_PROGRESS);
    join(fixture, 0);
    sync_client(fixture, &fixture->clients[1]);
    sync_client(fixture, &fixture->clients[0]);
    assert_int_equal(fixture->group->state, FC_GROUP_STABLE);
    assert_string_equal(fixture->clients[1].assignment, fixture->clients[1].id);
}

static void a_lone_member_leads_and_gets_its_assignment(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->clients[0];
    join(fixture, 0);
    assert_int_equal(client->joined, FC_KAFKA_NONE);
    assert_true(client->leads);
    assert_int_equal(client->generation, 1);
    sync_client(fixture, client);
    assert_int_equal(client->synced, FC_KAFKA_NONE);
    assert_string_equal(client->assignment, client->id);
    assert_int_equal(fixture->group->state, FC_GROUP_STABLE);
    assert_int_equal(beat(fixture, 0), FC_KAFKA_NONE);
}

static void a_client_that_knows_it_gets_its_id_first(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->clients[0];
    join_with(fixture, client, "range", true);
    assert_int_equal(client->joined, FC_KAFKA_MEMBER_ID_REQUIRED);
    assert_string_equal(client->id, "c-1");
    assert_int_equal(fixture->group->state, FC_GROUP_EMPTY);
    join_with(fixture, client, "range", true);
    assert_int_equal(client->joined, FC_KAFKA_NONE);
    assert_string_equal(client->id, "c-1");
}

static void an_id_that_never_joins_does_not_hold_the_others_up_for_ever(void **state)
{
    struct fixture *fixture = *state;
    make_stable_pair(fixture);
    join_with(fixture, &fixture->clients[2], "range", true); /* and never again */
    join(fixture, 3);
    join(fixture, 0);
    join(fixture, 1);
    assert_true(fixture->clients[0].waits_join);
    pass(fixture, SESSION_MS);
    assert_false(fixture->clients[0].waits_join);
    assert_int_equal(fixture->group->state, FC_GROUP_COMPLETING);
    assert_int_equal(fixture->group->members_count, 3);
}

static void a_second_member_makes_the_first_join_again(void **state)
{
    struct fixture *fixture = *state;
    make_stable_pair(fixture);
    assert_int_equal(fixture->clients[0].generation, 2);
    assert_int_equal(fixture->clients[1].generation, 2);
    assert_int_equal(fixture->clients[0].members + fixture->clients[1].members, 2);
}

static void a_silent_member_is_out_when_its_session_ends(void **state)
{
    struct fixture *fixture = *state;
    make_stable_pair(fixture);
    pass(fixture, SESSION_MS / 2);
    assert_int_equal(beat(fixture, 0), FC_KAFKA_NONE);
    pass(fixture, SESSION_MS / 2);
    assert_int_equal(fixture->group->state, FC_GROUP_PREPARING);
    assert_int_equal(beat(fixture, 0), FC_KAFKA_REBALANCE_IN_PROGRESS);
    assert_int_equal(beat(fixture, 1), FC_KAFKA_UNKNOWN_MEMBER_ID);
    join(fixture, 0);
    assert_int_equal(fixture->clients[0].joined, FC_KAFKA_NONE);
    assert_true(fixture->clients[0].leads);
    assert_int_equal(fixture->group->members_count, 1);
}

static void a_member_that_does_not_join_again_is_out_at_the_deadline(void **state)
{
    struct fixture *fixture = *state;
    make_stable_pair(fixture);
    join(fixture, 2);
    for (int64_t waited = 0; waited < REBALANCE_MS; waited += SESSION_MS / 2) {
        (void)beat(fixture, 0);
        (void)beat(fixture, 1);
        pass(fixture, SESSION_MS / 2);
    }
    assert_int_equal(fixture->group->members_count, 1);
    assert_false(fixture->clients[2].waits_join);
    assert_true(fixture->clients[2].leads);
}

static void the_last_to_leave_empties_the_group(void **state)
{
    struct fixture *fixture = *state;
    struct fc_group_speaker speaker;
    make_stable_pair(fixture);
    for (int number = 0; number < 2; number++) {
        speaker = speaker_of(&fixture->clients[number]);
        assert_int_equal(fc_group_on_leave(fixture->group, &speaker, fixture->now_ms),
                         FC_KAFKA_NONE);
        fc_group_check(fixture->group);
    }
    assert_int_equal(fixture->group->state, FC_GROUP_EMPTY);
    assert_int_equal(fc_group_on_leave(fixture->group, &speaker, fixture->now_ms),
                     FC_KAFKA_UNKNOWN_MEMBER_ID);
    assert_int_equal(fc_group_next_ms(fixture->group), INT64_MAX);
}

static void an_old_generation_may_neither_beat_nor_sync_nor_commit(void **state)
{
    struct fixture *fixture = *state;
    struct fc_group_speaker speaker;
    make_stable_pair(fixture);
    fixture->clients[0].generation--;
    speaker = speaker_of(&fixture->clients[0]);
    assert_int_equal(beat(fixture, 0), FC_KAFKA_ILLEGAL_GENERATION);
    assert_int_equal(fc_group_on_commit(fixture->group, &speaker, false, fixture->now_ms),
                     FC_KAFKA_ILLEGAL_GENERATION);
    sync_client(fixture, &fixture->clients[0]);
    assert_int_equal(fixture->clients[0].synced, FC_KAFKA_ILLEGAL_GENERATION);
}

static void only_members_commit_while_there_are_any(void **state)
{
    struct fixture *fixture = *state;
    struct fc_group *group = fixture->group;
    struct fc_group_speaker nobody = { fc_slice_text(""), fc_slice_null(), -1 };
    struct fc_group_speaker named = { fc_slice_text(""), fc_slice_text("worker-1"), -1 };
    struct fc_group_speaker member;
    assert_int_equal(fc_group_on_commit(group, &nobody, false, 0), FC_KAFKA_NONE);
    assert_int_equal(fc_group_on_commit(group, &named, false, 0), FC_KAFKA_NONE);
    make_stable_pair(fixture);
    member = speaker_of(&fixture->clients[0]);
    assert_int_equal(fc_group_on_commit(group, &nobody, false, 0), FC_KAFKA_UNKNOWN_MEMBER_ID);
    assert_int_equal(fc_group_on_commit(group, &named, false, 0), FC_KAFKA_UNKNOWN_MEMBER_ID);
    assert_int_equal(fc_group_on_commit(group, &nobody, true, 0), FC_KAFKA_NONE);
    assert_int_equal(fc_group_on_commit(group, &member, false, 0), FC_KAFKA_NONE);
    join(fixture, 2);
    assert_int_equal(fc_group_on_commit(group, &member, false, 0), FC_KAFKA_NONE);
    join(fixture, 0);
    join(fixture, 1);
    assert_int_equal(group->state, FC_GROUP_COMPLETING);
    member = speaker_of(&fixture->clients[0]);
    assert_int_equal(fc_group_on_commit(group, &member, false, 0),
                     FC_KAFKA_REBALANCE_IN_PROGRESS);
    assert_int_equal(fc_group_on_commit(group, &member, true, 0), FC_KAFKA_NONE);
}

static void protocols_that_share_nothing_do_not_meet(void **state)
{
    struct fixture *fixture = *state;
    join(fixture, 0);
    join_with(fixture, &fixture->clients[1], "sticky", false);
    assert_int_equal(fixture->clients[1].joined, FC_KAFKA_INCONSISTENT_GROUP_PROTOCOL);
    assert_int_equal(fixture->group->members_count, 1);
}

static void a_restarted_static_member_takes_its_place_without_a_rebalance(void **state)
{
    struct fixture *fixture = *state;
    struct client *old = &fixture->clients[0];
    struct client *young = &fixture->clients[1];
    (void)snprintf(old->instance, sizeof(old->instance), "i");
    (void)snprintf(young->instance, sizeof(young->instance), "i");
    join(fixture, 0);
    sync_client(fixture, old);
    join(fixture, 1);
    assert_int_equal(young->joined, FC_KAFKA_NONE);
    assert_int_equal(young->generation, old->generation);
    assert_true(young->leads && young->skips);
    assert_int_equal(fixture->group->state, FC_GROUP_STABLE);
    assert_int_equal(beat(fixture, 0), FC_KAFKA_FENCED_INSTANCE_ID);
    assert_int_equal(beat(fixture, 1), FC_KAFKA_NONE);
    young->leads = false;
    sync_client(fixture, young);
    assert_int_equal(young->synced, FC_KAFKA_NONE);
    assert_string_equal(young->assignment, old->assignment);
}

static void the_first_rebalance_waits_for_more_members(void **state)
{
    struct fixture *fixture = *state;
    fixture->group->initial_delay_ms = 3000;
    join(fixture, 0);
    assert_true(fixture->clients[0].waits_join);
    pass(fixture, 2000);
    join(fixture, 1);
    pass(fixture, 2000);
    assert_true(fixture->clients[0].waits_join);
    pass(fixture, 1000);
    assert_false(fixture->clients[0].waits_join);
    assert_int_equal(fixture->clients[0].generation, 1);
    assert_int_equal(fixture->clients[1].generation, 1);
}

static void a_full_group_takes_nobody_else(void **state)
{
    struct fixture *fixture = *state;
    make_stable_pair(fixture);
    fixture->members_max = 2;
    join(fixture, 2);
    assert_int_equal(fixture->clients[2].joined, FC_KAFKA_GROUP_MAX_SIZE_REACHED);
}

static uint64_t next_random(struct fixture *fixture)
{
    fixture->seed ^= fixture->seed << 13;
    fixture->seed ^= fixture->seed >> 7;
    fixture->seed ^= fixture->seed << 17;
    return fixture->seed;
}

/* What a client does next by itself, as a real one would. */
static void go_on(struct fixture *fixture, int number)
{
    struct client *client = &fixture->clients[number];
    fc_kafka_error error;
    if (client->waits_join || client->waits_sync) {
        return;
    }
    if (client->joined != FC_KAFKA_NONE || client->generation == 0) {
        if (client->joined != FC_KAFKA_MEMBER_ID_REQUIRED) {
            client->id[0] = '\0';
        }
        join_with(fixture, client, "range", number % 2 == 0);
    } else if (client->synced != FC_KAFKA_NONE || client->assignment[0] == '\0') {
        if (client->synced == FC_KAFKA_NONE ||
            client->synced == FC_KAFKA_UNKNOWN_SERVER_ERROR) {
            sync_client(fixture, client);
        } else {
            client->synced = FC_KAFKA_NONE;
            join_with(fixture, client, "range", number % 2 == 0);
        }
    } else {
        error = beat(fixture, number);
        if (error != FC_KAFKA_NONE) {
            client->assignment[0] = '\0';
            client->joined = FC_KAFKA_NONE;
            if (error != FC_KAFKA_REBALANCE_IN_PROGRESS) {
                client->id[0] = '\0';
            }
            join_with(fixture, client, "range", number % 2 == 0);
        }
    }
}

static void random_histories_end_in_one_stable_generation(void **state)
{
    struct fixture *fixture = *state;
    print_message("seed %llu\n", (unsigned long long)fixture->seed);
    for (int step = 0; step < STEPS; step++) {
        int number = (int)(next_random(fixture) % CLIENTS);
        struct client *client = &fixture->clients[number];
        uint64_t dice = next_random(fixture) % 100;
        if (dice < 3 && !client->waits_join && !client->waits_sync) {
            memset(client, 0, sizeof(*client)); /* crashed, and comes back as another */
        } else if (dice < 5 && client->id[0] != '\0' && !client->waits_join &&
                   !client->waits_sync) {
            struct fc_group_speaker speaker = speaker_of(client);
            (void)fc_group_on_leave(fixture->group, &speaker, fixture->now_ms);
            memset(client, 0, sizeof(*client));
        } else if (dice < 90) {
            go_on(fixture, number);
        } else {
            pass(fixture, (int64_t)(next_random(fixture) % 3000));
        }
        fc_group_check(fixture->group);
    }
    for (int round = 0; round < 200; round++) {
        for (int number = 0; number < CLIENTS; number++) {
            go_on(fixture, number);
        }
        pass(fixture, 1000);
    }
    assert_int_equal(fixture->group->state, FC_GROUP_STABLE);
    assert_int_equal(fixture->group->members_count, CLIENTS);
    for (int number = 0; number < CLIENTS; number++) {
        assert_int_equal(fixture->clients[number].generation, fixture->group->generation);
        assert_string_equal(fixture->clients[number].assignment, fixture->clients[number].id);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_lone_member_leads_and_gets_its_assignment),
        CASE(a_client_that_knows_it_gets_its_id_first),
        CASE(an_id_that_never_joins_does_not_hold_the_others_up_for_ever),
        CASE(a_second_member_makes_the_first_join_again),
        CASE(a_silent_member_is_out_when_its_session_ends),
        CASE(a_member_that_does_not_join_again_is_out_at_the_deadline),
        CASE(the_last_to_leave_empties_the_group),
        CASE(an_old_generation_may_neither_beat_nor_sync_nor_commit),
        CASE(only_members_commit_while_there_are_any),
        CASE(protocols_that_share_nothing_do_not_meet),
        CASE(a_restarted_static_member_takes_its_place_without_a_rebalance),
        CASE(the_first_rebalance_waits_for_more_members),
        CASE(a_full_group_takes_nobody_else),
        CASE(random_histories_end_in_one_stable_generation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
