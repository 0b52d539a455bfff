// SPDX-License-Identifier: Apache-2.0

// segmentio/kafka-go against an SPU: BOOTSTRAP.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

var (
	bootstrap      string
	adm            *kafka.Client
	passed, failed int
)

func test(name string, run func(ctx context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	if err := run(ctx); err != nil {
		failed++
		fmt.Printf("FAIL clients_segmentio/%s\n     %v\n", name, err)
		return
	}
	passed++
	fmt.Printf("ok   clients_segmentio/%s\n", name)
}

func same(wanted, got any) error {
	if w, g := fmt.Sprint(wanted), fmt.Sprint(got); w != g {
		return fmt.Errorf("wanted %.400s, got %.400s", w, g)
	}
	return nil
}

// The same lines in any order.
func sameSet(got []string, wanted ...string) error {
	sort.Strings(got)
	sort.Strings(wanted)
	return same(strings.Join(wanted, "\n"), strings.Join(got, "\n"))
}

func refused(err error, wanted kafka.Error) error {
	if !errors.Is(err, wanted) {
		return fmt.Errorf("wanted %v, got %v", wanted, err)
	}
	return nil
}

// The one error of a map of them.
func only(all map[string]error) (err error) {
	for _, each := range all {
		err = errors.Join(err, each)
	}
	return err
}

func topic(ctx context.Context, name string, partitions int, entries ...kafka.ConfigEntry) error {
	response, err := adm.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: name, NumPartitions: partitions, ReplicationFactor: 1, ConfigEntries: entries}}})
	if err != nil {
		return err
	}
	return response.Errors[name]
}

func writer(name string) *kafka.Writer {
	return &kafka.Writer{Addr: kafka.TCP(bootstrap), Topic: name, RequiredAcks: kafka.RequireAll, BatchTimeout: 5 * time.Millisecond, MaxAttempts: 2, Balancer: &kafka.RoundRobin{}}
}

func numbered(from, to int) (messages []kafka.Message) {
	for n := from; n < to; n++ {
		messages = append(messages, kafka.Message{Key: []byte(fmt.Sprint("key-", n)), Value: []byte(fmt.Sprint(n)), Time: time.UnixMilli(1700000000000 + int64(n)),
			Headers: []kafka.Header{{Key: "h", Value: []byte("1")}, {Key: "none"}}})
	}
	return messages
}

func write(ctx context.Context, name string, from, to int) error {
	w := writer(name)
	return errors.Join(w.WriteMessages(ctx, numbered(from, to)...), w.Close())
}

func read(ctx context.Context, name string, partition int, offset int64, count int) (got []kafka.Message, err error) {
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{bootstrap}, Topic: name, Partition: partition, MaxWait: 50 * time.Millisecond, IsolationLevel: kafka.ReadCommitted, MinBytes: 1, MaxBytes: 1e6})
	defer r.Close()
	if err := r.SetOffset(offset); err != nil {
		return nil, err
	}
	for len(got) < count {
		message, err := r.ReadMessage(ctx)
		if err != nil {
			return nil, fmt.Errorf("%d of %d: %w", len(got), count, err)
		}
		got = append(got, message)
	}
	return got, nil
}

func codecs(ctx context.Context) error {
	for _, codec := range []kafka.Compression{0, kafka.Gzip, kafka.Snappy, kafka.Lz4, kafka.Zstd} {
		name := "codec-" + codec.String()
		if err := topic(ctx, name, 1); err != nil {
			return err
		}
		w := writer(name)
		w.Compression = codec
		if err := errors.Join(w.WriteMessages(ctx, numbered(0, 200)...), w.Close()); err != nil {
			return err
		}
		got, err := read(ctx, name, 0, kafka.FirstOffset, 200)
		if err != nil {
			return err
		}
		for n, message := range got {
			if err := same(fmt.Sprintf("%d key-%d %d %d 2", n, n, n, 1700000000000+n),
				fmt.Sprintf("%d %s %s %d %d", message.Offset, message.Key, message.Value, message.Time.UnixMilli(), len(message.Headers))); err != nil {
				return err
			}
		}
	}
	return nil
}

