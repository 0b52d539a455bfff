// SPDX-License-Identifier: Apache-2.0

// franz-go against an SPU: BOOTSTRAP.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

var (
	bootstrap      string
	adm            *kadm.Client
	passed, failed int
)

func test(name string, run func(ctx context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	if err := run(ctx); err != nil {
		failed++
		fmt.Printf("FAIL clients_go/%s\n     %v\n", name, err)
		return
	}
	passed++
	fmt.Printf("ok   clients_go/%s\n", name)
}

func same(wanted, got any) error {
	if w, g := fmt.Sprint(wanted), fmt.Sprint(got); w != g {
		return fmt.Errorf("wanted %.300s, got %.300s", w, g)
	}
	return nil
}

// The same lines in any order.
func sameSet(got []string, wanted ...string) error {
	sort.Strings(got)
	sort.Strings(wanted)
	return same(strings.Join(wanted, "\n"), strings.Join(got, "\n"))
}

func client(opts ...kgo.Opt) *kgo.Client {
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(bootstrap), kgo.FetchMaxWait(50 * time.Millisecond)}, opts...)...)
	if err != nil {
		panic(err)
	}
	return cl
}

func topic(ctx context.Context, name string, partitions int32, configs map[string]*string) error {
	_, err := adm.CreateTopic(ctx, partitions, 1, configs, name)
	return err
}

func read(ctx context.Context, name string, count int, opts ...kgo.Opt) ([]*kgo.Record, error) {
	cl := client(append([]kgo.Opt{kgo.ConsumeTopics(name), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted())}, opts...)...)
	defer cl.Close()
	var records []*kgo.Record
	for len(records) < count {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return nil, fmt.Errorf("%d of %d: %w", len(records), count, err)
		}
		records = append(records, fetches.Records()...)
	}
	return records, same(count, len(records))
}

func values(records []*kgo.Record) string {
	var all []string
	for _, record := range records {
		all = append(all, string(record.Value))
	}
	return strings.Join(all, ",")
}

func numbers(ctx context.Context, cl *kgo.Client, name string, from, to int) error {
	var records []*kgo.Record
	for n := from; n < to; n++ {
		records = append(records, &kgo.Record{Topic: name, Value: []byte(fmt.Sprint(n))})
	}
	return cl.ProduceSync(ctx, records...).FirstErr()
}

func codecs(ctx context.Context) error {
	for number, codec := range []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()} {
		name := fmt.Sprintf("codec-%d", number)
		if err := topic(ctx, name, 1, nil); err != nil {
			return err
		}
		cl := client(kgo.ProducerBatchCompression(codec))
		var records []*kgo.Record
		for n := range 200 {
			records = append(records, &kgo.Record{Topic: name, Key: []byte(fmt.Sprint(n)), Value: []byte(strings.Repeat(fmt.Sprintf("value %d ", n), 20)),
				Timestamp: time.UnixMilli(1700000000000 + int64(n)), Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("1")}, {Key: "none"}}})
		}
		err := cl.ProduceSync(ctx, records...).FirstErr()
		cl.Close()
		if err != nil {
			return err
		}
		got, err := read(ctx, name, 200)
		if err != nil {
			return err
		}
		for n, record := range got {
			wanted := fmt.Sprintf("%d %d %d %s 2", n, n, 1700000000000+n, strings.Repeat(fmt.Sprintf("value %d ", n), 20))
			if err := same(wanted, fmt.Sprintf("%d %s %d %s %d", record.Offset, record.Key, record.Timestamp.UnixMilli(), record.Value, len(record.Headers))); err != nil {
				return err
			}
		}
	}
	return nil
}

