/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An SPU: a node that stores partitions and serves Kafka's protocol on top of an open data
 * directory. `fluvio-spu` is a process around one; the runner can have one beside its pipeline,
 * so that others read the log while it is written.
 */
#ifndef FC_SPU_SPU_H
#define FC_SPU_SPU_H

#include "core/log/data_dir.h"
#include "core/server/server.h"

struct fc_spu;
struct fc_principal_rules;

/* SASL's mechanisms, as bits. */
enum {
    FC_SASL_PLAIN = 1,
    FC_SASL_SCRAM_SHA_256 = 2,
    FC_SASL_SCRAM_SHA_512 = 4,
    FC_SASL_ALL = 7
};

/* How those who connect to a listener say who they are. All zero: by their certificate, if any.
 */
struct fc_spu_listener_auth {
    unsigned mechanisms;    /* with auth_required of the listener */
    bool plain_without_tls; /* PLAIN's passwords may go over the wire in clear */
    int64_t reauth_ms;      /* 0: once; else they say it again before so long (KIP-368) */
    const struct fc_principal_rules *rules; /* from certificates to principals; may be NULL */
};

/* fc_spu_config_init gives the defaults that are named here. */
struct fc_spu_config {
    struct fc_server_config
        net;         /* listeners and limits; on_request and its kin are the SPU's */
    int32_t node_id; /* 1 */
    const struct fc_spu_listener_auth *listeners_auth; /* by listener; NULL: all zero */
    bool authorization;                                /* false: everybody may do everything */
    const char *const *super_users; /* principals that no ACL holds back: "User:admin" */
    size_t super_users_count;
    const char *cluster_id; /* NULL: kept in the data directory, made when there is none */

    bool clients_read_only;      /* false: topics are this process's, clients only read them */
    bool auto_create_topics;     /* true: a topic that is asked for is made */
    uint32_t partitions_default; /* 1: of topics whose creator does not say */
    uint32_t partitions_max;     /* 10,000: of one topic */
    int32_t
        group_initial_delay_ms;   /* 0: the first rebalance of a group waits so long for more */
    int32_t group_session_min_ms; /* 6,000 */
    int32_t group_session_max_ms; /* 1,800,000 */
    int32_t group_size_max;       /* 1,000 members */
    uint32_t offsets_partitions;  /* 8: of __consumer_offsets, when it is created */
    int64_t offsets_retention_ms; /* 7 days: of an empty group's offsets */
    int32_t offset_metadata_max;  /* 4,096 bytes */
    uint32_t transactions_partitions;      /* 8: of __transaction_state, when it is created */
    int32_t transaction_timeout_max_ms;    /* 900,000 */
    int64_t transactional_id_retention_ms; /* 7 days: of one that is not used */
    uint32_t fetch_sessions_max;           /* 1,000 incremental fetch sessions */
};

void fc_spu_config_init(struct fc_spu_config *config);

/*
 * Serve `data`, which stays the caller's and outlives the SPU. The config is copied, what
 * it points to is the caller's.
 * Errors: as fc_server_start; FC_ERR_IO, FC_ERR_CORRUPT of the internal topics.
 */
FC_MUST_CHECK fc_code fc_spu_start(const struct fc_spu_config *config, struct fc_data_dir *data,
                                   struct fc_spu **out_spu, struct fc_error *err);

/* Requests in flight get up to wait_ms; then all connections close. NULL is fine. */
void fc_spu_stop(struct fc_spu *spu, int64_t wait_ms);

/* The network half, for its listeners' ports, its counts, and to reload certificates. */
struct fc_server *fc_spu_server(const struct fc_spu *spu);

#endif
