/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A consumer group of the classic protocol: its members, its generation, and who waits for what.
 * Nothing here does I/O: requests and the time come in, answers go out through fc_group_host.
 *
 * The rules are Kafka's (KIP-62 rebalance time-outs, KIP-345 static members, KIP-394 member ids
 * first, KIP-559 protocol types, KIP-814 skipped assignments). Protocols and assignments are
 * opaque bytes: Connect's are not a consumer's.
 *
 *   EMPTY       no member; offsets may be committed by anybody
 *   PREPARING   members are to join; waits for all of them, or for the deadline
 *   COMPLETING  all have joined, the leader is to send the assignment
 *   STABLE      everyone has an assignment
 *   DEAD        deleted; the object is about to be freed
 *
 * Invariants: a member waits for a join only in PREPARING, for a sync only in COMPLETING; there
 * is a leader exactly when there are members and the state is COMPLETING or STABLE; generations
 * only grow.
 *
 * Thread: one at a time; the coordinator's lock.
 */
#ifndef FC_SPU_GROUP_H
#define FC_SPU_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/kafka_error.h"
#include "core/base/slice.h"

typedef enum fc_group_state {
    FC_GROUP_EMPTY,
    FC_GROUP_PREPARING,
    FC_GROUP_COMPLETING,
    FC_GROUP_STABLE,
    FC_GROUP_DEAD
} fc_group_state;

/* As Kafka prints it: "Empty", "PreparingRebalance", ... */
const char *fc_group_state_name(fc_group_state state);

struct fc_group_protocol {
    struct fc_slice name;
    struct fc_slice metadata;
};

/* All text and bytes are owned by the member. */
struct fc_group_member {
    struct fc_slice id;
    struct fc_slice instance_id; /* null: a dynamic member */
    struct fc_slice client_id;
    struct fc_slice client_host;
    int32_t session_timeout_ms;
    int32_t rebalance_timeout_ms;
    struct fc_group_protocol *protocols; /* in order of preference */
    int32_t protocols_count;
    struct fc_slice assignment;
    void *join_waiter;  /* NULL: does not wait */
    void *sync_waiter;  /* NULL: does not wait */
    bool synced;        /* asked for the assignment of this generation */
    int64_t expires_ms; /* steady clock; when its session ends unless it is heard of */
};

/* A member id that was given out and has not joined yet (KIP-394). */
struct fc_group_pending {
    struct fc_slice id;
    int64_t expires_ms;
};

struct fc_group;

/* Where answers go. Called from within the functions below; must not call them back. */
struct fc_group_host {
    void *ctx;
    /*
     * To a JoinGroup. member is NULL on failure, and member_id then says what id the client is to
     * use (or is the one it sent). skip_assignment: the leader need not compute one (KIP-814).
     */
    void (*on_joined)(void *ctx, void *waiter, const struct fc_group *group,
                      const struct fc_group_member *member, fc_kafka_error error,
                      struct fc_slice member_id, bool skip_assignment);
    /* To a SyncGroup; member is NULL on failure. */
    void (*on_synced)(void *ctx, void *waiter, const struct fc_group *group,
                      const struct fc_group_member *member, fc_kafka_error error);
    /* Members or assignments have changed: the group is to be stored, and its state_ms is now. */
    void (*on_changed)(void *ctx, struct fc_group *group);
    /* A fresh, unique member id: `prefix` and a random uuid; the caller frees data. */
    struct fc_slice (*new_member_id)(void *ctx, struct fc_slice prefix);
};

struct fc_group {
    const struct fc_group_host *host;
    struct fc_slice id;
    fc_group_state state;
    int32_t generation;
    struct fc_slice protocol_type; /* null: not known */
    struct fc_slice protocol;      /* that was chosen; null unless COMPLETING or STABLE */
    struct fc_group_member *leader;
    struct fc_group_member **members; /* in the order in which they came */
    int32_t members_count;
    struct fc_group_pending *pending;
    int32_t pending_count;
    int64_t deadline_ms; /* of PREPARING and COMPLETING; INT64_MAX: none */
    int64_t
        delay_end_ms; /* of the first rebalance: the deadline moves with new members up to here */
    int64_t state_ms; /* wall clock when the state was reached; for offsets' retention */
    int32_t initial_delay_ms;
};

