// SPDX-License-Identifier: Apache-2.0

// Logging in, users and ACLs: as the other cases, against the listener with SCRAM over TLS.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

func login(how sasl.Mechanism, opts ...kgo.Opt) (*kgo.Client, error) {
	pem, err := os.ReadFile(os.Getenv("CA"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(os.Getenv("TLS_BOOTSTRAP")), kgo.DialTLSConfig(&tls.Config{RootCAs: pool}), kgo.SASL(how),
		kgo.RecordRetries(1), kgo.RecordDeliveryTimeout(5 * time.Second), kgo.FetchMaxWait(50 * time.Millisecond)}, opts...)...)
}

// One record by a client of its own.
func sends(ctx context.Context, how sasl.Mechanism, name string, opts ...kgo.Opt) error {
	cl, err := login(how, opts...)
	if err != nil {
		return err
	}
	defer cl.Close()
	return cl.ProduceSync(ctx, &kgo.Record{Topic: name, Value: []byte("secure")}).FirstErr()
}

func secure(ctx context.Context) error {
	if err := topic(ctx, "secure", 1, nil); err != nil {
		return err
	}
	auth := scram.Auth{User: os.Getenv("SPU_USER"), Pass: os.Getenv("SPU_PASSWORD")}
	if err := sends(ctx, auth.AsSha512Mechanism(), "secure"); err != nil {
		return err
	}
	auth.Pass = "wrong"
	if err := logsIn(ctx, auth.AsSha512Mechanism()); !errors.Is(err, kerr.SaslAuthenticationFailed) {
		return fmt.Errorf("with a wrong password: %v", err)
	}
	_, err := read(ctx, "secure", 1)
	return err
}

func logsIn(ctx context.Context, how sasl.Mechanism) error {
	cl, err := login(how)
	if err != nil {
		return err
	}
	defer cl.Close()
	return cl.Ping(ctx)
}

func users(ctx context.Context) error {
	auth := scram.Auth{User: "franz", Pass: "first"}
	altered, err := adm.AlterUserSCRAMs(ctx, nil, []kadm.UpsertSCRAM{
		{User: "franz", Mechanism: kadm.ScramSha256, Iterations: 4096, Password: "first"},
		{User: "franz", Mechanism: kadm.ScramSha512, Iterations: 8192, Password: "first"}})
	if err = errors.Join(err, altered.Error()); err != nil {
		return err
	}
	described, err := adm.DescribeUserSCRAMs(ctx, "franz")
	if err = errors.Join(err, described.Error()); err != nil {
		return err
	}
	if err := same("[SCRAM-SHA-256=iterations=4096 SCRAM-SHA-512=iterations=8192]", fmt.Sprint(described["franz"].CredInfos)); err != nil {
		return err
	}
	if err := errors.Join(logsIn(ctx, auth.AsSha256Mechanism()), logsIn(ctx, auth.AsSha512Mechanism())); err != nil {
		return err
	}
	altered, err = adm.AlterUserSCRAMs(ctx, []kadm.DeleteSCRAM{{User: "franz", Mechanism: kadm.ScramSha256}}, nil)
	if err = errors.Join(err, altered.Error()); err != nil {
		return err
	}
	if err := logsIn(ctx, auth.AsSha256Mechanism()); !errors.Is(err, kerr.SaslAuthenticationFailed) {
		return fmt.Errorf("by what was deleted: %v", err)
	}
	return logsIn(ctx, auth.AsSha512Mechanism())
}

