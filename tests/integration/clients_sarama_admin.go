// SPDX-License-Identifier: Apache-2.0

// What command lines and consoles that are built on sarama (kaf, kafkactl, exporters of lag) show and change.
package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/IBM/sarama"
)

type named struct {
	name string
	run  func() error
}

// Asked by every release, and by those of which the protocol has it.
var (
	console = []named{
		{"the cluster: its nodes, topics, versions", administered(clusterShown)},
		{"settings of the node and of topics", administered(settings)},
		{"topics: made, grown, sizes, offsets by time, records deleted", administered(topics)},
		{"a group: members, offsets, lag, reset, deleted", administered(groupShown)},
	}
	consoleLater = []named{
		{"settings changed one by one", administered(settingsChanged)},
		{"a group's offsets deleted, a static member removed", administered(groupChanged)},
		{"reassignments and elections", administered(placement)},
		{"quotas", administered(quotas)},
		{"users by SCRAM credentials: made, shown, log in, deleted", administered(users)},
	}
)

func administered(run func(adm sarama.ClusterAdmin) error) func() error {
	return func() error {
		adm, err := sarama.NewClusterAdmin([]string{bootstrap}, config())
		if err != nil {
			return err
		}
		defer adm.Close()
		return run(adm)
	}
}

func text(value string) *string { return &value }

func clusterShown(adm sarama.ClusterAdmin) error {
	name := own("shown")
	if err := topic(name, 3, map[string]*string{"retention.ms": text("3600000")}); err != nil {
		return err
	}
	nodes, controller, errCluster := adm.DescribeCluster()
	leads, errLeads := adm.Controller()
	listed, errList := adm.ListTopics()
	described, errDescribe := adm.DescribeTopics([]string{name, own("none")})
	if err := errors.Join(errCluster, errLeads, errList, errDescribe); err != nil {
		return err
	}
	one := described[0]
	var places []string
	for _, each := range one.Partitions {
		places = append(places, fmt.Sprint(each.ID, " ", each.Leader, " ", each.Replicas, " ", each.Isr, " ", each.OfflineReplicas, " ", each.Err))
	}
	// Listed with what the topic sets itself and what the node's file sets for all.
	return errors.Join(same(fmt.Sprint("1 1 1 ", bootstrap), fmt.Sprint(len(nodes), " ", controller, " ", leads.ID(), " ", leads.Addr())),
		same("3 1 3600000 90000000 2", fmt.Sprint(listed[name].NumPartitions, " ", listed[name].ReplicationFactor, " ", *listed[name].ConfigEntries["retention.ms"], " ", *listed[name].ConfigEntries["delete.retention.ms"], " ", len(listed[name].ConfigEntries))),
		sameSet(places, "0 1 [1] [1] [] "+sarama.ErrNoError.Error(), "1 1 [1] [1] [] "+sarama.ErrNoError.Error(), "2 1 [1] [1] [] "+sarama.ErrNoError.Error()),
		same(fmt.Sprint(name, " false ", sarama.ErrUnknownTopicOrPartition), fmt.Sprint(one.Name, " ", one.IsInternal, " ", described[1].Err)))
}

func setting(adm sarama.ClusterAdmin, kind sarama.ConfigResourceType, of, name string) (string, error) {
	entries, err := adm.DescribeConfig(sarama.ConfigResource{Type: kind, Name: of})
	for _, each := range entries {
		if each.Name == name {
			return fmt.Sprint(each.Value, " ", each.Source, " ", each.Default), err
		}
	}
	return "none", err
}

func settings(adm sarama.ClusterAdmin) error {
	name := own("settings")
	if err := topic(name, 1, map[string]*string{"retention.ms": text("7000"), "cleanup.policy": text("compact")}); err != nil {
		return err
	}
	before, errBefore := setting(adm, sarama.TopicResource, name, "retention.ms")
	standard, errStandard := setting(adm, sarama.TopicResource, name, "segment.bytes")
	node, errNode := setting(adm, sarama.BrokerResource, "1", "auto.create.topics.enable")
	if err := errors.Join(errBefore, errStandard, errNode, same("7000 Topic false", before), same("1073741824 Default true", standard), same("true StaticBroker false", node)); err != nil {
		return err
	}
	// What is not named goes back to its default.
	var wrong *sarama.AlterConfigError
	if err := adm.AlterConfig(sarama.TopicResource, name, map[string]*string{"retention.ms": text("long")}, false); !errors.As(err, &wrong) {
		return fmt.Errorf("a wrong value: %v", err)
	}
	if err := errors.Join(same(sarama.ErrInvalidConfig, wrong.Err), adm.AlterConfig(sarama.TopicResource, name, map[string]*string{"retention.ms": text("1")}, true),
		adm.AlterConfig(sarama.TopicResource, name, map[string]*string{"retention.ms": text("8000")}, false)); err != nil {
		return err
	}
	after, errAfter := setting(adm, sarama.TopicResource, name, "retention.ms")
	policy, errPolicy := setting(adm, sarama.TopicResource, name, "cleanup.policy")
	return errors.Join(errAfter, errPolicy, same("8000 Topic false", after), same("delete Default true", policy))
}

