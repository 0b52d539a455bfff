// SPDX-License-Identifier: Apache-2.0

// sarama against an SPU: BOOTSTRAP. Each case speaks the versions of the protocol that belong to one release of Kafka.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

var (
	bootstrap      string
	release        sarama.KafkaVersion
	passed, failed int
)

func test(name string, run func() error) {
	name = fmt.Sprintf("clients_sarama/%s: %s", release, name)
	done := make(chan error, 1)
	go func() { done <- run() }()
	var err error
	select {
	case err = <-done:
	case <-time.After(40 * time.Second):
		err = errors.New("not done in 40 s")
	}
	if err != nil {
		failed++
		fmt.Printf("FAIL %s\n     %v\n", name, err)
		return
	}
	passed++
	fmt.Printf("ok   %s\n", name)
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

func refused(err error, wanted sarama.KError) error {
	if !errors.Is(err, wanted) {
		return fmt.Errorf("wanted %v, got %v", wanted, err)
	}
	return nil
}

// Names of its own for each release.
func own(name string) string { return name + "-" + release.String() }

func config() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = release
	config.ClientID = "sarama-test"
	config.Producer.Return.Successes = true
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.IsolationLevel = sarama.ReadCommitted
	config.Consumer.MaxWaitTime = 50 * time.Millisecond
	config.Consumer.Group.Heartbeat.Interval = 300 * time.Millisecond
	config.Consumer.Group.Session.Timeout = 6 * time.Second
	config.Metadata.AllowAutoTopicCreation = false
	return config
}

func topic(name string, partitions int32, entries map[string]*string) error {
	adm, err := sarama.NewClusterAdmin([]string{bootstrap}, config())
	if err != nil {
		return err
	}
	defer adm.Close()
	return adm.CreateTopic(name, &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1, ConfigEntries: entries}, false)
}

func producer(change func(*sarama.Config)) (sarama.SyncProducer, error) {
	with := config()
	if change != nil {
		change(with)
	}
	return sarama.NewSyncProducer([]string{bootstrap}, with)
}

func numbered(name string, partition int32, from, to int) (messages []*sarama.ProducerMessage) {
	for n := from; n < to; n++ {
		messages = append(messages, &sarama.ProducerMessage{Topic: name, Partition: partition, Key: sarama.StringEncoder(fmt.Sprint("key-", n)), Value: sarama.StringEncoder(fmt.Sprint(n)),
			Timestamp: time.UnixMilli(1700000000000 + int64(n)), Headers: []sarama.RecordHeader{{Key: []byte("h"), Value: []byte("1")}, {Key: []byte("none")}}})
	}
	return messages
}

func read(name string, partition int32, from int64, count int, change func(*sarama.Config)) (got []*sarama.ConsumerMessage, err error) {
	with := config()
	if change != nil {
		change(with)
	}
	consumer, err := sarama.NewConsumer([]string{bootstrap}, with)
	if err != nil {
		return nil, err
	}
	defer consumer.Close()
	one, err := consumer.ConsumePartition(name, partition, from)
	if err != nil {
		return nil, err
	}
	defer one.Close()
	for len(got) < count {
		select {
		case message := <-one.Messages():
			got = append(got, message)
		case <-time.After(20 * time.Second):
			return nil, fmt.Errorf("%d of %d came", len(got), count)
		}
	}
	return got, nil
}

func values(messages []*sarama.ConsumerMessage) string {
	var all []string
	for _, message := range messages {
		all = append(all, string(message.Value))
	}
	return strings.Join(all, ",")
}

func codecs() error {
	for _, codec := range []sarama.CompressionCodec{sarama.CompressionNone, sarama.CompressionGZIP, sarama.CompressionSnappy, sarama.CompressionLZ4, sarama.CompressionZSTD} {
		name := own("codec-" + codec.String())
		if err := topic(name, 1, nil); err != nil {
			return err
		}
		send, err := producer(func(config *sarama.Config) { config.Producer.Compression = codec })
		if err != nil {
			return err
		}
		err = errors.Join(send.SendMessages(numbered(name, 0, 0, 200)), send.Close())
		if err != nil {
			return err
		}
		got, err := read(name, 0, sarama.OffsetOldest, 200, nil)
		if err != nil {
			return err
		}
		for n, message := range got {
			if err := same(fmt.Sprintf("%d key-%d %d %d 2", n, n, n, 1700000000000+n),
				fmt.Sprintf("%d %s %s %d %d", message.Offset, message.Key, message.Value, message.Timestamp.UnixMilli(), len(message.Headers))); err != nil {
				return err
			}
		}
	}
	return nil
}

