// SPDX-License-Identifier: Apache-2.0

// What consoles show and change, by kadm, which Redpanda Console is built on.
package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var console = []struct {
	name string
	run  func(ctx context.Context) error
}{
	{"the cluster, its node, versions, features", cluster},
	{"settings of the node and of topics, and where each is from", settings},
	{"topics: sizes, offsets, times, epochs, records deleted", topics},
	{"a group: members, what they have, lag, offsets set and deleted", groupShown},
	{"producers and transactions while they are open", transactionsShown},
	{"quotas", quotas},
	{"reassignments and elections", placement},
}

func administration(ctx context.Context) error {
	if err := topic(ctx, "admin", 2, nil); err != nil {
		return err
	}
	if err := topic(ctx, "admin", 2, nil); !errors.Is(err, kerr.TopicAlreadyExists) {
		return fmt.Errorf("twice: %v", err)
	}
	more, err := adm.UpdatePartitions(ctx, 5, "admin")
	if err = errors.Join(err, more.Error()); err != nil {
		return err
	}
	_, err = adm.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: kadm.StringPtr("7000")}}, "admin")
	if err != nil {
		return err
	}
	configs, err := adm.DescribeTopicConfigs(ctx, "admin")
	if err != nil {
		return err
	}
	for _, config := range configs[0].Configs {
		if config.Key == "retention.ms" {
			err = same("7000", config.MaybeValue())
		}
	}
	cl := client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for n := range 5 {
		record := &kgo.Record{Topic: "admin", Value: []byte("x"), Timestamp: time.UnixMilli(1700000000000 + int64(n)*10)}
		err = errors.Join(err, cl.ProduceSync(ctx, record).FirstErr())
	}
	cl.Close()
	after, errAfter := adm.ListOffsetsAfterMilli(ctx, 1700000000015, "admin")
	deleted, errDelete := adm.DeleteRecords(ctx, kadm.Offsets{"admin": {0: {Topic: "admin", Partition: 0, At: 3}}})
	starts, errStart := adm.ListStartOffsets(ctx, "admin")
	if err = errors.Join(err, errAfter, errDelete, errStart, deleted.Error()); err != nil {
		return err
	}
	if err := same("2 3", fmt.Sprint(after["admin"][0].Offset, " ", starts["admin"][0].Offset)); err != nil {
		return err
	}
	groups, err := adm.ListGroups(ctx)
	if _, has := groups["resume"]; err != nil || !has {
		return fmt.Errorf("groups: %v, %v", groups, err)
	}
	lags, err := adm.Lag(ctx, "resume")
	if err = errors.Join(err, lags.Error()); err != nil {
		return err
	}
	dirs, err := adm.DescribeAllLogDirs(ctx, nil)
	if err != nil || len(dirs) != 1 {
		return err
	}
	txns, err := adm.ListTransactions(ctx, nil, nil)
	if _, has := txns["franz"]; err != nil || !has {
		return fmt.Errorf("transactions: %v, %v", txns, err)
	}
	_, errGroup := adm.DeleteGroup(ctx, "resume")
	_, errTopic := adm.DeleteTopic(ctx, "admin")
	return errors.Join(errGroup, errTopic)
}

func cluster(ctx context.Context) error {
	metadata, err := adm.BrokerMetadata(ctx)
	if err != nil {
		return err
	}
	node := metadata.Brokers[0]
	if err := same("true 1 [1] "+bootstrap, fmt.Sprint(metadata.Cluster != "", " ", metadata.Controller, " ", metadata.Brokers.NodeIDs(), " ",
		node.Host, ":", node.Port)); err != nil {
		return err
	}
	versions, err := adm.ApiVersions(ctx)
	if err != nil {
		return err
	}
	node1 := versions[1]
	if node1.Err != nil {
		return node1.Err
	}
	for _, key := range []kmsg.Key{kmsg.Produce, kmsg.Fetch, kmsg.DescribeACLs, kmsg.DescribeConfigs, kmsg.DescribeLogDirs, kmsg.DescribeClientQuotas,
		kmsg.DescribeUserSCRAMCredentials, kmsg.DescribeProducers, kmsg.ListTransactions, kmsg.DescribeTransactions, kmsg.DeleteRecords} {
		if _, has := node1.KeyMaxVersion(key.Int16()); !has {
			return fmt.Errorf("no %s", key.Name())
		}
	}
	levels := map[string]int16{}
	for _, feature := range node1.Raw().FinalizedFeatures {
		levels[feature.Name] = feature.MaxVersionLevel
	}
	return same(2, levels["transaction.version"])
}