func limits(ctx context.Context) error {
	if err := errors.Join(topic(ctx, "small", 1, kafka.ConfigEntry{ConfigName: "max.message.bytes", ConfigValue: "20000"}),
		topic(ctx, "compacted", 1, kafka.ConfigEntry{ConfigName: "cleanup.policy", ConfigValue: "compact"})); err != nil {
		return err
	}
	small, compacted := writer("small"), writer("compacted")
	large := small.WriteMessages(ctx, kafka.Message{Value: []byte(strings.Repeat("x", 50000))})
	plain := compacted.WriteMessages(ctx, kafka.Message{Value: []byte("no key")})
	return errors.Join(within(large, kafka.MessageSizeTooLarge), within(plain, kafka.InvalidRecord),
		compacted.WriteMessages(ctx, kafka.Message{Key: []byte("key")}), small.Close(), compacted.Close())
}

// The error of the first of several messages.
func within(err error, wanted kafka.Error) error {
	var each kafka.WriteErrors
	if errors.As(err, &each) {
		err = each[0]
	}
	return refused(err, wanted)
}

// The low-level client: a partition's leader is dialled, records are written and read on that connection.
func connection(ctx context.Context) error {
	if err := topic(ctx, "connection", 1); err != nil {
		return err
	}
	conn, err := kafka.DialLeader(ctx, "tcp", bootstrap, "connection", 0)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.WriteCompressedMessages(kafka.Lz4.Codec(), numbered(0, 50)...); err != nil {
		return err
	}
	first, last, errOffsets := conn.ReadOffsets()
	at, errAt := conn.ReadOffset(time.UnixMilli(1700000000030))
	if err := errors.Join(errOffsets, errAt, same("0 50 30", fmt.Sprint(first, " ", last, " ", at))); err != nil {
		return err
	}
	if _, err := conn.Seek(40, kafka.SeekAbsolute); err != nil {
		return err
	}
	batch := conn.ReadBatch(1, 1e6)
	message, err := batch.ReadMessage()
	return errors.Join(err, batch.Close(), same("40 40", fmt.Sprint(message.Offset, " ", string(message.Value))))
}

type member struct {
	reader *kafka.Reader
	cancel context.CancelFunc
	done   chan struct{}
	mu     sync.Mutex
	seen   map[int]int // partition -> messages
	err    error
}

func join(ctx context.Context, group, name string, balancer kafka.GroupBalancer) *member {
	m := &member{done: make(chan struct{}), seen: map[int]int{}}
	m.reader = kafka.NewReader(kafka.ReaderConfig{Brokers: []string{bootstrap}, GroupID: group, Topic: name, GroupBalancers: []kafka.GroupBalancer{balancer}, MaxWait: 50 * time.Millisecond,
		HeartbeatInterval: 300 * time.Millisecond, SessionTimeout: 6 * time.Second, JoinGroupBackoff: 100 * time.Millisecond, StartOffset: kafka.FirstOffset})
	inner, cancel := context.WithCancel(ctx)
	m.cancel = cancel
	go func() {
		defer close(m.done)
		for {
			message, err := m.reader.FetchMessage(inner)
			if err == nil {
				err = m.reader.CommitMessages(inner, message)
			}
			m.mu.Lock()
			if err == nil {
				m.seen[message.Partition]++
			} else if !errors.Is(err, context.Canceled) && !errors.Is(err, io.EOF) {
				m.err = err
			}
			m.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return m
}

func (m *member) leave() error {
	m.cancel()
	<-m.done
	return errors.Join(m.err, m.reader.Close())
}

func sum(members ...*member) (all int) {
	for _, m := range members {
		m.mu.Lock()
		for _, count := range m.seen {
			all += count
		}
		m.mu.Unlock()
	}
	return all
}

func waitFor(ctx context.Context, what string, holds func() bool) error {
	for !holds() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("until %s: %w", what, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

func members(ctx context.Context, group string, count int) func() bool {
	return func() bool {
		described, err := adm.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{group}})
		return err == nil && described.Groups[0].GroupState == "Stable" && len(described.Groups[0].Members) == count
	}
}

func group(balancer kafka.GroupBalancer) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		name := "group-" + balancer.ProtocolName()
		if err := errors.Join(topic(ctx, name, 4), write(ctx, name, 0, 200)); err != nil {
			return err
		}
		one := join(ctx, name, name, balancer)
		if err := errors.Join(waitFor(ctx, "all is read", func() bool { return sum(one) >= 200 })); err != nil {
			return err
		}
		two := join(ctx, name, name, balancer)
		if err := errors.Join(waitFor(ctx, "two are members", members(ctx, name, 2)), write(ctx, name, 200, 400),
			waitFor(ctx, "all of the second is read", func() bool { return sum(one, two) >= 400 }), one.leave(), waitFor(ctx, "one is left", members(ctx, name, 1)), write(ctx, name, 400, 600),
			waitFor(ctx, "all of the third is read", func() bool { return sum(one, two) >= 600 }), two.leave()); err != nil {
			return err
		}
		offsets, err := committedOffsets(ctx, name, name, 4)
		return errors.Join(err, same("[150 150 150 150]", offsets), same(600, sum(one, two)))
	}
}

