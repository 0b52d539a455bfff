/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers of an SPU, one for each API; see fc_handler in spu_state.h. */
#ifndef FC_SPU_HANDLERS_H
#define FC_SPU_HANDLERS_H

#include "core/spu/spu_state.h"

#define FC_HANDLER(name)                                                                       \
    void fc_handle_##name(struct fc_spu *spu, struct fc_request *request, const void *message)

FC_HANDLER(api_versions); /* message NULL: of a version that we do not know */
FC_HANDLER(sasl_handshake);
FC_HANDLER(sasl_authenticate);
FC_HANDLER(describe_acls);
FC_HANDLER(create_acls);
FC_HANDLER(delete_acls);
FC_HANDLER(describe_user_scram_credentials);
FC_HANDLER(alter_user_scram_credentials);
FC_HANDLER(describe_client_quotas);
FC_HANDLER(alter_client_quotas);
FC_HANDLER(produce);
FC_HANDLER(fetch);
FC_HANDLER(list_offsets);
FC_HANDLER(offset_for_leader_epoch);
FC_HANDLER(metadata);
FC_HANDLER(describe_cluster);
FC_HANDLER(create_topics);
FC_HANDLER(delete_topics);
FC_HANDLER(create_partitions);
FC_HANDLER(describe_configs);
FC_HANDLER(alter_configs);
FC_HANDLER(incremental_alter_configs);
FC_HANDLER(describe_log_dirs);
FC_HANDLER(alter_replica_log_dirs);
FC_HANDLER(delete_records);
FC_HANDLER(elect_leaders);
FC_HANDLER(alter_partition_reassignments);
FC_HANDLER(list_partition_reassignments);
FC_HANDLER(describe_quorum);
FC_HANDLER(update_features);
FC_HANDLER(describe_topic_partitions);
FC_HANDLER(list_config_resources);
FC_HANDLER(find_coordinator);
FC_HANDLER(join_group);
FC_HANDLER(sync_group);
FC_HANDLER(heartbeat);
FC_HANDLER(leave_group);
FC_HANDLER(offset_commit);
FC_HANDLER(offset_fetch);
FC_HANDLER(offset_delete);
FC_HANDLER(describe_groups);
FC_HANDLER(list_groups);
FC_HANDLER(delete_groups);
FC_HANDLER(init_producer_id);
FC_HANDLER(add_partitions_to_txn);
FC_HANDLER(add_offsets_to_txn);
FC_HANDLER(end_txn);
FC_HANDLER(write_txn_markers);
FC_HANDLER(txn_offset_commit);
FC_HANDLER(describe_producers);
FC_HANDLER(describe_transactions);
FC_HANDLER(list_transactions);

#endif
