// SPDX-License-Identifier: Apache-2.0
// Apache Kafka's own client: logging in, users and ACLs, against the listener with SCRAM over TLS. Part of ClientsJava.

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.*;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.resource.*;

class ClientsJavaAccess {
    static final String USER = System.getenv("SPU_USER"), PASSWORD = System.getenv("SPU_PASSWORD");
    static final String GUEST = System.getenv("GUEST"), GUEST_PASSWORD = System.getenv("GUEST_PASSWORD");

    static void run() {
        ClientsJava.test("SCRAM-SHA-256 and SCRAM-SHA-512 over TLS, a wrong password is refused", ClientsJavaAccess::logins);
        ClientsJava.test("over TLS: a group, transactions with its offsets", ClientsJavaAccess::secure);
        ClientsJava.test("users by SCRAM credentials: made, shown, deleted", ClientsJavaAccess::users);
        ClientsJava.test("ACLs: created, described, deleted, and each counts at once", ClientsJavaAccess::acls);
        ClientsJava.test("a denial comes before what is allowed, transactional ids have ACLs, too", ClientsJavaAccess::denials);
        ClientsJava.test("what a user may do is shown", ClientsJavaAccess::operations);
    }

    /* Settings of a client that logs in, and more. */
    static String[] login(String mechanism, String user, String password, String... more) {
        return Stream.concat(Stream.of("bootstrap.servers", System.getenv("TLS_BOOTSTRAP"), "security.protocol", "SASL_SSL",
            "ssl.truststore.type", "PEM", "ssl.truststore.location", System.getenv("CA"), "sasl.mechanism", mechanism, "sasl.jaas.config",
            "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"" + user + "\" password=\"" + password + "\";",
            "max.block.ms", "20000"), Stream.of(more)).toArray(String[]::new);
    }

    static String[] tester(String... more) {
        return login("SCRAM-SHA-512", USER, PASSWORD, more);
    }

    static String[] guest(String... more) {
        return login("SCRAM-SHA-512", GUEST, GUEST_PASSWORD, more);
    }

    static void logsIn(String mechanism, String user, String password) throws Exception {
        try (var admin = Admin.create(ClientsJava.properties(login(mechanism, user, password)))) {
            ClientsJava.same(1, admin.describeCluster().nodes().get().size());
        }
    }

    static void logins() throws Exception {
        logsIn("SCRAM-SHA-256", USER, PASSWORD);
        logsIn("SCRAM-SHA-512", USER, PASSWORD);
        ClientsJava.refused(SaslAuthenticationException.class, () -> logsIn("SCRAM-SHA-512", USER, "wrong"));
        ClientsJava.refused(SaslAuthenticationException.class, () -> logsIn("SCRAM-SHA-256", "nobody", PASSWORD));
    }

    static void secure() throws Exception {
        String source = ClientsJava.topic("secure-source", 2), target = ClientsJava.topic("secure-target", 1);
        try (var producer = ClientsJava.producer(tester("compression.type", "zstd"))) {
            for (int number = 0; number < 500; number++) {
                producer.send(new ProducerRecord<>(source, "" + number, "" + number));
            }
        }
        try (var producer = ClientsJava.producer(tester("transactional.id", "secure"));
                var consumer = ClientsJava.consumer(tester("group.id", "secure"))) {
            Set<String> got = new HashSet<>();
            producer.initTransactions();
            consumer.subscribe(List.of(source));
            ClientsJava.waitFor(() -> {
                producer.beginTransaction();
                consumer.poll(Duration.ofMillis(100)).forEach(record -> {
                    got.add(record.value());
                    producer.send(new ProducerRecord<>(target, record.value()));
                });
                Map<TopicPartition, OffsetAndMetadata> places = consumer.assignment().stream()
                    .collect(Collectors.toMap(place -> place, place -> new OffsetAndMetadata(consumer.position(place))));
                producer.sendOffsetsToTransaction(places, consumer.groupMetadata());
                producer.commitTransaction();
                return got.size() == 500;
            });
            long sum = consumer.committed(consumer.assignment()).values().stream().mapToLong(OffsetAndMetadata::offset).sum();
            ClientsJava.same(500L, sum);
        }
        ClientsJava.same(500, new TreeSet<>(ClientsJava.values(target, 500, tester())).size());
    }

