// SPDX-License-Identifier: Apache-2.0

// What is asked by command lines that are built on kafka-go, such as topicctl; and, over SCRAM and TLS, its ACLs.
package main

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl/scram"
)

var administration = []struct {
	name string
	run  func(ctx context.Context) error
}{
	{"the cluster: its nodes, topics, versions", clusterShown},
	{"settings of the node and of topics, read and changed", settings},
	{"topics: made, grown, offsets by time, deleted", topics},
	{"a group: members, offsets, lag, reset, deleted", groupShown},
	{"reassignments and elections", placement},
	{"quotas", quotas},
	{"users by SCRAM credentials: made, shown, log in, deleted", users},
}

func clusterShown(ctx context.Context) error {
	if err := topic(ctx, "shown", 2); err != nil {
		return err
	}
	versions, errVersions := adm.ApiVersions(ctx, &kafka.ApiVersionsRequest{})
	shown, errShown := adm.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{"shown"}})
	all, errAll := adm.Metadata(ctx, &kafka.MetadataRequest{})
	none, errNone := adm.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{"none"}})
	if err := errors.Join(errVersions, versions.Error, errShown, errAll, errNone); err != nil {
		return err
	}
	if len(versions.ApiKeys) < 40 || shown.ClusterID == "" {
		return fmt.Errorf("%d APIs, cluster %s", len(versions.ApiKeys), shown.ClusterID)
	}
	var names []string
	for _, each := range all.Topics {
		if each.Name == "shown" {
			names = append(names, each.Name)
		}
	}
	one := shown.Topics[0].Partitions[1]
	return errors.Join(same(fmt.Sprint("1 1 1 ", bootstrap), fmt.Sprint(len(shown.Brokers), " ", shown.Controller.ID, " ", one.Leader.ID, " ", one.Leader.Host, ":", one.Leader.Port)),
		same("1 1 0 2", fmt.Sprint(len(one.Replicas), " ", len(one.Isr), " ", len(one.OfflineReplicas), " ", len(shown.Topics[0].Partitions))), same("[shown]", names),
		refused(none.Topics[0].Error, kafka.UnknownTopicOrPartition))
}

func setting(ctx context.Context, kind kafka.ResourceType, of, name string) (string, error) {
	response, err := adm.DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{Resources: []kafka.DescribeConfigRequestResource{{ResourceType: kind, ResourceName: of, ConfigNames: []string{name}}}})
	if err != nil {
		return "", err
	}
	if err := response.Resources[0].Error; err != nil {
		return "", err
	}
	one := response.Resources[0].ConfigEntries[0]
	return fmt.Sprint(one.ConfigName, " ", one.ConfigValue, " ", one.ConfigSource, " ", one.ConfigType), nil
}

func settings(ctx context.Context) error {
	if err := topic(ctx, "settings", 1, kafka.ConfigEntry{ConfigName: "retention.ms", ConfigValue: "7000"}); err != nil {
		return err
	}
	own, errOwn := setting(ctx, kafka.ResourceTypeTopic, "settings", "retention.ms")
	node, errNode := setting(ctx, kafka.ResourceTypeBroker, "1", "auto.create.topics.enable")
	_, errNone := setting(ctx, kafka.ResourceTypeTopic, "none", "retention.ms")
	if err := errors.Join(errOwn, errNode, same("retention.ms 7000 1 5", own), same("auto.create.topics.enable true 4 1", node), refused(errNone, kafka.UnknownTopicOrPartition)); err != nil {
		return err
	}
	changed, err := adm.IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{Resources: []kafka.IncrementalAlterConfigsRequestResource{{ResourceType: kafka.ResourceTypeTopic, ResourceName: "settings",
		Configs: []kafka.IncrementalAlterConfigsRequestConfig{{Name: "retention.ms", ConfigOperation: kafka.ConfigOperationDelete}, {Name: "retention.bytes", Value: "9000", ConfigOperation: kafka.ConfigOperationSet}}}}})
	if err = errors.Join(err, changed.Resources[0].Error); err != nil {
		return err
	}
	ms, errMs := setting(ctx, kafka.ResourceTypeTopic, "settings", "retention.ms")
	bytes, errBytes := setting(ctx, kafka.ResourceTypeTopic, "settings", "retention.bytes")
	if err := errors.Join(errMs, errBytes, same("retention.ms 604800000 5 5", ms), same("retention.bytes 9000 1 5", bytes)); err != nil {
		return err
	}
	replaced, err := adm.AlterConfigs(ctx, &kafka.AlterConfigsRequest{Resources: []kafka.AlterConfigRequestResource{{ResourceType: kafka.ResourceTypeTopic, ResourceName: "settings",
		Configs: []kafka.AlterConfigRequestConfig{{Name: "retention.ms", Value: "8000"}}}}})
	for _, each := range replaced.Errors {
		err = errors.Join(err, each)
	}
	ms, errMs = setting(ctx, kafka.ResourceTypeTopic, "settings", "retention.ms")
	bytes, errBytes = setting(ctx, kafka.ResourceTypeTopic, "settings", "retention.bytes")
	return errors.Join(err, errMs, errBytes, same("retention.ms 8000 1 5", ms), same("retention.bytes -1 5 5", bytes))
}