func settingsChanged(adm sarama.ClusterAdmin) error {
	name := own("changed")
	if err := topic(name, 1, map[string]*string{"retention.ms": text("7000"), "retention.bytes": text("5000")}); err != nil {
		return err
	}
	if err := adm.IncrementalAlterConfig(sarama.TopicResource, name, map[string]sarama.IncrementalAlterConfigsEntry{
		"retention.ms":    {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: text("9000")},
		"retention.bytes": {Operation: sarama.IncrementalAlterConfigsOperationDelete},
		"cleanup.policy":  {Operation: sarama.IncrementalAlterConfigsOperationAppend, Value: text("compact")}}, false); err != nil {
		return err
	}
	ms, errMs := setting(adm, sarama.TopicResource, name, "retention.ms")
	bytes, errBytes := setting(adm, sarama.TopicResource, name, "retention.bytes")
	policy, errPolicy := setting(adm, sarama.TopicResource, name, "cleanup.policy")
	return errors.Join(errMs, errBytes, errPolicy, same("9000 Topic false", ms), same("-1 Default true", bytes), same("compact,delete Topic false", policy))
}

func topics(adm sarama.ClusterAdmin) error {
	name := own("topics")
	detail := &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 1}
	if err := errors.Join(adm.CreateTopic(name, detail, true), adm.CreateTopic(name, detail, false), refused(adm.CreateTopic(name, detail, false), sarama.ErrTopicAlreadyExists),
		adm.CreatePartitions(name, 2, nil, true), adm.CreatePartitions(name, 2, [][]int32{{1}}, false), refused(adm.CreatePartitions(name, 1, nil, false), sarama.ErrInvalidPartitions)); err != nil {
		return err
	}
	send, err := producer(nil)
	if err != nil {
		return err
	}
	if err := errors.Join(send.SendMessages(numbered(name, 1, 0, 100)), send.Close()); err != nil {
		return err
	}
	client, err := sarama.NewClient([]string{bootstrap}, config())
	if err != nil {
		return err
	}
	defer client.Close()
	offsets := func(places ...int64) (found []int64, err error) {
		for _, at := range places {
			offset, errOne := client.GetOffset(name, 1, at)
			found, err = append(found, offset), errors.Join(err, errOne)
		}
		return found, err
	}
	found, err := offsets(sarama.OffsetOldest, sarama.OffsetNewest, 1700000000030, 1800000000000)
	if err := errors.Join(err, same("[0 100 30 -1]", found), adm.DeleteRecords(name, map[int32]int64{1: 40})); err != nil {
		return err
	}
	found, err = offsets(sarama.OffsetOldest, sarama.OffsetNewest, 1700000000030)
	if err := errors.Join(err, same("[40 100 40]", found), refused(adm.DeleteRecords(name, map[int32]int64{1: 101}), sarama.ErrOffsetOutOfRange)); err != nil {
		return err
	}
	left, err := read(name, 1, sarama.OffsetOldest, 60, nil)
	if err := errors.Join(err, same("40", string(left[0].Value))); err != nil {
		return err
	}
	if _, err := read(name, 1, 10, 1, nil); !errors.Is(err, sarama.ErrOffsetOutOfRange) {
		return fmt.Errorf("read what is deleted: %v", err)
	}
	sizes, err := partitionSizes(adm, name)
	if err != nil {
		return err
	}
	if len(sizes) != 2 || sizes[0] != 0 || sizes[1] < 100 {
		return fmt.Errorf("sizes: %v", sizes)
	}
	if err := adm.DeleteTopic(name); err != nil {
		return err
	}
	listed, err := adm.ListTopics()
	_, has := listed[name]
	return errors.Join(err, same(false, has), refused(adm.DeleteTopic(name), sarama.ErrUnknownTopicOrPartition))
}