    static void users() throws Exception {
        var weak = new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096);
        var strong = new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 8192);
        ClientsJava.admin.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion("java", weak, "java-secret"),
            new UserScramCredentialUpsertion("java", strong, "java-secret"))).all().get();
        var shown = ClientsJava.admin.describeUserScramCredentials(List.of("java")).description("java").get();
        ClientsJava.same(Set.of(weak, strong), Set.copyOf(shown.credentialInfos()));
        logsIn("SCRAM-SHA-256", "java", "java-secret");
        logsIn("SCRAM-SHA-512", "java", "java-secret");
        ClientsJava.admin.alterUserScramCredentials(List.of(new UserScramCredentialDeletion("java", ScramMechanism.SCRAM_SHA_256))).all().get();
        ClientsJava.refused(SaslAuthenticationException.class, () -> logsIn("SCRAM-SHA-256", "java", "java-secret"));
        logsIn("SCRAM-SHA-512", "java", "java-secret");
        ClientsJava.refused(ResourceNotFoundException.class, () -> ClientsJava.admin.alterUserScramCredentials(
            List.of(new UserScramCredentialDeletion("java", ScramMechanism.SCRAM_SHA_256))).all().get());
        ClientsJava.refused(UnacceptableCredentialException.class, () -> ClientsJava.admin.alterUserScramCredentials(List.of(
            new UserScramCredentialUpsertion("java", new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 100), "java-secret"))).all().get());
        ClientsJava.same(true, ClientsJava.admin.describeUserScramCredentials().users().get().contains("java"));
    }

    static AclBinding acl(AclPermissionType type, ResourceType resource, String name, PatternType pattern, AclOperation operation) {
        return new AclBinding(new ResourcePattern(resource, name, pattern), new AccessControlEntry("User:" + GUEST, "*", operation, type));
    }

    static AclBinding allow(ResourceType resource, String name, PatternType pattern, AclOperation operation) {
        return acl(AclPermissionType.ALLOW, resource, name, pattern, operation);
    }

    static final AclBindingFilter OF_GUEST = new AclBindingFilter(ResourcePatternFilter.ANY,
        new AccessControlEntryFilter("User:" + GUEST, null, AclOperation.ANY, AclPermissionType.ANY));

    static void create(AclBinding... acls) throws Exception {
        ClientsJava.admin.createAcls(List.of(acls)).all().get();
    }

    static void deleteAll(AclBinding... acls) throws Exception {
        ClientsJava.same(Set.of(acls), Set.copyOf(ClientsJava.admin.describeAcls(OF_GUEST).values().get()));
        ClientsJava.same(Set.of(acls), Set.copyOf(ClientsJava.admin.deleteAcls(List.of(OF_GUEST)).all().get()));
        ClientsJava.same(0, ClientsJava.admin.describeAcls(OF_GUEST).values().get().size());
    }

    static List<String> readsInGroup(String topic, String group) throws Exception {
        List<String> got = new ArrayList<>();
        try (var consumer = ClientsJava.consumer(guest("group.id", group))) {
            consumer.subscribe(List.of(topic));
            ClientsJava.waitFor(() -> {
                consumer.poll(Duration.ofMillis(100)).forEach(record -> got.add(record.value()));
                return !got.isEmpty();
            });
            consumer.commitSync();
        }
        return got;
    }

    /* The clients live on while what they may changes. */
    static void acls() throws Exception {
        String topic = ClientsJava.topic("acl-topic", 1);
        AclBinding write = allow(ResourceType.TOPIC, topic, PatternType.LITERAL, AclOperation.WRITE);
        AclBinding read = allow(ResourceType.TOPIC, "acl-", PatternType.PREFIXED, AclOperation.READ);
        AclBinding group = allow(ResourceType.GROUP, "acl-", PatternType.PREFIXED, AclOperation.READ);
        try (var producer = ClientsJava.producer(guest("enable.idempotence", "false"))) {
            ClientsJava.Test sends = () -> producer.send(new ProducerRecord<>(topic, "guest")).get();
            ClientsJava.refused(TopicAuthorizationException.class, sends);
            create(write);
            sends.run();
            ClientsJava.refused(GroupAuthorizationException.class, () -> readsInGroup(topic, "acl-group"));
            create(group);
            ClientsJava.refused(TopicAuthorizationException.class, () -> readsInGroup(topic, "acl-group"));
            create(read);
            ClientsJava.same(List.of("guest"), readsInGroup(topic, "acl-group"));
            ClientsJava.refused(GroupAuthorizationException.class, () -> readsInGroup(topic, "other"));
            deleteAll(write, read, group);
            ClientsJava.refused(TopicAuthorizationException.class, sends);
        }
    }

    static void denials() throws Exception {
        String topic = ClientsJava.topic("acl-denied", 1);
        AclBinding write = allow(ResourceType.TOPIC, "*", PatternType.LITERAL, AclOperation.WRITE);
        AclBinding deny = acl(AclPermissionType.DENY, ResourceType.TOPIC, "acl-", PatternType.PREFIXED, AclOperation.WRITE);
        AclBinding id = allow(ResourceType.TRANSACTIONAL_ID, "acl-id", PatternType.LITERAL, AclOperation.WRITE);
        create(write);
        try (var producer = ClientsJava.producer(guest("transactional.id", "acl-id"))) {
            ClientsJava.refused(TransactionalIdAuthorizationException.class, producer::initTransactions);
        }
        create(id);
        try (var producer = ClientsJava.producer(guest("transactional.id", "acl-id"))) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(topic, "allowed")).get();
            producer.commitTransaction();
            create(deny);
            producer.beginTransaction();
            ClientsJava.refused(TopicAuthorizationException.class, () -> producer.send(new ProducerRecord<>(topic, "denied")).get());
            producer.abortTransaction();
            ClientsJava.admin.deleteAcls(List.of(deny.toFilter())).all().get();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(topic, "again"));
            producer.commitTransaction();
        }
        ClientsJava.same(List.of("allowed", "again"), ClientsJava.values(topic, 2));
        deleteAll(write, id);
    }

    static void operations() throws Exception {
        String topic = ClientsJava.topic("acl-shown", 1);
        AclBinding[] acls = { allow(ResourceType.TOPIC, topic, PatternType.LITERAL, AclOperation.WRITE),
            allow(ResourceType.TOPIC, topic, PatternType.LITERAL, AclOperation.ALTER_CONFIGS),
            allow(ResourceType.CLUSTER, "kafka-cluster", PatternType.LITERAL, AclOperation.DESCRIBE) };
        create(acls);
        try (var admin = Admin.create(ClientsJava.properties(guest()))) {
            var shown = admin.describeTopics(List.of(topic), new DescribeTopicsOptions().includeAuthorizedOperations(true)).allTopicNames().get();
            ClientsJava.same(Set.of(AclOperation.WRITE, AclOperation.DESCRIBE, AclOperation.ALTER_CONFIGS, AclOperation.DESCRIBE_CONFIGS),
                shown.get(topic).authorizedOperations());
            ClientsJava.same(Set.of(AclOperation.DESCRIBE),
                admin.describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true)).authorizedOperations().get());
            ClientsJava.refused(ClusterAuthorizationException.class, () -> admin.createAcls(List.of(acls)).all().get());
            ClientsJava.refused(TopicAuthorizationException.class, () -> admin.deleteTopics(List.of(topic)).all().get());
        }
        deleteAll(acls);
    }
}