func limits(ctx context.Context) error {
	if err := errors.Join(topic(ctx, "small", 1, map[string]*string{"max.message.bytes": kadm.StringPtr("20000")}),
		topic(ctx, "compacted", 1, map[string]*string{"cleanup.policy": kadm.StringPtr("compact")})); err != nil {
		return err
	}
	cl := client(kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.RecordRetries(1))
	defer cl.Close()
	err := cl.ProduceSync(ctx, &kgo.Record{Topic: "small", Value: bytes.Repeat([]byte("x"), 50000)}).FirstErr()
	if !errors.Is(err, kerr.MessageTooLarge) {
		return fmt.Errorf("too large: %v", err)
	}
	if err := cl.ProduceSync(ctx, &kgo.Record{Topic: "compacted", Key: []byte("key")}).FirstErr(); err != nil {
		return err
	}
	err = cl.ProduceSync(ctx, &kgo.Record{Topic: "compacted", Value: []byte("no key")}).FirstErr()
	if !errors.Is(err, kerr.InvalidRecord) {
		return fmt.Errorf("no key: %v", err)
	}
	return nil
}

// By default franz-go's producers are idempotent.
func idempotent(ctx context.Context) error {
	if err := topic(ctx, "idempotent", 1, nil); err != nil {
		return err
	}
	cl := client()
	defer cl.Close()
	for n := range 20 {
		if err := numbers(ctx, cl, "idempotent", n*50, n*50+50); err != nil {
			return err
		}
	}
	got, err := read(ctx, "idempotent", 1000)
	for n, record := range got {
		if string(record.Value) != fmt.Sprint(n) {
			return fmt.Errorf("%d holds %s", n, record.Value)
		}
	}
	return err
}

func transactions(ctx context.Context) error {
	if err := topic(ctx, "transactions", 1, nil); err != nil {
		return err
	}
	cl := client(kgo.TransactionalID("franz"))
	defer cl.Close()
	for n := range 6 {
		if err := cl.BeginTransaction(); err != nil {
			return err
		}
		if err := numbers(ctx, cl, "transactions", n, n+1); err != nil {
			return err
		}
		if err := cl.EndTransaction(ctx, kgo.TransactionEndTry(n%2 == 0)); err != nil {
			return err
		}
	}
	got, err := read(ctx, "transactions", 3)
	if err != nil {
		return err
	}
	if err := same("0,2,4", values(got)); err != nil {
		return err
	}
	_, err = read(ctx, "transactions", 6, kgo.FetchIsolationLevel(kgo.ReadUncommitted()))
	return err
}

