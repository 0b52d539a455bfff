// SPDX-License-Identifier: Apache-2.0

// Logging in, and ACLs: against the listener with SCRAM over TLS.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/IBM/sarama"
	"github.com/xdg-go/scram"
)

// sarama leaves the arithmetic of SCRAM to its user.
type conversation struct{ *scram.ClientConversation }

func (c *conversation) Begin(user, password, authzID string) error {
	client, err := scram.SHA512.NewClient(user, password, authzID)
	if err == nil {
		c.ClientConversation = client.NewConversation()
	}
	return err
}

func login(user, password string) (*sarama.Config, error) {
	pem, err := os.ReadFile(os.Getenv("CA"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	with := config()
	with.Net.TLS.Enable = true
	with.Net.TLS.Config = &tls.Config{RootCAs: pool}
	with.Net.SASL.Enable = true
	with.Net.SASL.Mechanism = sarama.SASLTypeSCRAMSHA512
	with.Net.SASL.User, with.Net.SASL.Password = user, password
	with.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &conversation{} }
	with.Metadata.Retry.Max = 0
	with.Producer.Retry.Max = 0
	return with, nil
}

func logsIn(user, password string) error {
	with, err := login(user, password)
	if err != nil {
		return err
	}
	client, err := sarama.NewClient([]string{os.Getenv("TLS_BOOTSTRAP")}, with)
	if err != nil {
		return err
	}
	return client.Close()
}

// One record by a client of its own.
func sends(user, password, name string) error {
	with, err := login(user, password)
	if err != nil {
		return err
	}
	send, err := sarama.NewSyncProducer([]string{os.Getenv("TLS_BOOTSTRAP")}, with)
	if err != nil {
		return err
	}
	defer send.Close()
	_, _, err = send.SendMessage(&sarama.ProducerMessage{Topic: name, Value: sarama.StringEncoder("secure")})
	return err
}

func acls() error {
	name, guest, password := own("acl"), os.Getenv("GUEST"), os.Getenv("GUEST_PASSWORD")
	with, err := login(os.Getenv("SPU_USER"), os.Getenv("SPU_PASSWORD"))
	if err != nil {
		return err
	}
	adm, err := sarama.NewClusterAdmin([]string{os.Getenv("TLS_BOOTSTRAP")}, with)
	if err != nil {
		return err
	}
	defer adm.Close()
	principal, all := "User:"+guest, "*"
	grant := []*sarama.ResourceAcls{
		{Resource: sarama.Resource{ResourceType: sarama.AclResourceTopic, ResourceName: name, ResourcePatternType: sarama.AclPatternLiteral},
			Acls: []*sarama.Acl{{Principal: principal, Host: all, Operation: sarama.AclOperationWrite, PermissionType: sarama.AclPermissionAllow}}},
		{Resource: sarama.Resource{ResourceType: sarama.AclResourceGroup, ResourceName: "acl-", ResourcePatternType: sarama.AclPatternPrefixed},
			Acls: []*sarama.Acl{{Principal: principal, Host: all, Operation: sarama.AclOperationRead, PermissionType: sarama.AclPermissionDeny}}}}
	if err := errors.Join(topic(name, 1, nil), sends(os.Getenv("SPU_USER"), os.Getenv("SPU_PASSWORD"), name), refused(logsIn(guest, "wrong"), sarama.ErrSASLAuthenticationFailed),
		refused(sends(guest, password, name), sarama.ErrTopicAuthorizationFailed), adm.CreateACLs(grant), sends(guest, password, name)); err != nil {
		return err
	}
	filter := sarama.AclFilter{ResourceType: sarama.AclResourceAny, ResourcePatternTypeFilter: sarama.AclPatternAny, Principal: &principal,
		Operation: sarama.AclOperationAny, PermissionType: sarama.AclPermissionAny}
	listed, err := adm.ListAcls(filter)
	if err != nil {
		return err
	}
	var lines []string
	for _, each := range listed {
		for _, acl := range each.Acls {
			lines = append(lines, fmt.Sprintf("%s %s %s %s %s %s %s", &each.ResourceType, each.ResourceName, &each.ResourcePatternType, acl.Principal, acl.Host, &acl.Operation, &acl.PermissionType))
		}
	}
	if err := sameSet(lines, "Topic "+name+" Literal User:guest * Write Allow", "Group acl- Prefixed User:guest * Read Deny"); err != nil {
		return err
	}
	deleted, err := adm.DeleteACL(filter, false)
	left, errLeft := adm.ListAcls(filter)
	return errors.Join(err, errLeft, same("2 0", fmt.Sprint(len(deleted), " ", len(left))), refused(sends(guest, password, name), sarama.ErrTopicAuthorizationFailed))
}