func limits() error {
	name := own("small")
	size := "20000"
	if err := topic(name, 1, map[string]*string{"max.message.bytes": &size}); err != nil {
		return err
	}
	send, err := producer(nil)
	if err != nil {
		return err
	}
	defer send.Close()
	_, _, err = send.SendMessage(&sarama.ProducerMessage{Topic: name, Value: sarama.StringEncoder(strings.Repeat("x", 50000))})
	return refused(err, sarama.ErrMessageSizeTooLarge)
}

func idempotent(config *sarama.Config) {
	config.Producer.Idempotent = true
	config.Net.MaxOpenRequests = 1
}

func exactlyOnce() error {
	name := own("idempotent")
	if err := topic(name, 1, nil); err != nil {
		return err
	}
	send, err := producer(idempotent)
	if err != nil {
		return err
	}
	defer send.Close()
	for n := 0; n < 1000; n += 50 {
		if err := send.SendMessages(numbered(name, 0, n, n+50)); err != nil {
			return err
		}
	}
	got, err := read(name, 0, sarama.OffsetOldest, 1000, nil)
	if err != nil {
		return err
	}
	return same("999 999", fmt.Sprint(got[999].Offset, " ", string(got[999].Value)))
}

// Transactions that end either way, with the offsets of what was read in them.
func transactions() error {
	source, target, group := own("txn-source"), own("txn-target"), own("txn-group")
	if err := errors.Join(topic(source, 1, nil), topic(target, 1, nil)); err != nil {
		return err
	}
	send, err := producer(nil)
	if err != nil {
		return err
	}
	if err := errors.Join(send.SendMessages(numbered(source, 0, 0, 6)), send.Close()); err != nil {
		return err
	}
	got, err := read(source, 0, sarama.OffsetOldest, 6, nil)
	if err != nil {
		return err
	}
	within, err := producer(func(config *sarama.Config) {
		idempotent(config)
		config.Producer.Transaction.ID = own("sarama")
	})
	if err != nil {
		return err
	}
	defer within.Close()
	for n, message := range got {
		end := within.CommitTxn
		if n%2 == 1 {
			end = within.AbortTxn
		}
		if err := errors.Join(within.BeginTxn(), within.SendMessages(numbered(target, 0, n, n+1)), within.AddMessageToTxn(message, group, nil), end()); err != nil {
			return fmt.Errorf("transaction %d: %w", n, err)
		}
	}
	committed, err := read(target, 0, sarama.OffsetOldest, 3, nil)
	if err != nil {
		return err
	}
	all, err := read(target, 0, sarama.OffsetOldest, 6, func(config *sarama.Config) { config.Consumer.IsolationLevel = sarama.ReadUncommitted })
	if err != nil {
		return err
	}
	offsets, err := committedOffsets(group, source)
	return errors.Join(err, same("0,2,4", values(committed)), same("0,1,2,3,4,5", values(all)), same("[5]", offsets))
}

func committedOffsets(group, name string) (offsets []int64, err error) {
	adm, err := sarama.NewClusterAdmin([]string{bootstrap}, config())
	if err != nil {
		return nil, err
	}
	defer adm.Close()
	response, err := adm.ListConsumerGroupOffsets(group, nil)
	if err != nil {
		return nil, err
	}
	for partition := int32(0); response.GetBlock(name, partition) != nil; partition++ {
		offsets = append(offsets, response.GetBlock(name, partition).Offset)
	}
	return offsets, nil
}

type member struct {
	group  sarama.ConsumerGroup
	cancel context.CancelFunc
	done   chan struct{}
	mu     sync.Mutex
	places map[int32]bool
	seen   []string
}