func partitionSizes(adm sarama.ClusterAdmin, name string) (map[int32]int64, error) {
	dirs, err := adm.DescribeLogDirs([]int32{1})
	sizes := map[int32]int64{}
	for _, dir := range dirs[1] {
		for _, each := range dir.Topics {
			for _, partition := range each.Partitions {
				if each.Topic == name {
					sizes[partition.PartitionID] = partition.Size
				}
			}
		}
	}
	return sizes, err
}

// What a console does to set a group's offsets: commits of its own while nobody is a member.
func commits(name string, at map[int32]int64, note string) error {
	client, err := sarama.NewClient([]string{bootstrap}, config())
	if err != nil {
		return err
	}
	defer client.Close()
	manager, err := sarama.NewOffsetManagerFromClient(name, client)
	if err != nil {
		return err
	}
	for partition, offset := range at {
		one, err := manager.ManagePartition(name, partition)
		if err != nil {
			return err
		}
		if next, _ := one.NextOffset(); next >= 0 && next > offset {
			one.ResetOffset(offset, note)
		} else {
			one.MarkOffset(offset, note)
		}
		defer one.Close()
	}
	manager.Commit()
	return manager.Close()
}

func groupShown(adm sarama.ClusterAdmin) error {
	name := own("shown-group")
	send, err := producer(nil)
	if err := errors.Join(err, topic(name, 2, nil)); err != nil {
		return err
	}
	if err := errors.Join(send.SendMessages(append(numbered(name, 0, 0, 5), numbered(name, 1, 0, 5)...)), send.Close(), commits(name, map[int32]int64{0: 5, 1: 5}, "a note")); err != nil {
		return err
	}
	empty, err := shownAs(adm, name)
	if err := errors.Join(err, same("Empty   0", empty)); err != nil {
		return err
	}
	m, err := join(name, name, nil)
	if err != nil {
		return err
	}
	if err := waitFor("it is a member", shared([]*member{m}, 2)); err != nil {
		return err
	}
	described, err := adm.DescribeConsumerGroups([]string{name})
	if err != nil {
		return err
	}
	var shows []string
	for _, each := range described[0].Members {
		has, errHas := each.GetMemberAssignment()
		wants, errWants := each.GetMemberMetadata()
		if err := errors.Join(errHas, errWants); err != nil {
			return err
		}
		shows = append(shows, fmt.Sprint(each.ClientId, " ", strings.TrimPrefix(each.ClientHost, "/"), " ", has.Topics, " ", wants.Topics))
	}
	stable, err := shownAs(adm, name)
	if err := errors.Join(err, same("Stable consumer range 1", stable), sameSet(shows, fmt.Sprintf("sarama-test 127.0.0.1 map[%s:[0 1]] [%s]", name, name)),
		refused(adm.DeleteConsumerGroup(name), sarama.ErrNonEmptyGroup), m.leave()); err != nil {
		return err
	}
	listed, errList := adm.ListConsumerGroups()
	if err := errors.Join(errList, same("consumer", listed[name]), commits(name, map[int32]int64{0: 2, 1: 0}, "")); err != nil {
		return err
	}
	offsets, errOffsets := committedOffsets(name, name)
	if err := errors.Join(errOffsets, same("[2 0]", offsets), adm.DeleteConsumerGroup(name)); err != nil {
		return err
	}
	listed, err = adm.ListConsumerGroups()
	_, has := listed[name]
	gone, errGone := shownAs(adm, name)
	return errors.Join(err, errGone, same(false, has), same("Dead   0", gone))
}

func shownAs(adm sarama.ClusterAdmin, name string) (string, error) {
	described, err := adm.DescribeConsumerGroups([]string{name})
	if err != nil {
		return "", err
	}
	one := described[0]
	return fmt.Sprint(one.State, " ", one.ProtocolType, " ", one.Protocol, " ", len(one.Members)), nil
}