// What a user may not becomes what he may with the ACL, and is refused again without it.
func acls(ctx context.Context) error {
	guest := scram.Auth{User: os.Getenv("GUEST"), Pass: os.Getenv("GUEST_PASSWORD")}.AsSha512Mechanism()
	if err := topic(ctx, "acl-topic", 1, nil); err != nil {
		return err
	}
	write := kadm.NewACLs().Topics("acl-topic").ResourcePatternType(kadm.ACLPatternLiteral).Allow("User:guest").Operations(kadm.OpWrite)
	transact := kadm.NewACLs().TransactionalIDs("acl-").ResourcePatternType(kadm.ACLPatternPrefixed).Allow("User:guest").Operations(kadm.OpWrite)
	group := kadm.NewACLs().Groups("acl-").ResourcePatternType(kadm.ACLPatternPrefixed).Allow("User:guest").Operations(kadm.OpRead)
	consume := kadm.NewACLs().Topics("acl-").ResourcePatternType(kadm.ACLPatternPrefixed).Allow("User:guest").Operations(kadm.OpRead)
	create := func(acl *kadm.ACLBuilder) error {
		created, err := adm.CreateACLs(ctx, acl)
		for _, each := range created {
			err = errors.Join(err, each.Err)
		}
		return errors.Join(err, same(1, len(created)))
	}
	reads := func(group string) error {
		cl, err := login(guest, kgo.ConsumerGroup(group), kgo.ConsumeTopics("acl-topic"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		if err != nil {
			return err
		}
		defer cl.Close()
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		return errors.Join(same("secure", string(fetches.Records()[0].Value)), cl.CommitUncommittedOffsets(ctx))
	}
	if err := errors.Join(refused(sends(ctx, guest, "acl-topic"), kerr.TopicAuthorizationFailed),
		create(write), sends(ctx, guest, "acl-topic"),
		refused(reads("acl-group"), kerr.GroupAuthorizationFailed), create(group), refused(reads("acl-group"), kerr.TopicAuthorizationFailed),
		create(consume), reads("acl-group"), refused(reads("other"), kerr.GroupAuthorizationFailed)); err != nil {
		return err
	}
	if err := errors.Join(transactional(ctx, guest, false), create(transact), transactional(ctx, guest, true)); err != nil {
		return err
	}
	all := kadm.NewACLs().AnyResource().ResourcePatternType(kadm.ACLPatternAny).Allow("User:guest").AllowHosts().Operations(kadm.OpAny)
	described, err := adm.DescribeACLs(ctx, all)
	if err != nil {
		return err
	}
	var lines []string
	for _, result := range described {
		for _, each := range result.Described {
			lines = append(lines, fmt.Sprint(each.Type, " ", each.Name, " ", each.Pattern, " ", each.Principal, " ", each.Host, " ", each.Operation, " ", each.Permission))
		}
	}
	if err := sameSet(lines, "TOPIC acl-topic LITERAL User:guest * WRITE ALLOW", "TOPIC acl- PREFIXED User:guest * READ ALLOW",
		"GROUP acl- PREFIXED User:guest * READ ALLOW", "TRANSACTIONAL_ID acl- PREFIXED User:guest * WRITE ALLOW"); err != nil {
		return err
	}
	deleted, err := adm.DeleteACLs(ctx, all)
	if err != nil {
		return err
	}
	count := 0
	for _, result := range deleted {
		err = errors.Join(err, result.Err)
		count += len(result.Deleted)
	}
	return errors.Join(err, same(4, count), refused(sends(ctx, guest, "acl-topic"), kerr.TopicAuthorizationFailed), transactional(ctx, guest, false))
}

// A transactional id is asked for; whether that is allowed must be as wanted.
func transactional(ctx context.Context, how sasl.Mechanism, allowed bool) error {
	cl, err := login(how)
	if err != nil {
		return err
	}
	defer cl.Close()
	request := kmsg.NewPtrInitProducerIDRequest()
	request.TransactionalID = kmsg.StringPtr("acl-id")
	request.TransactionTimeoutMillis = 10000
	response, err := request.RequestWith(ctx, cl) // fails where its coordinator is not told
	if err == nil {
		err = kerr.ErrorForCode(response.ErrorCode)
	}
	if allowed {
		return err
	}
	return refused(err, kerr.TransactionalIDAuthorizationFailed)
}

func refused(err, wanted error) error {
	if !errors.Is(err, wanted) {
		return fmt.Errorf("wanted %v, got %v", wanted, err)
	}
	return nil
}