func settings(ctx context.Context) error {
	// One that the log goes by, one that is kept for what names it, and a list of those.
	if err := topic(ctx, "shown-settings", 1, map[string]*string{"segment.bytes": kadm.StringPtr("1048576"), "segment.index.bytes": kadm.StringPtr("52428800")}); err != nil {
		return err
	}
	throttled := "leader.replication.throttled.replicas"
	_, err := adm.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.AppendConfig, Name: throttled, Value: kadm.StringPtr("0:1")}, {Op: kadm.SetConfig, Name: "flush.ms", Value: kadm.StringPtr("1000")}}, "shown-settings")
	if err != nil {
		return err
	}
	topics, errTopics := adm.DescribeTopicConfigs(ctx, "shown-settings", "shown-none")
	nodes, errNodes := adm.DescribeBrokerConfigs(ctx, 1)
	if err := errors.Join(errTopics, errNodes); err != nil {
		return err
	}
	if none, err := topics.On("shown-none", nil); err != nil || !errors.Is(none.Err, kerr.UnknownTopicOrPartition) {
		return fmt.Errorf("settings of no topic: %v, %v", none, err)
	}
	// What counts, where it is from, and what would count without it.
	is := func(of kadm.ResourceConfigs, name, key, wanted string) error {
		resource, err := of.On(name, nil)
		for _, config := range resource.Configs {
			if config.Key == key {
				line := fmt.Sprint(config.MaybeValue(), " ", config.Source)
				for _, each := range config.Synonyms {
					line += fmt.Sprint(", ", each.Key, " ", *each.Value, " ", each.Source)
				}
				return same(wanted, line)
			}
		}
		return errors.Join(err, resource.Err, fmt.Errorf("%s has no %s", name, key))
	}
	if err := errors.Join(is(nodes, "1", "node.id", "1 STATIC_BROKER_CONFIG, node.id 1 STATIC_BROKER_CONFIG"),
		is(topics, "shown-settings", "segment.bytes", "1048576 DYNAMIC_TOPIC_CONFIG, segment.bytes 1048576 DYNAMIC_TOPIC_CONFIG, log.segment.bytes 1073741824 DEFAULT_CONFIG"),
		is(topics, "shown-settings", "segment.index.bytes", "52428800 DYNAMIC_TOPIC_CONFIG, segment.index.bytes 52428800 DYNAMIC_TOPIC_CONFIG, log.index.size.max.bytes 10485760 DEFAULT_CONFIG"),
		is(topics, "shown-settings", throttled, "0:1 DYNAMIC_TOPIC_CONFIG, "+throttled+" 0:1 DYNAMIC_TOPIC_CONFIG, "+throttled+"  DEFAULT_CONFIG"),
		is(topics, "shown-settings", "cleanup.policy", "delete DEFAULT_CONFIG, log.cleanup.policy delete DEFAULT_CONFIG"),
		is(topics, "shown-settings", "unclean.leader.election.enable", "false DEFAULT_CONFIG, unclean.leader.election.enable false DEFAULT_CONFIG"),
		is(topics, "shown-settings", "delete.retention.ms", "90000000 STATIC_BROKER_CONFIG, log.cleaner.delete.retention.ms 90000000 STATIC_BROKER_CONFIG, log.cleaner.delete.retention.ms 86400000 DEFAULT_CONFIG")); err != nil {
		return err
	}
	// All nodes together have none beside those of each.
	together, err := adm.DescribeBrokerConfigs(ctx)
	if err = errors.Join(err, same("1 0 <nil>", fmt.Sprint(len(together), " ", len(together[0].Configs), " ", together[0].Err))); err != nil {
		return err
	}
	resources, err := adm.ListConfigResources(ctx)
	if err != nil {
		return err
	}
	if !slices.Contains(resources.FilterTypes(kadm.ConfigResourceTopic), kadm.ConfigResource{Type: kadm.ConfigResourceTopic, Name: "shown-settings"}) {
		return fmt.Errorf("not listed: %v", resources)
	}
	for key, value := range map[string]string{"retention.ms": "soon", "segment.index.bytes": "3", "preallocate": "maybe", throttled: "0:1,2", "remote.storage.enable": "true", "no.such": "1"} {
		bad, err := adm.ValidateAlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: key, Value: &value}}, "shown-settings")
		if err != nil || !errors.Is(bad[0].Err, kerr.InvalidConfig) {
			return fmt.Errorf("%s=%s: %v, %v", key, value, err, bad)
		}
	}
	seven := kadm.AlterConfig{Op: kadm.SetConfig, Name: "retention.ms", Value: kadm.StringPtr("7000")}
	for _, bad := range [][]kadm.AlterConfig{{seven, seven}, {{Op: kadm.SetConfig, Name: "retention.ms"}}} {
		refused, err := adm.AlterTopicConfigs(ctx, bad, "shown-settings")
		if err != nil || !errors.Is(refused[0].Err, kerr.InvalidRequest) {
			return fmt.Errorf("%v: %v, %v", bad, err, refused)
		}
	}
	return nil
}