// Consume, transform, produce with a group session; half of the transactions are aborted and their records come again.
func session(ctx context.Context) error {
	if err := errors.Join(topic(ctx, "source", 3, nil), topic(ctx, "target", 3, nil)); err != nil {
		return err
	}
	cl := client(kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	err := numbers(ctx, cl, "source", 0, 300)
	cl.Close()
	if err != nil {
		return err
	}
	done := 0
	for turn := 0; done < 300; turn++ {
		sess, err := kgo.NewGroupTransactSession(kgo.SeedBrokers(bootstrap), kgo.TransactionalID("franz-copier"), kgo.ConsumerGroup("franz-copier"),
			kgo.ConsumeTopics("source"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
			kgo.RequireStableFetchOffsets(), kgo.FetchMaxWait(50*time.Millisecond))
		if err != nil {
			return err
		}
		for step := 0; done < 300 && step < 4; step++ {
			fetches := sess.PollRecords(ctx, 30)
			if err := fetches.Err0(); err != nil {
				sess.Close()
				return err
			}
			if err := sess.Begin(); err != nil {
				sess.Close()
				return err
			}
			commit := (turn+step)%2 == 0
			fetches.EachRecord(func(record *kgo.Record) {
				sess.Produce(ctx, &kgo.Record{Topic: "target", Value: record.Value}, nil)
			})
			committed, err := sess.End(ctx, kgo.TransactionEndTry(commit))
			if err != nil {
				sess.Close()
				return err
			}
			if committed {
				done += fetches.NumRecords()
			}
		}
		sess.Close()
	}
	got, err := read(ctx, "target", 300)
	if err != nil {
		return err
	}
	all := map[string]bool{}
	for _, record := range got {
		all[string(record.Value)] = true
	}
	return same(300, len(all))
}

// How many bytes of fetches have come in.
type fetched struct{ bytes atomic.Int64 }

func (f *fetched) OnBrokerRead(_ kgo.BrokerMetadata, key int16, n int, _, _ time.Duration, _ error) {
	if key == 1 {
		f.bytes.Add(int64(n))
	}
}

// A partition that is paused leaves the fetch session: what waits in it is not sent again and again.
func paused(ctx context.Context) error {
	if err := topic(ctx, "paused", 2, nil); err != nil {
		return err
	}
	producer := client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer producer.Close()
	send := func(partition int32, value []byte) error {
		return producer.ProduceSync(ctx, &kgo.Record{Topic: "paused", Partition: partition, Value: value}).FirstErr()
	}
	seen := &fetched{}
	cl := client(kgo.WithHooks(seen), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{
		"paused": {0: kgo.NewOffset().AtStart(), 1: kgo.NewOffset().AtStart()}}))
	defer cl.Close()
	take := func(count int) error {
		for got := 0; got < count; {
			fetches := cl.PollFetches(ctx)
			if err := errors.Join(fetches.Err(), ctx.Err()); err != nil {
				return err
			}
			got += fetches.NumRecords()
		}
		return nil
	}
	if err := errors.Join(send(0, []byte("a")), send(1, []byte("b")), take(2)); err != nil {
		return err
	}
	cl.PauseFetchPartitions(map[string][]int32{"paused": {1}})
	// One that was on its way may still bring the partition's news.
	const waits = 300_000
	if err := errors.Join(send(0, []byte("c")), take(1), send(0, []byte("d")), take(1), send(1, make([]byte, waits))); err != nil {
		return err
	}
	before := seen.bytes.Load()
	for index := 0; index < 20; index++ {
		if err := errors.Join(send(0, []byte("e")), take(1)); err != nil {
			return err
		}
	}
	if more := seen.bytes.Load() - before; more > waits {
		return fmt.Errorf("%d bytes were fetched beside 20 small records", more)
	}
	cl.ResumeFetchPartitions(map[string][]int32{"paused": {1}})
	return take(1)
}

type member struct {
	cl     *kgo.Client
	cancel context.CancelFunc
	done   chan struct{}
	mu     sync.Mutex
	places map[int32]bool
	seen   []string
}

func join(ctx context.Context, group, name string, opts ...kgo.Opt) *member {
	m := &member{places: map[int32]bool{}, done: make(chan struct{})}
	change := func(to bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, what map[string][]int32) {
			m.mu.Lock()
			defer m.mu.Unlock()
			for _, partition := range what[name] {
				if delete(m.places, partition); to {
					m.places[partition] = true
				}
			}
		}
	}
	m.cl = client(append([]kgo.Opt{kgo.ConsumerGroup(group), kgo.ConsumeTopics(name), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.HeartbeatInterval(300 * time.Millisecond), kgo.SessionTimeout(6 * time.Second),
		kgo.OnPartitionsAssigned(change(true)), kgo.OnPartitionsRevoked(change(false)), kgo.OnPartitionsLost(change(false))}, opts...)...)
	inner, cancel := context.WithCancel(ctx)
	m.cancel = cancel
	go func() {
		defer close(m.done)
		for inner.Err() == nil {
			fetches := m.cl.PollFetches(inner)
			m.mu.Lock()
			fetches.EachRecord(func(record *kgo.Record) { m.seen = append(m.seen, string(record.Value)) })
			m.mu.Unlock()
		}
	}()
	return m
}

func (m *member) leave() {
	m.cancel()
	<-m.done
	m.cl.Close()
}