func topics(ctx context.Context) error {
	if err := errors.Join(topic(ctx, "topics", 2), refused(topic(ctx, "topics", 2), kafka.TopicAlreadyExists)); err != nil {
		return err
	}
	grown, err := adm.CreatePartitions(ctx, &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: "topics", Count: 3, TopicPartitionAssignments: []kafka.TopicPartitionAssignment{{BrokerIDs: []int32{1}}}}}})
	if err = errors.Join(err, only(grown.Errors), write(ctx, "topics", 0, 100)); err != nil {
		return err
	}
	offsets, err := adm.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{
		"topics": {kafka.FirstOffsetOf(0), kafka.LastOffsetOf(0), kafka.TimeOffsetOf(1, time.UnixMilli(1700000000031)), kafka.FirstOffsetOf(2), kafka.LastOffsetOf(2)}}})
	if err != nil {
		return err
	}
	var lines []string
	for _, each := range offsets.Topics["topics"] {
		lines = append(lines, fmt.Sprint(each.Partition, " ", each.FirstOffset, " ", each.LastOffset, " ", len(each.Offsets), " ", each.Error))
	}
	if err := sameSet(lines, "0 0 50 0 <nil>", "1 -1 -1 1 <nil>", "2 0 0 0 <nil>"); err != nil {
		return err
	}
	fetched, err := adm.Fetch(ctx, &kafka.FetchRequest{Topic: "topics", Partition: 1, Offset: 0, MinBytes: 1, MaxBytes: 1e6, MaxWait: time.Second})
	if err = errors.Join(err, fetched.Error); err != nil {
		return err
	}
	record, err := fetched.Records.ReadRecord()
	if err = errors.Join(err, same("50 0", fmt.Sprint(fetched.HighWatermark, " ", fetched.LogStartOffset)), same(0, record.Offset)); err != nil {
		return err
	}
	deleted, err := adm.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{"topics"}})
	if err = errors.Join(err, only(deleted.Errors)); err != nil {
		return err
	}
	again, err := adm.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{"topics"}})
	return errors.Join(err, refused(only(again.Errors), kafka.UnknownTopicOrPartition))
}

func commit(ctx context.Context, group string, offset int64) error {
	response, err := adm.OffsetCommit(ctx, &kafka.OffsetCommitRequest{GroupID: group, GenerationID: -1, Topics: map[string][]kafka.OffsetCommit{group: {{Partition: 0, Offset: offset, Metadata: "a note"}}}})
	if err != nil {
		return err
	}
	return response.Topics[group][0].Error
}

func groupShown(ctx context.Context) error {
	name := "shown-group"
	if err := errors.Join(topic(ctx, name, 1), write(ctx, name, 0, 10), commit(ctx, name, 4)); err != nil {
		return err
	}
	m := join(ctx, name, name, kafka.RangeGroupBalancer{})
	if err := errors.Join(waitFor(ctx, "what is left is read", func() bool { return sum(m) == 6 }), waitFor(ctx, "it is a member", members(ctx, name, 1))); err != nil {
		return err
	}
	described, err := adm.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{name}})
	if err != nil {
		return err
	}
	one := described.Groups[0].Members[0]
	deleteNow, err := adm.DeleteGroups(ctx, &kafka.DeleteGroupsRequest{GroupIDs: []string{name}})
	if err = errors.Join(err, same(fmt.Sprintf("127.0.0.1 [%s] [{%s [0]}]", name, name), fmt.Sprint(strings.TrimPrefix(one.ClientHost, "/"), " ", one.MemberMetadata.Topics, " ", one.MemberAssignments.Topics)),
		refused(only(deleteNow.Errors), kafka.NonEmptyGroup), m.leave()); err != nil {
		return err
	}
	listed, err := adm.ListGroups(ctx, &kafka.ListGroupsRequest{})
	if err = errors.Join(err, listed.Error, commit(ctx, name, 2)); err != nil {
		return err
	}
	has := slices.ContainsFunc(listed.Groups, func(each kafka.ListGroupsResponseGroup) bool {
		return each.GroupID == name && each.ProtocolType == "consumer"
	})
	offsets, errOffsets := committedOffsets(ctx, name, name, 1)
	dropped, err := adm.OffsetDelete(ctx, &kafka.OffsetDeleteRequest{GroupID: name, Topics: map[string][]int{name: {0}}})
	if err = errors.Join(err, errOffsets, dropped.Error, dropped.Topics[name][0].Error, same("true [2]", fmt.Sprint(has, " ", offsets))); err != nil {
		return err
	}
	offsets, errOffsets = committedOffsets(ctx, name, name, 1)
	return errors.Join(errOffsets, same("[-1]", offsets))
}