func topics(ctx context.Context) error {
	if err := topic(ctx, "shown", 2, nil); err != nil {
		return err
	}
	cl := client(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()))
	defer cl.Close()
	for n, stamp := range []int64{0, 20, 90, 30, 40} {
		record := &kgo.Record{Topic: "shown", Partition: int32(n % 2), Value: make([]byte, 1000), Timestamp: time.UnixMilli(1700000000000 + stamp)}
		if err := cl.ProduceSync(ctx, record).FirstErr(); err != nil {
			return err
		}
	}
	listed, err := adm.ListTopics(ctx)
	if err != nil {
		return err
	}
	shown := listed["shown"]
	if err := same("2 true false [1 1] 1 1", fmt.Sprint(len(shown.Partitions), " ", shown.ID != kadm.TopicID{}, " ", shown.IsInternal, " ",
		[]int32{shown.Partitions[0].Leader, shown.Partitions[1].Leader}, " ", len(shown.Partitions[0].Replicas), " ", len(shown.Partitions[0].ISR))); err != nil {
		return err
	}
	if _, has := listed["__consumer_offsets"]; has {
		return fmt.Errorf("an internal topic is shown as another")
	}
	internal, err := adm.ListTopicsWithInternal(ctx, "__consumer_offsets")
	if err != nil || !internal["__consumer_offsets"].IsInternal {
		return fmt.Errorf("internal: %v, %v", internal, err)
	}
	dirs, err := adm.DescribeAllLogDirs(ctx, kadm.TopicsSet{"shown": {0: {}, 1: {}}})
	if err != nil {
		return err
	}
	one, has := dirs[1].LookupPartition("shown", 0)
	if !has || one.Size < 3000 || one.Size > 4000 {
		return fmt.Errorf("its size: %v, %v", one, dirs)
	}
	for _, dir := range dirs[1] {
		if dir.Err != nil || dir.UsableBytes <= 0 || dir.TotalBytes <= dir.UsableBytes {
			return fmt.Errorf("its disk: %v", dir)
		}
	}
	if err := topic(ctx, "shown-compacted", 1, map[string]*string{"cleanup.policy": kadm.StringPtr("compact")}); err != nil {
		return err
	}
	kept, err := adm.DeleteRecords(ctx, kadm.Offsets{"shown-compacted": {0: {Topic: "shown-compacted", Partition: 0, At: 0}}})
	if err != nil || !errors.Is(kept["shown-compacted"][0].Err, kerr.PolicyViolation) {
		return fmt.Errorf("records of a compacted topic are deleted: %v, %v", err, kept)
	}
	_, errDelete := adm.DeleteRecords(ctx, kadm.Offsets{"shown": {0: {Topic: "shown", Partition: 0, At: 2}}})
	starts, errStart := adm.ListStartOffsets(ctx, "shown")
	ends, errEnd := adm.ListEndOffsets(ctx, "shown")
	stable, errStable := adm.ListCommittedOffsets(ctx, "shown")
	largest, errLargest := adm.ListMaxTimestampOffsets(ctx, "shown")
	after, errAfter := adm.ListOffsetsAfterMilli(ctx, 1700000000025, "shown")
	epochs, errEpoch := adm.OffsetForLeaderEpoch(ctx, kadm.OffsetForLeaderEpochRequest{"shown": {0: shown.Partitions[0].LeaderEpoch}})
	if err := errors.Join(errDelete, errStart, errEnd, errStable, errLargest, errAfter, errEpoch); err != nil {
		return err
	}
	both := func(of kadm.ListedOffsets) []int64 { return []int64{of["shown"][0].Offset, of["shown"][1].Offset} }
	return same("[2 0] [3 2] [3 2] [2 1] [2 1] 3", fmt.Sprint(both(starts), both(ends), both(stable), both(largest), both(after), " ", epochs["shown"][0].EndOffset))
}