func waitFor(ctx context.Context, holds func() bool) error {
	for !holds() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

func shared(members []*member, partitions int) func() bool {
	return func() bool {
		all, sum := map[int32]bool{}, 0
		for _, m := range members {
			m.mu.Lock()
			empty := len(m.places) == 0
			for place := range m.places {
				all[place] = true
				sum++
			}
			m.mu.Unlock()
			if empty {
				return false
			}
		}
		return sum == partitions && len(all) == partitions
	}
}

func group(balancer kgo.GroupBalancer) func(context.Context) error {
	return func(ctx context.Context) error {
		name := "group-" + balancer.ProtocolName()
		if err := topic(ctx, name, 6, nil); err != nil {
			return err
		}
		var members []*member
		for range 3 {
			members = append(members, join(ctx, name, name, kgo.Balancers(balancer)))
		}
		if err := waitFor(ctx, shared(members, 6)); err != nil {
			return err
		}
		members[0].leave()
		members = append(members[1:], join(ctx, name, name, kgo.Balancers(balancer)), join(ctx, name, name, kgo.Balancers(balancer)))
		members[0].leave()
		members = members[1:]
		if err := waitFor(ctx, shared(members, 6)); err != nil {
			return fmt.Errorf("the second time: %w", err)
		}
		cl := client(kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
		err := numbers(ctx, cl, name, 0, 600)
		cl.Close()
		if err != nil {
			return err
		}
		seen := func() (all []string) {
			for _, m := range members {
				m.mu.Lock()
				all = append(all, m.seen...)
				m.mu.Unlock()
			}
			return all
		}
		if err := waitFor(ctx, func() bool { return len(seen()) >= 600 }); err != nil {
			return err
		}
		all := seen()
		sort.Strings(all)
		for n := 1; n < len(all); n++ {
			if all[n] == all[n-1] {
				return fmt.Errorf("%s was read twice", all[n])
			}
		}
		described, err := adm.DescribeGroups(ctx, name)
		if err != nil {
			return err
		}
		if err := same("Stable 3", fmt.Sprint(described[name].State, " ", len(described[name].Members))); err != nil {
			return err
		}
		for _, m := range members {
			m.leave()
		}
		return nil
	}
}

func static(ctx context.Context) error {
	if err := topic(ctx, "static", 4, nil); err != nil {
		return err
	}
	one, two := join(ctx, "static", "static", kgo.InstanceID("one")), join(ctx, "static", "static", kgo.InstanceID("two"))
	if err := waitFor(ctx, shared([]*member{one, two}, 4)); err != nil {
		return err
	}
	had := fmt.Sprint(one.places)
	one.leave()
	one = join(ctx, "static", "static", kgo.InstanceID("one"))
	if err := waitFor(ctx, shared([]*member{one, two}, 4)); err != nil {
		return err
	}
	err := same(had, fmt.Sprint(one.places))
	one.leave()
	two.leave()
	return err
}

func resume(ctx context.Context) error {
	if err := topic(ctx, "resume", 1, nil); err != nil {
		return err
	}
	cl := client()
	err := numbers(ctx, cl, "resume", 0, 20)
	cl.Close()
	for turn := 0; turn < 2 && err == nil; turn++ {
		cl := client(kgo.ConsumerGroup("resume"), kgo.ConsumeTopics("resume"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit())
		var got []*kgo.Record
		for len(got) < 10 && ctx.Err() == nil {
			got = append(got, cl.PollRecords(ctx, 10-len(got)).Records()...)
		}
		if err = same(10, len(got)); err == nil {
			err = same(fmt.Sprint(turn*10), string(got[0].Value))
		}
		err = errors.Join(err, cl.CommitRecords(ctx, got...))
		cl.Close()
	}
	return err
}

func main() {
	bootstrap = os.Args[1]
	cl := client()
	adm = kadm.NewClient(cl)
	test("all five codecs, keys, headers, timestamps", codecs)
	test("too large, no key in a compacted topic: refused", limits)
	test("idempotent producer", idempotent)
	test("transactions", transactions)
	test("consume, transform, produce in a group session", session)
	for _, balancer := range []kgo.GroupBalancer{kgo.RangeBalancer(), kgo.StickyBalancer(), kgo.CooperativeStickyBalancer()} {
		test("a group with "+balancer.ProtocolName()+": members come and go at once", group(balancer))
	}
	test("a static member comes back to what it had", static)
	test("commit and resume", resume)
	test("a partition that is paused leaves the fetch session", paused)
	test("administration", administration)
	for _, each := range console {
		test("as a console asks: "+each.name, each.run)
	}
	test("SCRAM-SHA-512 over TLS, a wrong password is refused", secure)
	test("users by SCRAM credentials: made, shown, deleted", users)
	test("ACLs: created, described, deleted, and each counts at once", acls)
	cl.Close()
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}