func placement(ctx context.Context) error {
	if err := topic(ctx, "placement", 1); err != nil {
		return err
	}
	moved, errMoved := adm.AlterPartitionReassignments(ctx, &kafka.AlterPartitionReassignmentsRequest{Topic: "placement", Timeout: 5 * time.Second,
		Assignments: []kafka.AlterPartitionReassignmentsRequestAssignment{{PartitionID: 0, BrokerIDs: []int{1}}}})
	moving, errMoving := adm.ListPartitionReassignments(ctx, &kafka.ListPartitionReassignmentsRequest{Timeout: 5 * time.Second,
		Topics: map[string]kafka.ListPartitionReassignmentsRequestTopic{"placement": {PartitionIndexes: []int{0}}}})
	elected, errElected := adm.ElectLeaders(ctx, &kafka.ElectLeadersRequest{Topic: "placement", Partitions: []int{0}, Timeout: 5 * time.Second})
	if err := errors.Join(errMoved, errMoving, errElected); err != nil {
		return err
	}
	return errors.Join(moved.Error, moved.PartitionResults[0].Error, moving.Error, same(0, len(moving.Topics)), refused(elected.PartitionResults[0].Error, kafka.ElectionNotNeeded))
}

func quotas(ctx context.Context) error {
	change := func(remove bool) error {
		response, err := adm.AlterClientQuotas(ctx, &kafka.AlterClientQuotasRequest{Entries: []kafka.AlterClientQuotaEntry{{Entities: []kafka.AlterClientQuotaEntity{{EntityType: "client-id", EntityName: "batch"}},
			Ops: []kafka.AlterClientQuotaOps{{Key: "consumer_byte_rate", Value: 500000, Remove: remove}}}}})
		if err != nil {
			return err
		}
		return response.Entries[0].Error
	}
	shown := func() (lines []string, err error) {
		response, err := adm.DescribeClientQuotas(ctx, &kafka.DescribeClientQuotasRequest{Components: []kafka.DescribeClientQuotasRequestComponent{{EntityType: "client-id", MatchType: 0, Match: "batch"}}})
		if err = errors.Join(err, response.Error); err != nil {
			return nil, err
		}
		for _, each := range response.Entries {
			lines = append(lines, fmt.Sprint(each.Entities, " ", each.Values))
		}
		return lines, nil
	}
	if err := change(false); err != nil {
		return err
	}
	with, errWith := shown()
	if err := errors.Join(errWith, same("[[{client-id batch}] [{consumer_byte_rate 500000}]]", with), change(true)); err != nil {
		return err
	}
	without, err := shown()
	return errors.Join(err, same(0, len(without)))
}

// A password as it is stored: salted, by SCRAM's arithmetic.
func users(ctx context.Context) error {
	salted, err := pbkdf2.Key(sha512.New, "first", []byte("salt of it"), 4096, sha512.Size)
	if err != nil {
		return err
	}
	made, err := adm.AlterUserScramCredentials(ctx, &kafka.AlterUserScramCredentialsRequest{Upsertions: []kafka.UserScramCredentialsUpsertion{
		{Name: "segment", Mechanism: kafka.ScramMechanismSha512, Iterations: 4096, Salt: []byte("salt of it"), SaltedPassword: salted}}})
	if err != nil {
		return err
	}
	shown, err := adm.DescribeUserScramCredentials(ctx, &kafka.DescribeUserScramCredentialsRequest{Users: []kafka.UserScramCredentialsUser{{Name: "segment"}}})
	if err = errors.Join(err, made.Results[0].Error); err != nil {
		return err
	}
	if err := errors.Join(shown.Error, same("{segment [{2 4096}] <nil>}", shown.Results[0]), logsIn(ctx, "segment", "first")); err != nil {
		return err
	}
	deleted, err := adm.AlterUserScramCredentials(ctx, &kafka.AlterUserScramCredentialsRequest{Deletions: []kafka.UserScramCredentialsDeletion{{Name: "segment", Mechanism: kafka.ScramMechanismSha512}}})
	if err != nil {
		return err
	}
	return errors.Join(deleted.Results[0].Error, refused(logsIn(ctx, "segment", "first"), kafka.SASLAuthenticationFailed))
}