func groupShown(ctx context.Context) error {
	name := "shown-group"
	if err := topic(ctx, name, 2, nil); err != nil {
		return err
	}
	cl := client(kgo.RecordPartitioner(kgo.RoundRobinPartitioner()), kgo.ProducerLinger(0), kgo.MaxBufferedRecords(1))
	err := numbers(ctx, cl, name, 0, 10)
	cl.Close()
	if err != nil {
		return err
	}
	at := kadm.Offsets{}
	at.AddOffset(name, 0, 2, -1)
	at.Add(kadm.Offset{Topic: name, Partition: 1, At: 4, LeaderEpoch: -1, Metadata: "a note"})
	if err := adm.CommitAllOffsets(ctx, name, at); err != nil {
		return err
	}
	m := join(ctx, name, name, kgo.ClientID("shown"), kgo.InstanceID("shown-1"), kgo.DisableAutoCommit())
	defer m.leave()
	if err := waitFor(ctx, shared([]*member{m}, 2)); err != nil {
		return err
	}
	// The lag of a console: what was committed against the ends.
	lags, err := adm.Lag(ctx, name)
	if err = errors.Join(err, lags.Error()); err != nil {
		return err
	}
	lag := lags[name]
	if err := same("Stable consumer 1 4 [2 4] a note", fmt.Sprint(lag.State, " ", lag.ProtocolType, " ", len(lag.Members), " ", lag.Lag.Total(), " ",
		[]int64{lag.Lag[name][0].Commit.At, lag.Lag[name][1].Commit.At}, " ", lag.Lag[name][1].Commit.Metadata)); err != nil {
		return err
	}
	has, _ := lag.Members[0].Assigned.AsConsumer()
	wants, _ := lag.Members[0].Join.AsConsumer()
	if err := same("shown 127.0.0.1 shown-1 shown-group [0 1] [shown-group]", fmt.Sprint(lag.Members[0].ClientID, " ", lag.Members[0].ClientHost[len(lag.Members[0].ClientHost)-9:], " ",
		*lag.Members[0].InstanceID, " ", has.Topics[0].Topic, " ", has.Topics[0].Partitions, " ", wants.Topics)); err != nil {
		return err
	}
	listed, err := adm.ListGroupsByType(ctx, []string{"classic"}, "Stable")
	if err != nil {
		return err
	}
	if err := same("classic Stable consumer", fmt.Sprint(listed[name].GroupType, " ", listed[name].State, " ", listed[name].ProtocolType)); err != nil {
		return err
	}
	if deleted, err := adm.DeleteGroup(ctx, name); !errors.Is(errors.Join(err, deleted.Err), kerr.NonEmptyGroup) {
		return fmt.Errorf("a group with members is deleted: %v, %v", err, deleted)
	}
	left, err := adm.LeaveGroup(ctx, kadm.LeaveGroup(name).InstanceIDs("shown-1"))
	if err = errors.Join(err, left.Error()); err != nil {
		return err
	}
	gone, err := adm.DeleteOffsets(ctx, name, kadm.TopicsSet{name: {0: {}, 7: {}}})
	if err = errors.Join(err, gone[name][0], refused(gone[name][7], kerr.UnknownTopicOrPartition)); err != nil {
		return err
	}
	offsets, err := adm.FetchOffsets(ctx, name)
	if err != nil {
		return err
	}
	_, first := offsets.Lookup(name, 0)
	second, _ := offsets.Lookup(name, 1)
	return same("false 4", fmt.Sprint(first, " ", second.At))
}