func committedOffsets(ctx context.Context, group, name string, partitions int) ([]int64, error) {
	asked, offsets := make([]int, partitions), make([]int64, partitions)
	for n := range asked {
		asked[n] = n
	}
	response, err := adm.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: group, Topics: map[string][]int{name: asked}})
	if err != nil {
		return nil, err
	}
	for _, each := range response.Topics[name] {
		offsets[each.Partition] = each.CommittedOffset
		err = errors.Join(err, each.Error)
	}
	return offsets, errors.Join(err, response.Error)
}

// kafka-go has no producer of transactions, only its requests: they are made one by one.
func transactions(ctx context.Context) error {
	name, id := "transactions", "segmentio"
	if err := topic(ctx, name, 1); err != nil {
		return err
	}
	for n := range 4 {
		producer, err := adm.InitProducerID(ctx, &kafka.InitProducerIDRequest{TransactionalID: id, TransactionTimeoutMs: 30000})
		if err = errors.Join(err, producer.Error); err != nil {
			return err
		}
		session := producer.Producer
		added, errAdd := adm.AddPartitionsToTxn(ctx, &kafka.AddPartitionsToTxnRequest{TransactionalID: id, ProducerID: session.ProducerID, ProducerEpoch: session.ProducerEpoch,
			Topics: map[string][]kafka.AddPartitionToTxn{name: {{Partition: 0}}}})
		offsets, errOffsets := adm.AddOffsetsToTxn(ctx, &kafka.AddOffsetsToTxnRequest{TransactionalID: id, ProducerID: session.ProducerID, ProducerEpoch: session.ProducerEpoch, GroupID: "txn-group"})
		if err := errors.Join(errAdd, errOffsets); err != nil {
			return err
		}
		committed, errCommit := adm.TxnOffsetCommit(ctx, &kafka.TxnOffsetCommitRequest{TransactionalID: id, GroupID: "txn-group", ProducerID: session.ProducerID, ProducerEpoch: session.ProducerEpoch,
			GenerationID: -1, Topics: map[string][]kafka.TxnOffsetCommit{name: {{Partition: 0, Offset: int64(n + 1)}}}})
		ended, errEnd := adm.EndTxn(ctx, &kafka.EndTxnRequest{TransactionalID: id, ProducerID: session.ProducerID, ProducerEpoch: session.ProducerEpoch, Committed: n%2 == 0})
		if err := errors.Join(errCommit, errEnd); err != nil {
			return err
		}
		if err := errors.Join(added.Topics[name][0].Error, offsets.Error, committed.Topics[name][0].Error, ended.Error); err != nil {
			return err
		}
	}
	offsets, err := committedOffsets(ctx, "txn-group", name, 1)
	return errors.Join(err, same("[3]", offsets))
}

func main() {
	bootstrap = os.Args[1]
	adm = &kafka.Client{Addr: kafka.TCP(bootstrap), Timeout: 20 * time.Second}
	test("all five codecs, keys, headers, timestamps", codecs)
	test("too large, no key in a compacted topic: refused", limits)
	test("a connection to a partition's leader", connection)
	for _, balancer := range []kafka.GroupBalancer{kafka.RangeGroupBalancer{}, kafka.RoundRobinGroupBalancer{}} {
		test("a group with "+balancer.ProtocolName()+": members come and go", group(balancer))
	}
	test("requests of transactions", transactions)
	for _, each := range administration {
		test(each.name, each.run)
	}
	test("ACLs over SCRAM and TLS: each counts at once", acls)
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}