func login(user, password string) (*kafka.Transport, error) {
	pem, err := os.ReadFile(os.Getenv("CA"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	mechanism, err := scram.Mechanism(scram.SHA512, user, password)
	return &kafka.Transport{TLS: &tls.Config{RootCAs: pool}, SASL: mechanism}, err
}

func logsIn(ctx context.Context, user, password string) error {
	transport, err := login(user, password)
	if err != nil {
		return err
	}
	defer transport.CloseIdleConnections()
	_, err = (&kafka.Client{Addr: kafka.TCP(os.Getenv("TLS_BOOTSTRAP")), Transport: transport}).Metadata(ctx, &kafka.MetadataRequest{Topics: []string{}})
	return err
}

// One record by a client of its own.
func sends(ctx context.Context, user, password, name string) error {
	transport, err := login(user, password)
	if err != nil {
		return err
	}
	defer transport.CloseIdleConnections()
	w := writer(name)
	w.Addr, w.Transport, w.MaxAttempts = kafka.TCP(os.Getenv("TLS_BOOTSTRAP")), transport, 1
	return errors.Join(w.WriteMessages(ctx, kafka.Message{Value: []byte("secure")}), w.Close())
}

func acls(ctx context.Context) error {
	name, guest, password := "acl", os.Getenv("GUEST"), os.Getenv("GUEST_PASSWORD")
	transport, err := login(os.Getenv("SPU_USER"), os.Getenv("SPU_PASSWORD"))
	if err != nil {
		return err
	}
	defer transport.CloseIdleConnections()
	secure := &kafka.Client{Addr: kafka.TCP(os.Getenv("TLS_BOOTSTRAP")), Transport: transport, Timeout: 20 * time.Second}
	// It asks for all topics, so that one that a user may not see is unknown to it.
	if err := errors.Join(topic(ctx, name, 1), sends(ctx, os.Getenv("SPU_USER"), os.Getenv("SPU_PASSWORD"), name), refused(logsIn(ctx, guest, "wrong"), kafka.SASLAuthenticationFailed),
		refused(sends(ctx, guest, password, name), kafka.UnknownTopicOrPartition)); err != nil {
		return err
	}
	created, err := secure.CreateACLs(ctx, &kafka.CreateACLsRequest{ACLs: []kafka.ACLEntry{
		{ResourceType: kafka.ResourceTypeTopic, ResourceName: name, ResourcePatternType: kafka.PatternTypeLiteral, Principal: "User:" + guest, Host: "*", Operation: kafka.ACLOperationTypeWrite, PermissionType: kafka.ACLPermissionTypeAllow},
		{ResourceType: kafka.ResourceTypeGroup, ResourceName: "acl-", ResourcePatternType: kafka.PatternTypePrefixed, Principal: "User:" + guest, Host: "*", Operation: kafka.ACLOperationTypeRead, PermissionType: kafka.ACLPermissionTypeDeny}}})
	if err != nil {
		return err
	}
	if err := errors.Join(errors.Join(created.Errors...), sends(ctx, guest, password, name)); err != nil {
		return err
	}
	shown := func() (lines []string, err error) {
		response, err := secure.DescribeACLs(ctx, &kafka.DescribeACLsRequest{Filter: kafka.ACLFilter{ResourceTypeFilter: kafka.ResourceTypeAny, ResourcePatternTypeFilter: kafka.PatternTypeAny,
			PrincipalFilter: "User:" + guest, Operation: kafka.ACLOperationTypeAny, PermissionType: kafka.ACLPermissionTypeAny}})
		if err = errors.Join(err, response.Error); err != nil {
			return nil, err
		}
		for _, each := range response.Resources {
			for _, acl := range each.ACLs {
				lines = append(lines, fmt.Sprint(each.ResourceType, " ", each.ResourceName, " ", each.PatternType, " ", acl.Principal, " ", acl.Host, " ", acl.Operation, " ", acl.PermissionType))
			}
		}
		return lines, nil
	}
	with, errWith := shown()
	deleted, err := secure.DeleteACLs(ctx, &kafka.DeleteACLsRequest{Filters: []kafka.DeleteACLsFilter{{ResourceTypeFilter: kafka.ResourceTypeAny, ResourcePatternTypeFilter: kafka.PatternTypeAny,
		PrincipalFilter: "User:" + guest, Operation: kafka.ACLOperationTypeAny, PermissionType: kafka.ACLPermissionTypeAny}}})
	if err = errors.Join(err, errWith, sameSet(with, "Topic acl Literal User:guest * Write Allow", "Group acl- Prefixed User:guest * Read Deny")); err != nil {
		return err
	}
	without, err := shown()
	return errors.Join(err, deleted.Results[0].Error, same("2 0", fmt.Sprint(len(deleted.Results[0].MatchingACLs), " ", len(without))), refused(sends(ctx, guest, password, name), kafka.UnknownTopicOrPartition))
}