struct fc_group *fc_group_new(const struct fc_group_host *host, struct fc_slice id,
                              int32_t initial_delay_ms);
void fc_group_free(struct fc_group *group); /* nobody may wait any more; NULL is fine */

/* A JoinGroup. Slices are borrowed. */
struct fc_group_join {
    struct fc_slice member_id;   /* empty: new */
    struct fc_slice instance_id; /* null: dynamic */
    struct fc_slice client_id;
    struct fc_slice client_host;
    struct fc_slice protocol_type;
    const struct fc_group_protocol *protocols;
    int32_t protocols_count;
    int32_t session_timeout_ms;
    int32_t rebalance_timeout_ms;
    bool id_first;       /* the client knows MEMBER_ID_REQUIRED (version 4 on) */
    bool skips;          /* the client knows skip_assignment (version 9 on) */
    int32_t members_max; /* group.max.size */
};

/* Answers now, or later when the generation is complete. */
void fc_group_on_join(struct fc_group *group, const struct fc_group_join *join, void *waiter,
                      int64_t now_ms);

struct fc_group_assignment {
    struct fc_slice member_id;
    struct fc_slice assignment;
};

/* Who is speaking: what most requests of a member carry. */
struct fc_group_speaker {
    struct fc_slice member_id;
    struct fc_slice instance_id; /* null: dynamic */
    int32_t generation;
};

/* A SyncGroup. protocol_type and protocol are null where the client does not say. */
void fc_group_on_sync(struct fc_group *group, const struct fc_group_speaker *speaker,
                      struct fc_slice protocol_type, struct fc_slice protocol,
                      const struct fc_group_assignment *assignments, int32_t count,
                      void *waiter, int64_t now_ms);

fc_kafka_error fc_group_on_heartbeat(struct fc_group *group,
                                     const struct fc_group_speaker *speaker, int64_t now_ms);

/* speaker->generation is not looked at. */
fc_kafka_error fc_group_on_leave(struct fc_group *group, const struct fc_group_speaker *speaker,
                                 int64_t now_ms);

/* Whether the speaker may commit offsets; keeps its session alive. transactional: a TxnOffsetCommit,
 * where clients before KIP-447 do not say who they are. */
fc_kafka_error fc_group_on_commit(struct fc_group *group,
                                  const struct fc_group_speaker *speaker, bool transactional,
                                  int64_t now_ms);

/* Let what is due happen: sessions end, deadlines pass. */
void fc_group_on_time(struct fc_group *group, int64_t now_ms);

/* When on_time has something to do next; INT64_MAX: never. */
int64_t fc_group_next_ms(const struct fc_group *group);

/* Answer everybody who waits with `error` and become DEAD. */
void fc_group_kill(struct fc_group *group, fc_kafka_error error);

struct fc_group_member *fc_group_member(const struct fc_group *group, struct fc_slice id);

/* What a member said of the group's protocol; the null slice when it has none of that name. */
struct fc_slice fc_group_metadata_of(const struct fc_group_member *member,
                                     struct fc_slice protocol);

/*
 * Put a group back as it was stored, before it is used: begin, each member, end. Nobody is
 * answered and nothing is told.
 */
void fc_group_restore_begin(struct fc_group *group);
void fc_group_restore_member(struct fc_group *group, const struct fc_group_join *as_joined,
                             struct fc_slice assignment, int64_t now_ms);
struct fc_group_restored {
    struct fc_slice protocol_type;
    struct fc_slice protocol; /* null: none was chosen */
    struct fc_slice leader_id;
    int32_t generation;
    int64_t state_ms;
};
void fc_group_restore_end(struct fc_group *group, const struct fc_group_restored *restored);

/* For the tests: the invariants above hold. */
void fc_group_check(const struct fc_group *group);

#endif