func (m *member) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (m *member) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (m *member) owns(place int32, owned bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if delete(m.places, place); owned {
		m.places[place] = true
	}
}

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	m.owns(claim.Partition(), true)
	defer m.owns(claim.Partition(), false)
	for {
		select {
		case message, ok := <-claim.Messages():
			if !ok {
				return nil
			}
			m.mu.Lock()
			m.seen = append(m.seen, string(message.Value))
			m.mu.Unlock()
			session.MarkMessage(message, "")
			session.Commit()
		case <-session.Context().Done():
			return nil
		}
	}
}

func join(group, name string, change func(*sarama.Config)) (*member, error) {
	with := config()
	with.Consumer.Offsets.AutoCommit.Enable = false
	if change != nil {
		change(with)
	}
	client, err := sarama.NewConsumerGroup([]string{bootstrap}, group, with)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	m := &member{group: client, cancel: cancel, done: make(chan struct{}), places: map[int32]bool{}}
	go func() {
		defer close(m.done)
		for ctx.Err() == nil {
			_ = client.Consume(ctx, []string{name}, m) // ends with each generation
		}
	}()
	return m, nil
}

func (m *member) leave() error {
	m.cancel()
	<-m.done
	return m.group.Close()
}

func waitFor(what string, holds func() bool) error {
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			return errors.New("waited in vain until " + what)
		}
	}
	return nil
}

func shared(members []*member, partitions int) func() bool {
	return func() bool {
		all, sum := map[int32]bool{}, 0
		for _, m := range members {
			m.mu.Lock()
			sum += len(m.places)
			empty := len(m.places) == 0
			for place := range m.places {
				all[place] = true
			}
			m.mu.Unlock()
			if empty {
				return false
			}
		}
		return sum == partitions && len(all) == partitions
	}
}

func seen(members []*member) (all []string) {
	for _, m := range members {
		m.mu.Lock()
		all = append(all, m.seen...)
		m.mu.Unlock()
	}
	sort.Strings(all)
	return all
}

func group(strategy sarama.BalanceStrategy) func() error {
	return func() error {
		name := own("group-" + strategy.Name())
		if err := topic(name, 4, nil); err != nil {
			return err
		}
		balanced := func(config *sarama.Config) {
			config.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{strategy}
		}
		one, errOne := join(name, name, balanced)
		two, errTwo := join(name, name, balanced)
		if err := errors.Join(errOne, errTwo); err != nil {
			return err
		}
		if err := waitFor("two share", shared([]*member{one, two}, 4)); err != nil {
			return err
		}
		if err := one.leave(); err != nil {
			return err
		}
		if err := waitFor("one has all", shared([]*member{two}, 4)); err != nil {
			return err
		}
		send, err := producer(nil)
		if err != nil {
			return err
		}
		var messages []*sarama.ProducerMessage
		for partition := range int32(4) {
			messages = append(messages, numbered(name, partition, int(partition)*50, int(partition)*50+50)...)
		}
		if err := errors.Join(send.SendMessages(messages), send.Close(), waitFor("all are read", func() bool { return len(seen([]*member{two})) >= 200 }), two.leave()); err != nil {
			return err
		}
		offsets, err := committedOffsets(name, name)
		return errors.Join(err, same(200, len(seen([]*member{two}))), same("[50 50 50 50]", offsets))
	}
}

func main() {
	bootstrap = os.Args[1]
	for _, each := range []sarama.KafkaVersion{sarama.V2_1_0_0, sarama.V2_8_0_0, sarama.V4_1_0_0} {
		release = each
		test("all five codecs, keys, headers, timestamps", codecs)
		test("too large: refused", limits)
		test("idempotent producer", exactlyOnce)
		test("transactions with offsets, committed and aborted", transactions)
		for _, strategy := range []sarama.BalanceStrategy{sarama.NewBalanceStrategyRange(), sarama.NewBalanceStrategySticky(), sarama.NewBalanceStrategyRoundRobin()} {
			test("a group with "+strategy.Name()+": members come and go", group(strategy))
		}
		for _, each := range console {
			test(each.name, each.run)
		}
		if release.IsAtLeast(sarama.V2_8_0_0) {
			for _, each := range consoleLater {
				test(each.name, each.run)
			}
		}
		test("ACLs over SCRAM and TLS: each counts at once", acls)
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}