func groupChanged(adm sarama.ClusterAdmin) error {
	name := own("changed-group")
	if err := errors.Join(topic(name, 2, nil), commits(name, map[int32]int64{0: 0, 1: 0}, "")); err != nil {
		return err
	}
	static := func(config *sarama.Config) {
		config.Consumer.Group.InstanceId = "one"
		config.Consumer.Group.Session.Timeout = 30 * time.Second
	}
	m, err := join(name, name, static)
	if err != nil {
		return err
	}
	if err := errors.Join(waitFor("it is a member", shared([]*member{m}, 2)), refused(adm.DeleteConsumerGroupOffset(name, name, 0), sarama.ErrGroupSubscribedToTopic),
		m.leave()); err != nil {
		return err
	}
	// It stays one after it has gone, until it is removed.
	before, errBefore := shownAs(adm, name)
	removed, errRemove := adm.RemoveMemberFromConsumerGroup(name, []string{"one"})
	if err := errors.Join(errBefore, errRemove, same("Stable consumer range 1", before)); err != nil {
		return err
	}
	if err := errors.Join(same(fmt.Sprint(sarama.ErrNoError, " one"), fmt.Sprint(removed.Members[0].Err, " ", *removed.Members[0].GroupInstanceId)),
		adm.DeleteConsumerGroupOffset(name, name, 1)); err != nil {
		return err
	}
	after, errAfter := shownAs(adm, name)
	offsets, errOffsets := committedOffsets(name, name)
	return errors.Join(errAfter, errOffsets, same("Empty consumer  0", after), same("[0]", offsets))
}

func placement(adm sarama.ClusterAdmin) error {
	name := own("placement")
	if err := errors.Join(topic(name, 1, nil), adm.AlterPartitionReassignments(name, [][]int32{{1}})); err != nil {
		return err
	}
	moving, errMoving := adm.ListPartitionReassignments(name, []int32{0})
	elected, errElected := adm.ElectLeaders(sarama.PreferredElection, map[string][]int32{name: {0}})
	if err := errors.Join(errMoving, errElected); err != nil {
		return err
	}
	return errors.Join(same(0, len(moving[name])), same(sarama.ErrElectionNotNeeded, elected[name][0].ErrorCode))
}

func quotas(adm sarama.ClusterAdmin) error {
	user, everyone := own("quota"), []sarama.QuotaEntityComponent{{EntityType: sarama.QuotaEntityUser, MatchType: sarama.QuotaMatchDefault}}
	one := []sarama.QuotaEntityComponent{{EntityType: sarama.QuotaEntityUser, MatchType: sarama.QuotaMatchExact, Name: user}}
	change := func(remove bool) error {
		return errors.Join(adm.AlterClientQuotas(one, sarama.ClientQuotasOp{Key: "producer_byte_rate", Value: 1000000, Remove: remove}, false),
			adm.AlterClientQuotas(everyone, sarama.ClientQuotasOp{Key: "request_percentage", Value: 150, Remove: remove}, false))
	}
	shown := func() (lines []string, err error) {
		entries, err := adm.DescribeClientQuotas([]sarama.QuotaFilterComponent{{EntityType: sarama.QuotaEntityUser, MatchType: sarama.QuotaMatchAny}}, true)
		for _, each := range entries {
			lines = append(lines, fmt.Sprint(each.Entity[0].Name, " ", each.Values))
		}
		return lines, err
	}
	if err := change(false); err != nil {
		return err
	}
	with, errWith := shown()
	if err := errors.Join(errWith, sameSet(with, user+" map[producer_byte_rate:1e+06]", " map[request_percentage:150]"), change(true)); err != nil {
		return err
	}
	without, err := shown()
	return errors.Join(err, same(0, len(without)))
}

func users(adm sarama.ClusterAdmin) error {
	user := own("sarama")
	made, err := adm.UpsertUserScramCredentials([]sarama.AlterUserScramCredentialsUpsert{
		{Name: user, Mechanism: sarama.SCRAM_MECHANISM_SHA_256, Iterations: 4096, Salt: []byte("a salt of it"), Password: []byte("first")},
		{Name: user, Mechanism: sarama.SCRAM_MECHANISM_SHA_512, Iterations: 8192, Salt: []byte("another salt"), Password: []byte("first")}})
	if err != nil {
		return err
	}
	shown, err := adm.DescribeUserScramCredentials([]string{user})
	if err != nil {
		return err
	}
	var ways []string
	for _, each := range shown[0].CredentialInfos {
		ways = append(ways, fmt.Sprint(each.Mechanism, " ", each.Iterations))
	}
	slices.Sort(ways)
	if err := errors.Join(same(sarama.ErrNoError, made[0].ErrorCode), same("[SCRAM-SHA-256 4096 SCRAM-SHA-512 8192]", ways), logsIn(user, "first")); err != nil {
		return err
	}
	deleted, err := adm.DeleteUserScramCredentials([]sarama.AlterUserScramCredentialsDelete{{Name: user, Mechanism: sarama.SCRAM_MECHANISM_SHA_512}})
	if err != nil {
		return err
	}
	return errors.Join(same(sarama.ErrNoError, deleted[0].ErrorCode), refused(logsIn(user, "first"), sarama.ErrSASLAuthenticationFailed))
}