func transactionsShown(ctx context.Context) error {
	name := "shown-transactions"
	if err := topic(ctx, name, 2, nil); err != nil {
		return err
	}
	cl := client(kgo.TransactionalID("shown-id"), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionTimeout(30*time.Second))
	defer cl.Close()
	begun := time.Now()
	send := func() error {
		return cl.ProduceSync(ctx, &kgo.Record{Topic: name, Partition: 1, Value: []byte("open")}).FirstErr()
	}
	if err := errors.Join(cl.BeginTransaction(), send(), cl.EndTransaction(ctx, kgo.TryCommit), cl.BeginTransaction(), send(), send()); err != nil {
		return err
	}
	described, err := adm.DescribeTransactions(ctx, "shown-id")
	if err != nil {
		return err
	}
	open := described["shown-id"]
	if err := same("<nil> 1 Ongoing 30000 true [shown-transactions] [1]", fmt.Sprint(open.Err, " ", open.Coordinator, " ", open.State, " ", open.TimeoutMillis, " ",
		open.StartTimestamp >= begun.UnixMilli() && open.StartTimestamp <= time.Now().UnixMilli(), " ", open.Topics.Topics(), " ", open.Topics.Sorted()[0].Partitions)); err != nil {
		return err
	}
	ongoing, errOngoing := adm.ListTransactions(ctx, []int64{open.ProducerID}, []string{"Ongoing"})
	pattern, errPattern := adm.ListTransactionsByTxPattern(ctx, nil, nil, "shown-.*")
	ended, errEnded := adm.ListTransactions(ctx, nil, []string{"CompleteCommit"})
	producers, errProducers := adm.DescribeProducers(ctx, kadm.TopicsSet{name: {0: {}, 1: {}}})
	if err := errors.Join(errOngoing, errPattern, errEnded, errProducers); err != nil {
		return err
	}
	_, has := ended["shown-id"]
	if err := same("[shown-id] [shown-id] false", fmt.Sprint(ongoing.TransactionalIDs(), " ", pattern.TransactionalIDs(), " ", has)); err != nil {
		return err
	}
	active := producers[name].Partitions
	if active[0].Err != nil || active[1].Err != nil || len(active[0].ActiveProducers) != 0 {
		return fmt.Errorf("producers: %v", active)
	}
	producer := active[1].ActiveProducers[open.ProducerID]
	if err := same(fmt.Sprint(open.ProducerEpoch, " 1 2"), fmt.Sprint(producer.ProducerEpoch, " ", producer.LastSequence, " ", producer.CurrentTxnStartOffset)); err != nil {
		return err
	}
	// What is open holds readers of what is committed up, until it is ended by hand as it is done with a transaction that hangs.
	bounds := func() (string, error) {
		ends, errEnd := adm.ListEndOffsets(ctx, name)
		stable, errStable := adm.ListCommittedOffsets(ctx, name)
		return fmt.Sprint(ends[name][1].Offset, " ", stable[name][1].Offset), errors.Join(errEnd, errStable)
	}
	held, errHeld := bounds()
	written, errWritten := adm.WriteTxnMarkers(ctx, kadm.TxnMarkers{ProducerID: open.ProducerID, ProducerEpoch: open.ProducerEpoch,
		CoordinatorEpoch: producer.CoordinatorEpoch, Topics: kadm.TopicsSet{name: {1: {}}}})
	written.EachPartition(func(each kadm.TxnMarkersPartitionResponse) { errWritten = errors.Join(errWritten, each.Err) })
	var errFree error
	errWait := waitFor(ctx, func() bool {
		free, err := bounds()
		errFree = err
		return err != nil || free == "5 5"
	})
	if err := errors.Join(errHeld, same("4 2", held), errWritten, errWait, errFree, cl.EndTransaction(ctx, kgo.TryAbort)); err != nil {
		return err
	}
	got, err := read(ctx, name, 1)
	return errors.Join(err, same("open", values(got)))
}

