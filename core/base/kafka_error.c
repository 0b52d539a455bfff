/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/kafka_error.h"

#include <stddef.h>

struct entry {
    fc_kafka_error code;
    bool retriable;
    const char *name;
    const char *message;
};

static const struct entry entries[] = {
    { FC_KAFKA_UNKNOWN_SERVER_ERROR, false, "UNKNOWN_SERVER_ERROR",
      "the server met an error that it did not expect" },
    { FC_KAFKA_NONE, false, "NONE", "no error" },
    { FC_KAFKA_OFFSET_OUT_OF_RANGE, false, "OFFSET_OUT_OF_RANGE",
      "the offset is outside of what the partition holds" },
    { FC_KAFKA_CORRUPT_MESSAGE, false, "CORRUPT_MESSAGE",
      "the records have a bad checksum, size or form" },
    { FC_KAFKA_UNKNOWN_TOPIC_OR_PARTITION, true, "UNKNOWN_TOPIC_OR_PARTITION",
      "there is no such topic or partition here" },
    { FC_KAFKA_INVALID_FETCH_SIZE, false, "INVALID_FETCH_SIZE", "the fetch size is not valid" },
    { FC_KAFKA_LEADER_NOT_AVAILABLE, true, "LEADER_NOT_AVAILABLE",
      "the partition has no leader at the moment" },
    { FC_KAFKA_NOT_LEADER_OR_FOLLOWER, true, "NOT_LEADER_OR_FOLLOWER",
      "this server is not the partition's leader or a replica of it" },
    { FC_KAFKA_REQUEST_TIMED_OUT, true, "REQUEST_TIMED_OUT",
      "the request was not done in time" },
    { FC_KAFKA_BROKER_NOT_AVAILABLE, false, "BROKER_NOT_AVAILABLE",
      "the broker is not available" },
    { FC_KAFKA_REPLICA_NOT_AVAILABLE, true, "REPLICA_NOT_AVAILABLE",
      "the replica is not available" },
    { FC_KAFKA_MESSAGE_TOO_LARGE, false, "MESSAGE_TOO_LARGE",
      "the records are larger than max.message.bytes" },
    { FC_KAFKA_STALE_CONTROLLER_EPOCH, false, "STALE_CONTROLLER_EPOCH",
      "the controller has moved on" },
    { FC_KAFKA_OFFSET_METADATA_TOO_LARGE, false, "OFFSET_METADATA_TOO_LARGE",
      "the metadata of the offset commit is too large" },
    { FC_KAFKA_NETWORK_EXCEPTION, true, "NETWORK_EXCEPTION",
      "the connection ended before the response came" },
    { FC_KAFKA_COORDINATOR_LOAD_IN_PROGRESS, true, "COORDINATOR_LOAD_IN_PROGRESS",
      "the coordinator is still loading" },
    { FC_KAFKA_COORDINATOR_NOT_AVAILABLE, true, "COORDINATOR_NOT_AVAILABLE",
      "the coordinator is not available" },
    { FC_KAFKA_NOT_COORDINATOR, true, "NOT_COORDINATOR", "this server is not the coordinator" },
    { FC_KAFKA_INVALID_TOPIC_EXCEPTION, false, "INVALID_TOPIC_EXCEPTION",
      "the topic name is not valid, or the topic may not be used so" },
    { FC_KAFKA_RECORD_LIST_TOO_LARGE, false, "RECORD_LIST_TOO_LARGE",
      "the request has more records than a segment takes" },
    { FC_KAFKA_NOT_ENOUGH_REPLICAS, true, "NOT_ENOUGH_REPLICAS",
      "fewer replicas are in sync than the topic demands" },
    { FC_KAFKA_NOT_ENOUGH_REPLICAS_AFTER_APPEND, true, "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
      "the records are written, but to fewer replicas than the topic demands" },
    { FC_KAFKA_INVALID_REQUIRED_ACKS, false, "INVALID_REQUIRED_ACKS",
      "acks is not -1, 0 or 1" },
    { FC_KAFKA_ILLEGAL_GENERATION, false, "ILLEGAL_GENERATION",
      "the group is in another generation" },
    { FC_KAFKA_INCONSISTENT_GROUP_PROTOCOL, false, "INCONSISTENT_GROUP_PROTOCOL",
      "the member has no protocol in common with the group" },
    { FC_KAFKA_INVALID_GROUP_ID, false, "INVALID_GROUP_ID", "the group id is not valid" },
    { FC_KAFKA_UNKNOWN_MEMBER_ID, false, "UNKNOWN_MEMBER_ID",
      "the group does not know this member" },
    { FC_KAFKA_INVALID_SESSION_TIMEOUT, false, "INVALID_SESSION_TIMEOUT",
      "the session timeout is outside of what is allowed" },
    { FC_KAFKA_REBALANCE_IN_PROGRESS, false, "REBALANCE_IN_PROGRESS",
      "the group is rebalancing; join it again" },
    { FC_KAFKA_INVALID_COMMIT_OFFSET_SIZE, false, "INVALID_COMMIT_OFFSET_SIZE",
      "the offset commit is too large" },
    { FC_KAFKA_TOPIC_AUTHORIZATION_FAILED, false, "TOPIC_AUTHORIZATION_FAILED",
      "not allowed on this topic" },
    { FC_KAFKA_GROUP_AUTHORIZATION_FAILED, false, "GROUP_AUTHORIZATION_FAILED",
      "not allowed on this group" },
    { FC_KAFKA_CLUSTER_AUTHORIZATION_FAILED, false, "CLUSTER_AUTHORIZATION_FAILED",
      "not allowed on the cluster" },
    { FC_KAFKA_INVALID_TIMESTAMP, false, "INVALID_TIMESTAMP",
      "a timestamp is outside of what the topic allows" },
    { FC_KAFKA_UNSUPPORTED_SASL_MECHANISM, false, "UNSUPPORTED_SASL_MECHANISM",
      "the SASL mechanism is not offered" },
    { FC_KAFKA_ILLEGAL_SASL_STATE, false, "ILLEGAL_SASL_STATE",
      "the request does not fit the state of the SASL exchange" },
    { FC_KAFKA_UNSUPPORTED_VERSION, false, "UNSUPPORTED_VERSION",
      "this version of the request is not supported" },
    { FC_KAFKA_TOPIC_ALREADY_EXISTS, false, "TOPIC_ALREADY_EXISTS",
      "the topic exists already" },
    { FC_KAFKA_INVALID_PARTITIONS, false, "INVALID_PARTITIONS",
      "the number of partitions is not valid" },
    { FC_KAFKA_INVALID_REPLICATION_FACTOR, false, "INVALID_REPLICATION_FACTOR",
      "the replication factor is not valid, or there are too few brokers" },
    { FC_KAFKA_INVALID_REPLICA_ASSIGNMENT, false, "INVALID_REPLICA_ASSIGNMENT",
      "the replica assignment is not valid" },
    { FC_KAFKA_INVALID_CONFIG, false, "INVALID_CONFIG", "the configuration is not valid" },
    { FC_KAFKA_NOT_CONTROLLER, true, "NOT_CONTROLLER", "this server is not the controller" },
    { FC_KAFKA_INVALID_REQUEST, false, "INVALID_REQUEST", "the request is not valid" },
    { FC_KAFKA_UNSUPPORTED_FOR_MESSAGE_FORMAT, false, "UNSUPPORTED_FOR_MESSAGE_FORMAT",
      "the message format does not have what was asked for" },
    { FC_KAFKA_POLICY_VIOLATION, false, "POLICY_VIOLATION",
      "a policy of the cluster forbids it" },
    { FC_KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER, false, "OUT_OF_ORDER_SEQUENCE_NUMBER",
      "the producer's sequence number does not follow the last one" },
    { FC_KAFKA_DUPLICATE_SEQUENCE_NUMBER, false, "DUPLICATE_SEQUENCE_NUMBER",
      "the producer's sequence number was used before" },
    { FC_KAFKA_INVALID_PRODUCER_EPOCH, false, "INVALID_PRODUCER_EPOCH",
      "the producer has been replaced by one with a newer epoch" },
    { FC_KAFKA_INVALID_TXN_STATE, false, "INVALID_TXN_STATE",
      "the transaction is not in a state for this" },
    { FC_KAFKA_INVALID_PRODUCER_ID_MAPPING, false, "INVALID_PRODUCER_ID_MAPPING",
      "the producer id is not the one of this transactional id" },
    { FC_KAFKA_INVALID_TRANSACTION_TIMEOUT, false, "INVALID_TRANSACTION_TIMEOUT",
      "the transaction timeout is outside of what is allowed" },
    { FC_KAFKA_CONCURRENT_TRANSACTIONS, true, "CONCURRENT_TRANSACTIONS",
      "another step of the transaction is still going on" },
    { FC_KAFKA_TRANSACTION_COORDINATOR_FENCED, false, "TRANSACTION_COORDINATOR_FENCED",
      "the transaction coordinator has been replaced" },
    { FC_KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, false,
      "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "not allowed on this transactional id" },
    { FC_KAFKA_SECURITY_DISABLED, false, "SECURITY_DISABLED", "security is switched off" },
    { FC_KAFKA_OPERATION_NOT_ATTEMPTED, false, "OPERATION_NOT_ATTEMPTED",
      "not attempted, since another part of the request failed" },
    { FC_KAFKA_KAFKA_STORAGE_ERROR, true, "KAFKA_STORAGE_ERROR", "the disk failed" },
    { FC_KAFKA_LOG_DIR_NOT_FOUND, false, "LOG_DIR_NOT_FOUND",
      "there is no such log directory" },
    { FC_KAFKA_SASL_AUTHENTICATION_FAILED, false, "SASL_AUTHENTICATION_FAILED",
      "authentication failed" },
    { FC_KAFKA_UNKNOWN_PRODUCER_ID, false, "UNKNOWN_PRODUCER_ID",
      "nothing is known of this producer id any more" },
    { FC_KAFKA_REASSIGNMENT_IN_PROGRESS, false, "REASSIGNMENT_IN_PROGRESS",
      "a reassignment of the partition is going on" },
    { FC_KAFKA_DELEGATION_TOKEN_AUTH_DISABLED, false, "DELEGATION_TOKEN_AUTH_DISABLED",
      "delegation tokens are switched off" },
    { FC_KAFKA_DELEGATION_TOKEN_NOT_FOUND, false, "DELEGATION_TOKEN_NOT_FOUND",
      "there is no such delegation token" },
    { FC_KAFKA_DELEGATION_TOKEN_OWNER_MISMATCH, false, "DELEGATION_TOKEN_OWNER_MISMATCH",
      "the delegation token is not the principal's" },
    { FC_KAFKA_DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, false,
      "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED",
      "delegation tokens are not given over this connection" },
    { FC_KAFKA_DELEGATION_TOKEN_AUTHORIZATION_FAILED, false,
      "DELEGATION_TOKEN_AUTHORIZATION_FAILED", "not allowed on this delegation token" },
    { FC_KAFKA_DELEGATION_TOKEN_EXPIRED, false, "DELEGATION_TOKEN_EXPIRED",
      "the delegation token has expired" },
    { FC_KAFKA_INVALID_PRINCIPAL_TYPE, false, "INVALID_PRINCIPAL_TYPE",
      "the type of principal is not supported" },
    { FC_KAFKA_NON_EMPTY_GROUP, false, "NON_EMPTY_GROUP", "the group has members" },
    { FC_KAFKA_GROUP_ID_NOT_FOUND, false, "GROUP_ID_NOT_FOUND", "there is no such group" },
    { FC_KAFKA_FETCH_SESSION_ID_NOT_FOUND, true, "FETCH_SESSION_ID_NOT_FOUND",
      "there is no such fetch session" },
    { FC_KAFKA_INVALID_FETCH_SESSION_EPOCH, true, "INVALID_FETCH_SESSION_EPOCH",
      "the epoch of the fetch session is not the expected one" },
    { FC_KAFKA_LISTENER_NOT_FOUND, true, "LISTENER_NOT_FOUND",
      "the leader has no listener of this name" },
    { FC_KAFKA_TOPIC_DELETION_DISABLED, false, "TOPIC_DELETION_DISABLED",
      "deletion of topics is switched off" },
    { FC_KAFKA_FENCED_LEADER_EPOCH, true, "FENCED_LEADER_EPOCH",
      "the leader epoch is older than the broker's" },
    { FC_KAFKA_UNKNOWN_LEADER_EPOCH, true, "UNKNOWN_LEADER_EPOCH",
      "the leader epoch is newer than the broker's" },
    { FC_KAFKA_UNSUPPORTED_COMPRESSION_TYPE, false, "UNSUPPORTED_COMPRESSION_TYPE",
      "the codec is not supported for this version" },
    { FC_KAFKA_STALE_BROKER_EPOCH, false, "STALE_BROKER_EPOCH",
      "the broker epoch has changed" },
    { FC_KAFKA_OFFSET_NOT_AVAILABLE, true, "OFFSET_NOT_AVAILABLE",
      "the new leader does not know the end offset yet" },
    { FC_KAFKA_MEMBER_ID_REQUIRED, false, "MEMBER_ID_REQUIRED",
      "join the group again with the member id given here" },
    { FC_KAFKA_PREFERRED_LEADER_NOT_AVAILABLE, true, "PREFERRED_LEADER_NOT_AVAILABLE",
      "the preferred leader is not available" },
    { FC_KAFKA_GROUP_MAX_SIZE_REACHED, false, "GROUP_MAX_SIZE_REACHED", "the group is full" },
    { FC_KAFKA_FENCED_INSTANCE_ID, false, "FENCED_INSTANCE_ID",
      "another member has this group instance id" },
    { FC_KAFKA_ELIGIBLE_LEADERS_NOT_AVAILABLE, true, "ELIGIBLE_LEADERS_NOT_AVAILABLE",
      "no replica that may lead is available" },
    { FC_KAFKA_ELECTION_NOT_NEEDED, true, "ELECTION_NOT_NEEDED",
      "the partition needs no election" },
    { FC_KAFKA_NO_REASSIGNMENT_IN_PROGRESS, false, "NO_REASSIGNMENT_IN_PROGRESS",
      "there is no reassignment going on" },
    { FC_KAFKA_GROUP_SUBSCRIBED_TO_TOPIC, false, "GROUP_SUBSCRIBED_TO_TOPIC",
      "the group is subscribed to the topic" },
    { FC_KAFKA_INVALID_RECORD, false, "INVALID_RECORD", "a record breaks a rule of the topic" },
    { FC_KAFKA_UNSTABLE_OFFSET_COMMIT, true, "UNSTABLE_OFFSET_COMMIT",
      "offsets of an open transaction are pending" },
    { FC_KAFKA_THROTTLING_QUOTA_EXCEEDED, true, "THROTTLING_QUOTA_EXCEEDED",
      "the quota is used up" },
    { FC_KAFKA_PRODUCER_FENCED, false, "PRODUCER_FENCED",
      "a newer producer with the same transactional id has fenced this one" },
    { FC_KAFKA_RESOURCE_NOT_FOUND, false, "RESOURCE_NOT_FOUND", "there is no such resource" },
    { FC_KAFKA_DUPLICATE_RESOURCE, false, "DUPLICATE_RESOURCE", "the resource is named twice" },
    { FC_KAFKA_UNACCEPTABLE_CREDENTIAL, false, "UNACCEPTABLE_CREDENTIAL",
      "the credential is not acceptable" },
    { FC_KAFKA_INCONSISTENT_VOTER_SET, false, "INCONSISTENT_VOTER_SET",
      "the voter sets differ" },
    { FC_KAFKA_INVALID_UPDATE_VERSION, false, "INVALID_UPDATE_VERSION",
      "the update version is not valid" },
    { FC_KAFKA_FEATURE_UPDATE_FAILED, false, "FEATURE_UPDATE_FAILED",
      "the feature cannot be changed" },
    { FC_KAFKA_PRINCIPAL_DESERIALIZATION_FAILURE, false, "PRINCIPAL_DESERIALIZATION_FAILURE",
      "the principal cannot be read" },
    { FC_KAFKA_SNAPSHOT_NOT_FOUND, false, "SNAPSHOT_NOT_FOUND", "there is no such snapshot" },
    { FC_KAFKA_POSITION_OUT_OF_RANGE, false, "POSITION_OUT_OF_RANGE",
      "the position is outside of the snapshot" },
    { FC_KAFKA_UNKNOWN_TOPIC_ID, true, "UNKNOWN_TOPIC_ID",
      "there is no topic with this id here" },
    { FC_KAFKA_DUPLICATE_BROKER_REGISTRATION, false, "DUPLICATE_BROKER_REGISTRATION",
      "the broker id is in use" },
    { FC_KAFKA_BROKER_ID_NOT_REGISTERED, false, "BROKER_ID_NOT_REGISTERED",
      "the broker id is not registered" },
    { FC_KAFKA_INCONSISTENT_TOPIC_ID, true, "INCONSISTENT_TOPIC_ID",
      "the topic id does not fit the topic" },
    { FC_KAFKA_INCONSISTENT_CLUSTER_ID, false, "INCONSISTENT_CLUSTER_ID",
      "the cluster id is another one" },
    { FC_KAFKA_TRANSACTIONAL_ID_NOT_FOUND, false, "TRANSACTIONAL_ID_NOT_FOUND",
      "there is no such transactional id" },
    { FC_KAFKA_FETCH_SESSION_TOPIC_ID_ERROR, true, "FETCH_SESSION_TOPIC_ID_ERROR",
      "the fetch session mixes topic names and topic ids" },
    { FC_KAFKA_INELIGIBLE_REPLICA, false, "INELIGIBLE_REPLICA",
      "the replica may not join the in-sync set" },
    { FC_KAFKA_NEW_LEADER_ELECTED, false, "NEW_LEADER_ELECTED",
      "the partition has a new leader" },
    { FC_KAFKA_OFFSET_MOVED_TO_TIERED_STORAGE, false, "OFFSET_MOVED_TO_TIERED_STORAGE",
      "the offset is in tiered storage" },
    { FC_KAFKA_FENCED_MEMBER_EPOCH, false, "FENCED_MEMBER_EPOCH",
      "the group coordinator has fenced this member" },
    { FC_KAFKA_UNRELEASED_INSTANCE_ID, false, "UNRELEASED_INSTANCE_ID",
      "another member still has this instance id" },
    { FC_KAFKA_UNSUPPORTED_ASSIGNOR, false, "UNSUPPORTED_ASSIGNOR",
      "the assignor is not supported" },
    { FC_KAFKA_STALE_MEMBER_EPOCH, false, "STALE_MEMBER_EPOCH",
      "the member epoch is out of date" },
    { FC_KAFKA_MISMATCHED_ENDPOINT_TYPE, false, "MISMATCHED_ENDPOINT_TYPE",
      "the request came to the wrong kind of endpoint" },
    { FC_KAFKA_UNSUPPORTED_ENDPOINT_TYPE, false, "UNSUPPORTED_ENDPOINT_TYPE",
      "the kind of endpoint is not known" },
    { FC_KAFKA_UNKNOWN_CONTROLLER_ID, false, "UNKNOWN_CONTROLLER_ID",
      "there is no such controller" },
    { FC_KAFKA_UNKNOWN_SUBSCRIPTION_ID, false, "UNKNOWN_SUBSCRIPTION_ID",
      "the telemetry subscription has changed" },
    { FC_KAFKA_TELEMETRY_TOO_LARGE, false, "TELEMETRY_TOO_LARGE",
      "the telemetry is too large" },
    { FC_KAFKA_INVALID_REGISTRATION, false, "INVALID_REGISTRATION",
      "the broker registration is not valid" },
    { FC_KAFKA_TRANSACTION_ABORTABLE, false, "TRANSACTION_ABORTABLE",
      "the transaction failed and must be aborted" },
    { FC_KAFKA_INVALID_RECORD_STATE, false, "INVALID_RECORD_STATE",
      "the record is not in a state for this" },
    { FC_KAFKA_SHARE_SESSION_NOT_FOUND, true, "SHARE_SESSION_NOT_FOUND",
      "there is no such share session" },
    { FC_KAFKA_INVALID_SHARE_SESSION_EPOCH, true, "INVALID_SHARE_SESSION_EPOCH",
      "the epoch of the share session is not the expected one" },
    { FC_KAFKA_FENCED_STATE_EPOCH, false, "FENCED_STATE_EPOCH",
      "the state epoch is out of date" },
    { FC_KAFKA_INVALID_VOTER_KEY, false, "INVALID_VOTER_KEY",
      "the voter key is not the receiving replica's" },
    { FC_KAFKA_DUPLICATE_VOTER, false, "DUPLICATE_VOTER", "the voter is in the set already" },
    { FC_KAFKA_VOTER_NOT_FOUND, false, "VOTER_NOT_FOUND", "the voter is not in the set" },
    { FC_KAFKA_INVALID_REGULAR_EXPRESSION, false, "INVALID_REGULAR_EXPRESSION",
      "the regular expression is not valid" },
    { FC_KAFKA_REBOOTSTRAP_REQUIRED, false, "REBOOTSTRAP_REQUIRED",
      "the client must bootstrap again" },
    { FC_KAFKA_STREAMS_INVALID_TOPOLOGY, false, "STREAMS_INVALID_TOPOLOGY",
      "the topology is not valid" },
    { FC_KAFKA_STREAMS_INVALID_TOPOLOGY_EPOCH, false, "STREAMS_INVALID_TOPOLOGY_EPOCH",
      "the topology epoch is not valid" },
    { FC_KAFKA_STREAMS_TOPOLOGY_FENCED, false, "STREAMS_TOPOLOGY_FENCED",
      "the topology epoch is out of date" },
    { FC_KAFKA_SHARE_SESSION_LIMIT_REACHED, true, "SHARE_SESSION_LIMIT_REACHED",
      "there are too many share sessions" },
};

/* The list is dense and begins with -1. */
static const struct entry *find(int code)
{
    int count = (int)(sizeof(entries) / sizeof(entries[0]));
    int place = code - (int)entries[0].code;
    return code >= (int)entries[0].code && place < count ? &entries[place] : NULL;
}

const char *fc_kafka_error_name(int code)
{
    const struct entry *entry = find(code);
    return entry == NULL ? "UNKNOWN" : entry->name;
}

const char *fc_kafka_error_message(int code)
{
    const struct entry *entry = find(code);
    return entry == NULL ? "an error that is not known here" : entry->message;
}

bool fc_kafka_error_is_retriable(int code)
{
    const struct entry *entry = find(code);
    return entry != NULL && entry->retriable;
}

fc_kafka_error fc_kafka_error_of(fc_code code)
{
    switch (code) {
    case FC_OK:
        return FC_KAFKA_NONE;
    case FC_ERR_IO:
    case FC_ERR_FULL:
    case FC_ERR_CORRUPT:
        return FC_KAFKA_KAFKA_STORAGE_ERROR;
    case FC_ERR_PROTOCOL:
        return FC_KAFKA_INVALID_REQUEST;
    case FC_ERR_CONFIG:
        return FC_KAFKA_INVALID_CONFIG;
    case FC_ERR_LIMIT:
        return FC_KAFKA_MESSAGE_TOO_LARGE;
    case FC_ERR_TIMEOUT:
        return FC_KAFKA_REQUEST_TIMED_OUT;
    case FC_ERR_NOT_FOUND:
        return FC_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    case FC_ERR_NOT_LEADER:
    case FC_ERR_CLOSED:
        return FC_KAFKA_NOT_LEADER_OR_FOLLOWER;
    case FC_ERR_REFUSED:
        return FC_KAFKA_POLICY_VIOLATION;
    case FC_ERR_NOMEM:
    case FC_ERR_REJECTED:
        break;
    }
    return FC_KAFKA_UNKNOWN_SERVER_ERROR;
}
