/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/access_table.h"

#include "core/wire/messages.h"

static const struct expected EXPECTED[] = {
    { 0, TOPIC, TOPIC, YES },          /* Produce */
    { 1, TOPIC, TOPIC, YES },          /* Fetch */
    { 2, TOPIC, TOPIC, YES },          /* ListOffsets */
    { 3, TOPIC, TOPIC, YES },          /* Metadata */
    { 8, GROUP, TOPIC, YES },          /* OffsetCommit */
    { 9, GROUP, TOPIC, YES },          /* OffsetFetch */
    { 10, GROUP, YES, YES },           /* FindCoordinator */
    { 11, GROUP, YES, YES },           /* JoinGroup */
    { 12, GROUP, YES, YES },           /* Heartbeat */
    { 13, GROUP, YES, YES },           /* LeaveGroup */
    { 14, GROUP, YES, YES },           /* SyncGroup */
    { 15, GROUP, YES, YES },           /* DescribeGroups */
    { 16, FILTERED, YES, YES },        /* ListGroups */
    { 18, YES, YES, YES },             /* ApiVersions */
    { 19, TOPIC, TOPIC, TOPIC },       /* CreateTopics */
    { 20, TOPIC, TOPIC, TOPIC },       /* DeleteTopics */
    { 21, TOPIC, TOPIC, TOPIC },       /* DeleteRecords */
    { 22, TXN, YES, YES },             /* InitProducerId */
    { 23, TOPIC, TOPIC, YES },         /* OffsetForLeaderEpoch */
    { 24, TXN, TOPIC, YES },           /* AddPartitionsToTxn */
    { 25, TXN, YES, YES },             /* AddOffsetsToTxn */
    { 26, TXN, YES, YES },             /* EndTxn */
    { 27, CLUSTER, CLUSTER, CLUSTER }, /* WriteTxnMarkers */
    { 28, TXN, TOPIC, YES },           /* TxnOffsetCommit */
    { 29, CLUSTER, CLUSTER, CLUSTER }, /* DescribeAcls */
    { 30, CLUSTER, CLUSTER, CLUSTER }, /* CreateAcls */
    { 31, CLUSTER, CLUSTER, CLUSTER }, /* DeleteAcls */
    { 32, TOPIC, TOPIC, YES },         /* DescribeConfigs */
    { 33, TOPIC, TOPIC, TOPIC },       /* AlterConfigs */
    { 34, CLUSTER, CLUSTER, CLUSTER }, /* AlterReplicaLogDirs */
    { 35, CLUSTER, CLUSTER, CLUSTER }, /* DescribeLogDirs */
    { 37, TOPIC, TOPIC, TOPIC },       /* CreatePartitions */
    { 42, GROUP, YES, GROUP },         /* DeleteGroups */
    { 43, CLUSTER, CLUSTER, CLUSTER }, /* ElectLeaders */
    { 44, TOPIC, TOPIC, TOPIC },       /* IncrementalAlterConfigs */
    { 45, CLUSTER, CLUSTER, CLUSTER }, /* AlterPartitionReassignments */
    { 46, CLUSTER, CLUSTER, CLUSTER }, /* ListPartitionReassignments */
    { 47, GROUP, YES, GROUP }, /* OffsetDelete; half knows that there is no such group */
    { 48, CLUSTER, CLUSTER, CLUSTER }, /* DescribeClientQuotas */
    { 49, CLUSTER, CLUSTER, CLUSTER }, /* AlterClientQuotas */
    { 50, CLUSTER, CLUSTER, CLUSTER }, /* DescribeUserScramCredentials */
    { 51, CLUSTER, CLUSTER, CLUSTER }, /* AlterUserScramCredentials */
    { 55, CLUSTER, CLUSTER, CLUSTER }, /* DescribeQuorum */
    { 57, CLUSTER, CLUSTER, CLUSTER }, /* UpdateFeatures */
    { 60, FILTERED, FILTERED, YES },   /* DescribeCluster */
    { 61, TOPIC, TOPIC, YES },         /* DescribeProducers */
    { 65, TXN, YES, YES },             /* DescribeTransactions */
    { 66, FILTERED, YES, YES },        /* ListTransactions */
    { 74, CLUSTER, CLUSTER, CLUSTER }, /* ListConfigResources */
    { 75, TOPIC, TOPIC, YES },         /* DescribeTopicPartitions */
};

const struct expected *expected_of(int16_t key)
{
    for (size_t index = 0; index < sizeof(EXPECTED) / sizeof(EXPECTED[0]); index++) {
        if (EXPECTED[index].key == key) {
            return &EXPECTED[index];
        }
    }
    return NULL;
}

bool is_refusal(int16_t error)
{
    return error == TOPIC || error == GROUP || error == CLUSTER || error == TXN;
}