func quotas(ctx context.Context) error {
	entity := func(user, client *string) (entity kadm.ClientQuotaEntity) {
		entity = append(entity, kadm.ClientQuotaEntityComponent{Type: "user", Name: user})
		if client != nil {
			entity = append(entity, kadm.ClientQuotaEntityComponent{Type: "client-id", Name: client})
		}
		return entity
	}
	change := func(remove bool) error {
		altered, err := adm.AlterClientQuotas(ctx, []kadm.AlterClientQuotaEntry{
			{Entity: entity(kadm.StringPtr("shown"), nil), Ops: []kadm.AlterClientQuotaOp{{Key: "producer_byte_rate", Value: 1000000, Remove: remove}}},
			{Entity: entity(kadm.StringPtr("shown"), kadm.StringPtr("batch")), Ops: []kadm.AlterClientQuotaOp{{Key: "consumer_byte_rate", Value: 2.5e6, Remove: remove}}},
			{Entity: entity(nil, nil), Ops: []kadm.AlterClientQuotaOp{{Key: "request_percentage", Value: 150, Remove: remove}}}})
		for _, each := range altered {
			err = errors.Join(err, each.Err)
		}
		return err
	}
	shown := func(strict bool, asked kadm.DescribeClientQuotaComponent) (lines []string, err error) {
		described, err := adm.DescribeClientQuotas(ctx, strict, []kadm.DescribeClientQuotaComponent{asked})
		for _, each := range described {
			lines = append(lines, fmt.Sprint(each.Entity.String(), " ", each.Values[0].Key, " ", each.Values[0].Value))
		}
		return lines, err
	}
	any, own := kadm.DescribeClientQuotaComponent{Type: "user", MatchType: 2}, kadm.DescribeClientQuotaComponent{Type: "user", MatchName: kadm.StringPtr("shown")}
	if err := change(false); err != nil {
		return err
	}
	all, errAll := shown(false, any)
	strict, errStrict := shown(true, own)
	if err := errors.Join(errAll, errStrict, sameSet(strict, "{user=shown} producer_byte_rate 1e+06"), sameSet(all, "{user=shown} producer_byte_rate 1e+06",
		"{user=shown, client-id=batch} consumer_byte_rate 2.5e+06", "{user=<default>} request_percentage 150"), change(true)); err != nil {
		return err
	}
	none, err := shown(false, any)
	return errors.Join(err, same(0, len(none)))
}

func placement(ctx context.Context) error {
	if err := topic(ctx, "shown-placement", 1, nil); err != nil {
		return err
	}
	cl := client()
	defer cl.Close()
	for _, assigned := range [][]int32{{9}, {1, 9}, {}} { // to a node that is none; to too many; one partition too few
		grow := kmsg.NewPtrCreatePartitionsRequest()
		more := kmsg.NewCreatePartitionsRequestTopic()
		more.Topic, more.Count = "shown-placement", 2
		if len(assigned) == 0 {
			more.Count, assigned = 3, []int32{1}
		}
		to := kmsg.NewCreatePartitionsRequestTopicAssignment()
		to.Replicas = assigned
		more.Assignment = append(more.Assignment, to)
		grow.Topics = append(grow.Topics, more)
		response, err := grow.RequestWith(ctx, cl)
		if err != nil {
			return err
		}
		if err := refused(kerr.ErrorForCode(response.Topics[0].ErrorCode), kerr.InvalidReplicaAssignment); err != nil {
			return fmt.Errorf("%v: %w", assigned, err)
		}
	}
	places := kadm.TopicsSet{"shown-placement": {0: {}}}
	assign := kadm.AlterPartitionAssignmentsReq{}
	assign.Assign("shown-placement", 0, []int32{1})
	altered, errAlter := adm.AlterPartitionAssignments(ctx, assign)
	moving, errList := adm.ListPartitionReassignments(ctx, places)
	elected, errElect := adm.ElectLeaders(ctx, kadm.ElectPreferredReplica, places)
	if err := errors.Join(errAlter, errList, errElect, altered.Error()); err != nil {
		return err
	}
	return same("0 true", fmt.Sprint(len(moving), " ", errors.Is(elected["shown-placement"][0].Err, kerr.ElectionNotNeeded)))
}