/* --- other ways to ask --- */

static void in_transaction(void *message, const struct api_names *there,
                           const struct api_names *absent)
{
    struct fc_msg_produce_request *request = message;
    (void)absent;
    request->transactional_id = fc_slice_text(there->transactional_id);
}

static void idempotent(void *message, const struct api_names *there,
                       const struct api_names *absent)
{
    struct fc_msg_init_producer_id_request *request = message;
    (void)there;
    (void)absent;
    request->transactional_id = fc_slice_null();
}

static void coordinator_of_txn(void *message, const struct api_names *there,
                               const struct api_names *absent)
{
    struct fc_msg_find_coordinator_request *request = message;
    (void)there;
    request->key_type = 1;
    request->coordinator_keys[0] = fc_slice_text(absent->transactional_id);
}

static void all_topics(void *message, const struct api_names *there,
                       const struct api_names *absent)
{
    struct fc_msg_metadata_request *request = message;
    (void)there;
    (void)absent;
    request->topics = NULL;
    request->topics_count = -1;
}

static void all_partitions(void *message, const struct api_names *there,
                           const struct api_names *absent)
{
    struct fc_msg_describe_topic_partitions_request *request = message;
    (void)there;
    (void)absent;
    request->topics_count = 0;
}

static void all_offsets(void *message, const struct api_names *there,
                        const struct api_names *absent)
{
    struct fc_msg_offset_fetch_request *request = message;
    (void)there;
    (void)absent;
    request->groups[0].topics = NULL;
    request->groups[0].topics_count = -1;
}

static void metadata_by_id(void *message, const struct api_names *there,
                           const struct api_names *absent)
{
    struct fc_msg_metadata_request *request = message;
    (void)absent;
    request->topics[0].name = fc_slice_null();
    request->topics[0].topic_id = there->topic_id;
}

static void delete_by_id(void *message, const struct api_names *there,
                         const struct api_names *absent)
{
    struct fc_msg_delete_topics_request *request = message;
    (void)absent;
    request->topics[0].name = fc_slice_null();
    request->topics[0].topic_id = there->topic_id;
}

static void configs_of_broker(void *message, const struct api_names *there,
                              const struct api_names *absent)
{
    struct fc_msg_describe_configs_request *request = message;
    (void)there;
    (void)absent;
    request->resources[0].resource_type = 4;
    request->resources[0].resource_name = fc_slice_text("1");
}

static void alter_configs_of_broker(void *message, const struct api_names *there,
                                    const struct api_names *absent)
{
    struct fc_msg_alter_configs_request *request = message;
    (void)there;
    (void)absent;
    request->resources[0].resource_type = 4;
    request->resources[0].resource_name = fc_slice_text("1");
}

static void change_configs_of_broker(void *message, const struct api_names *there,
                                     const struct api_names *absent)
{
    struct fc_msg_incremental_alter_configs_request *request = message;
    (void)there;
    (void)absent;
    request->resources[0].resource_type = 4;
    request->resources[0].resource_name = fc_slice_text("1");
}

static void as_it_is(void *message, const struct api_names *there,
                     const struct api_names *absent)
{
    (void)there;
    (void)absent;
    (void)message;
}

static const struct way WAYS[] = {
    { FC_API_PRODUCE, "nobody", TXN, in_transaction },
    { FC_API_INIT_PRODUCER_ID, "nobody", CLUSTER, idempotent },
    { FC_API_FIND_COORDINATOR, "nobody", TXN, coordinator_of_txn },
    { FC_API_METADATA, "nobody", FILTERED, all_topics },
    { FC_API_METADATA, "nobody", TOPIC, metadata_by_id },
    { FC_API_DESCRIBE_TOPIC_PARTITIONS, "nobody", FILTERED, all_partitions },
    { FC_API_OFFSET_FETCH, "nobody", GROUP, all_offsets },
    { FC_API_OFFSET_FETCH, "half", FILTERED, all_offsets },
    { FC_API_OFFSET_DELETE, "half", TOPIC, as_it_is },
    { FC_API_DELETE_TOPICS, "nobody", TOPIC, delete_by_id },
    { FC_API_DELETE_TOPICS, "user", TOPIC, delete_by_id },
    { FC_API_DESCRIBE_CONFIGS, "nobody", CLUSTER, configs_of_broker },
    { FC_API_DESCRIBE_CONFIGS, "user", CLUSTER, configs_of_broker },
    { FC_API_ALTER_CONFIGS, "user", CLUSTER, alter_configs_of_broker },
    { FC_API_INCREMENTAL_ALTER_CONFIGS, "user", CLUSTER, change_configs_of_broker },
};

const struct way *way_at(size_t index)
{
    return index < sizeof(WAYS) / sizeof(WAYS[0]) ? &WAYS[index] : NULL;
}
