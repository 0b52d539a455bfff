// SPDX-License-Identifier: Apache-2.0
// What kafka-ui, AKHQ and other consoles ask through Apache Kafka's admin client, and what is asked wrongly: a line for each question, with
// its answer or the class of its error, so that the lines of an SPU and of Apache Kafka can be compared. CompareJava BOOTSTRAP

import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import java.util.stream.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.acl.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.quota.*;
import org.apache.kafka.common.resource.*;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.*;

class CompareJava {
    interface Question {
        Object answer() throws Exception;
    }

    static String bootstrap;
    static Admin admin;
    static int node;

    static void ask(String name, Question question) {
        String answer;
        try {
            answer = String.valueOf(question.answer());
        } catch (Throwable error) {
            while (error.getCause() != null && (error instanceof ExecutionException || error instanceof CompletionException)) error = error.getCause();
            answer = error.getClass().getSimpleName();
        }
        System.out.println(name + "\t" + answer.replace(bootstrap, "BOOTSTRAP").replace('\n', ' '));
    }

    static <T> T get(KafkaFuture<T> future) throws Exception {
        return future.get(20, TimeUnit.SECONDS);
    }

    /* Kafka's nodes hear of what its controller has done a little later. */
    static void until(Callable<Boolean> holds) throws Exception {
        for (long end = System.currentTimeMillis() + 20000; !holds.call() && System.currentTimeMillis() < end;) Thread.sleep(20);
    }

    static List<String> sorted(Stream<?> items) {
        return items.map(String::valueOf).sorted().toList();
    }

    static TopicPartition place(String topic, int partition) {
        return new TopicPartition(topic, partition);
    }

    static Void create(String name, int partitions, int replicas, Map<String, String> settings) throws Exception {
        return get(admin.createTopics(List.of(new NewTopic(name, partitions, (short) replicas).configs(settings))).all());
    }

    static Void alter(String topic, AlterConfigOp.OpType kind, String... settings) throws Exception {
        var changes = Stream.of(settings).map(each -> each.split("=", 2)).map(each -> new AlterConfigOp(new ConfigEntry(each[0], each.length > 1 ? each[1] : null), kind)).toList();
        return get(admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.TOPIC, topic), changes)).all());
    }

    static void cluster() {
        ask("the cluster", () -> {
            var cluster = admin.describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true));
            return get(cluster.nodes()) + " " + get(cluster.controller()) + " " + sorted(get(cluster.authorizedOperations()).stream());
        });
        ask("the quorum", () -> get(admin.describeMetadataQuorum().quorumInfo()).voters().size());
        ask("its disk", () -> {
            var disk = get(admin.describeLogDirs(List.of(node)).allDescriptions()).get(node).values().iterator().next();
            return disk.error() + " " + disk.totalBytes().isPresent() + " " + disk.usableBytes().isPresent() + " " + disk.replicaInfos().isEmpty();
        });
        ask("a setting of a node that only its file sets", () -> get(admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.BROKER, "" + node),
            List.of(new AlterConfigOp(new ConfigEntry("node.id", "8"), AlterConfigOp.OpType.SET)))).all()));
    }

    static void topics() throws Exception {
        ask("a topic", () -> {
            var made = admin.createTopics(List.of(new NewTopic("a", 3, (short) 1).configs(Map.of("segment.bytes", "2000000", "min.cleanable.dirty.ratio", "0.25"))));
            return get(made.all()) + " " + get(made.config("a")).get("segment.bytes").source() + " " + get(made.numPartitions("a")) + " " + get(made.replicationFactor("a"));
        });
        ask("a topic by default", () -> {
            var made = admin.createTopics(List.of(new NewTopic("b", Optional.empty(), Optional.empty())));
            return get(made.all()) + " " + get(made.numPartitions("b")) + " " + get(made.replicationFactor("b"));
        });
        ask("twice", () -> create("a", 1, 1, Map.of()));
        ask("three replicas", () -> create("c", 1, 3, Map.of()));
        ask("a bad name", () -> create("a b", 1, 1, Map.of()));
        ask("a long name", () -> create("x".repeat(250), 1, 1, Map.of()));
        ask("no partitions", () -> create("c", 0, 1, Map.of()));
        ask("assigned to another node", () -> get(admin.createTopics(List.of(new NewTopic("c", Map.of(0, List.of(node, node + 1))))).all()));
        ask("assigned twice", () -> get(admin.createTopics(List.of(new NewTopic("c", Map.of(0, List.of(node, node))))).all()));
        ask("fewer partitions", () -> get(admin.createPartitions(Map.of("a", NewPartitions.increaseTo(2))).all()));
        ask("as many partitions", () -> get(admin.createPartitions(Map.of("a", NewPartitions.increaseTo(3))).all()));
        ask("partitions of none", () -> get(admin.createPartitions(Map.of("none", NewPartitions.increaseTo(3))).all()));
        ask("a partition on another node", () -> get(admin.createPartitions(Map.of("a", NewPartitions.increaseTo(4, List.of(List.of(node + 7))))).all()));
        ask("a partition that is not assigned", () -> get(admin.createPartitions(Map.of("a", NewPartitions.increaseTo(5, List.of(List.of(node))))).all()));
        until(() -> get(admin.listTopics().names()).containsAll(List.of("a", "b")));
        ask("all topics", () -> sorted(get(admin.listTopics(new ListTopicsOptions().listInternal(true)).listings()).stream().map(each -> each.name() + " " + each.isInternal())));
        ask("a topic described", () -> {
            var one = get(admin.describeTopics(List.of("a"), new DescribeTopicsOptions().includeAuthorizedOperations(true)).allTopicNames()).get("a");
            return one.partitions() + " " + sorted(one.authorizedOperations().stream());
        });
        ask("none described", () -> get(admin.describeTopics(List.of("none")).allTopicNames()));
        ask("none described by id", () -> get(admin.describeTopics(TopicCollection.ofTopicIds(List.of(Uuid.randomUuid()))).allTopicIds()));
        ask("where a replica is", () -> get(admin.describeReplicaLogDirs(List.of(new TopicPartitionReplica("a", 0, node))).all()).values().iterator().next().getCurrentReplicaOffsetLag());
        ask("to another node", () -> get(admin.alterPartitionReassignments(Map.of(place("a", 0), Optional.of(new NewPartitionReassignment(List.of(node + 5))))).all()));
        ask("what is not under way is stopped", () -> get(admin.alterPartitionReassignments(Map.of(place("a", 0), Optional.empty())).all()));
        ask("none is moved", () -> get(admin.alterPartitionReassignments(Map.of(place("none", 0), Optional.of(new NewPartitionReassignment(List.of(node))))).all()));
        ask("what moves", () -> get(admin.listPartitionReassignments().reassignments()));
        for (var kind : ElectionType.values())
            ask("elect " + kind, () -> sorted(get(admin.electLeaders(kind, Set.of(place("a", 0), place("none", 0))).partitions()).entrySet().stream()
                .map(each -> each.getKey() + " " + each.getValue().map(error -> error.getClass().getSimpleName()))));
    }

    static void settings() throws Exception {
        var ours = Set.of("flush.policy", "record.bytes.max");
        ask("settings", () -> sorted(get(admin.describeConfigs(List.of(new ConfigResource(ConfigResource.Type.TOPIC, "a")), new DescribeConfigsOptions().includeDocumentation(true)).all())
            .values().iterator().next().entries().stream().filter(each -> !ours.contains(each.name()))
            .map(each -> each.name() + "=" + each.value() + " " + each.source().name().replace("DYNAMIC_DEFAULT_BROKER", "DEFAULT") + " " + each.type() + " " + each.isReadOnly() + " "
                + each.isSensitive() + " " + each.documentation().isEmpty())));
        ask("synonyms", () -> get(admin.describeConfigs(List.of(new ConfigResource(ConfigResource.Type.TOPIC, "a")), new DescribeConfigsOptions().includeSynonyms(true)).all())
            .values().iterator().next().get("segment.bytes").synonyms().stream().map(each -> each.name() + "=" + each.value() + " " + each.source()).toList());
        ask("settings of none", () -> get(admin.describeConfigs(List.of(new ConfigResource(ConfigResource.Type.TOPIC, "none"))).all()));
        for (var each : List.of("x=1", "retention.ms=-2", "retention.ms=", "retention.ms=1.5", "cleanup.policy=foo", "max.message.bytes=-1", "compression.type=foo", "min.insync.replicas=0",
            "min.cleanable.dirty.ratio=2", "flush.messages=0", "segment.index.bytes=3", "preallocate=maybe", "remote.storage.enable=true", "leader.replication.throttled.replicas=x",
            "compression.gzip.level=10", "compression.lz4.level=18", "compression.zstd.level=23", "local.retention.ms=-3", "segment.jitter.ms=-1", "message.timestamp.type=foo"))
            ask("set " + each, () -> alter("a", AlterConfigOp.OpType.SET, each));
        ask("set what is kept", () -> alter("b", AlterConfigOp.OpType.SET, "flush.ms=9", "segment.index.bytes=4096", "leader.replication.throttled.replicas=0:1,1:1", "unclean.leader.election.enable=true",
            "file.delete.delay.ms=1", "index.interval.bytes=1", "compression.zstd.level=-5", "local.retention.bytes=-2", "remote.storage.enable=false"));
        ask("a list gets longer", () -> alter("b", AlterConfigOp.OpType.APPEND, "cleanup.policy=compact"));
        ask("and shorter", () -> alter("b", AlterConfigOp.OpType.SUBTRACT, "cleanup.policy=delete"));
        ask("what is no list gets longer", () -> alter("a", AlterConfigOp.OpType.APPEND, "retention.ms=1"));
        ask("what is not known goes back to its default", () -> alter("a", AlterConfigOp.OpType.DELETE, "no.such"));
        ask("set to nothing", () -> alter("a", AlterConfigOp.OpType.SET, "retention.ms"));
        ask("set twice", () -> alter("a", AlterConfigOp.OpType.SET, "retention.ms=8", "retention.ms=9"));
        ask("set of none", () -> alter("none", AlterConfigOp.OpType.SET, "retention.ms=8"));
        until(() -> get(admin.describeConfigs(List.of(new ConfigResource(ConfigResource.Type.TOPIC, "b"))).all()).values().iterator().next().get("cleanup.policy").value().equals("compact"));
        ask("what was set", () -> sorted(get(admin.describeConfigs(List.of(new ConfigResource(ConfigResource.Type.TOPIC, "b"))).all()).values().iterator().next().entries().stream()
            .filter(each -> each.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG).map(each -> each.name() + "=" + each.value())));
    }

    static Void grant(AclOperation operation, PatternType pattern, String principal) throws Exception {
        return get(admin.createAcls(List.of(new AclBinding(new ResourcePattern(ResourceType.TOPIC, "a", pattern), new AccessControlEntry(principal, "*", operation, AclPermissionType.ALLOW)))).all());
    }

    static void access() throws Exception {
        ask("no ACLs", () -> get(admin.describeAcls(AclBindingFilter.ANY).values()));
        ask("an ACL", () -> grant(AclOperation.READ, PatternType.LITERAL, "User:x"));
        ask("an ACL twice", () -> grant(AclOperation.READ, PatternType.LITERAL, "User:x"));
        ask("an ACL of a prefix", () -> grant(AclOperation.WRITE, PatternType.PREFIXED, "User:y"));
        ask("an ACL of no kind of principal", () -> grant(AclOperation.READ, PatternType.LITERAL, "x"));
        until(() -> get(admin.describeAcls(AclBindingFilter.ANY).values()).size() == 2);
        for (var pattern : List.of(PatternType.ANY, PatternType.MATCH, PatternType.LITERAL, PatternType.PREFIXED))
            for (var name : List.of("a", "abc"))
                ask("ACLs of " + name + " by " + pattern, () -> sorted(get(admin.describeAcls(new AclBindingFilter(new ResourcePatternFilter(ResourceType.TOPIC, name, pattern),
                    AccessControlEntryFilter.ANY)).values()).stream()));
        ask("ACLs are deleted", () -> sorted(get(admin.deleteAcls(List.of(new AclBindingFilter(ResourcePatternFilter.ANY, AccessControlEntryFilter.ANY))).all()).stream()));
        ask("users", () -> get(admin.describeUserScramCredentials().all()));
        ask("a user who is not there", () -> get(admin.describeUserScramCredentials(List.of("nobody")).all()));
        ask("few iterations", () -> get(admin.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion("u", new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 10), "x"))).all()));
        ask("a user is deleted who is not there", () -> get(admin.alterUserScramCredentials(List.of(new UserScramCredentialDeletion("u", ScramMechanism.SCRAM_SHA_256))).all()));
        ask("no quotas", () -> get(admin.describeClientQuotas(ClientQuotaFilter.all()).entities()));
        quota("a quota that is not known", "user", "no.such", 1);
        quota("a quota of what is not known", "foo", "producer_byte_rate", 1);
        quota("a quota below 0", "user", "producer_byte_rate", -1);
        quota("a quota", "client-id", "producer_byte_rate", 1e9);
        until(() -> !get(admin.describeClientQuotas(ClientQuotaFilter.all()).entities()).isEmpty());
        ask("quotas", () -> get(admin.describeClientQuotas(ClientQuotaFilter.all()).entities()));
    }

    static void quota(String name, String entity, String key, double value) {
        ask(name, () -> get(admin.alterClientQuotas(List.of(new ClientQuotaAlteration(new ClientQuotaEntity(Map.of(entity, "u")), List.of(new ClientQuotaAlteration.Op(key, value))))).all()));
    }

    static Producer<String, String> producer(Map<String, Object> more) {
        Map<String, Object> with = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "acks", "all", "linger.ms", "0"));
        with.putAll(more);
        return new KafkaProducer<>(with, new StringSerializer(), new StringSerializer());
    }

    static final long BEGIN = System.currentTimeMillis() - 100000;

    static String offset(String topic, OffsetSpec spec) throws Exception {
        var found = get(admin.listOffsets(Map.of(place(topic, 0), spec)).all()).get(place(topic, 0));
        return found.offset() + " " + (found.timestamp() < 0 ? -1 : found.timestamp() - BEGIN);
    }

    static Object deleted(String topic, long before) throws Exception {
        return get(admin.deleteRecords(Map.of(place(topic, 0), RecordsToDelete.beforeOffset(before))).lowWatermarks().get(place(topic, 0))).lowWatermark();
    }

    static String producers(int partition) throws Exception {
        return get(admin.describeProducers(List.of(place("a", partition))).all()).values().iterator().next().activeProducers().stream()
            .map(each -> each.producerEpoch() + " " + each.lastSequence() + " " + each.currentTransactionStartOffset()).toList().toString();
    }

    static void records() throws Exception {
        try (var client = producer(Map.of())) {
            for (int number = 0; number < 20; number++) client.send(new ProducerRecord<>("a", 0, BEGIN + number * 10, "k" + number, "v" + number)).get();
        }
        ask("earliest", () -> offset("a", OffsetSpec.earliest()));
        ask("latest", () -> offset("a", OffsetSpec.latest()));
        ask("the largest time", () -> offset("a", OffsetSpec.maxTimestamp()));
        ask("a time", () -> offset("a", OffsetSpec.forTimestamp(BEGIN + 55)));
        ask("a time to come", () -> offset("a", OffsetSpec.forTimestamp(BEGIN + 99999)));
        ask("earliest of the disk", () -> offset("a", OffsetSpec.earliestLocal()));
        ask("latest of the second tier", () -> offset("a", OffsetSpec.latestTiered()));
        ask("the largest time of nothing", () -> offset("b", OffsetSpec.maxTimestamp()));
        ask("producers", () -> producers(0));
        ask("records are deleted", () -> deleted("a", 5) + " " + offset("a", OffsetSpec.earliest()));
        ask("before what there is", () -> deleted("a", 3));
        ask("past the end", () -> deleted("a", 999));
        ask("before 0", () -> deleted("a", -5));
        ask("all", () -> deleted("a", -1));
        ask("of a compacted topic", () -> deleted("b", 0));
    }

    static Void commit(String topic, int partition, long offset, String note) throws Exception {
        return get(admin.alterConsumerGroupOffsets("g", Map.of(place(topic, partition), new OffsetAndMetadata(offset, note))).all());
    }

    static String group() throws Exception {
        var one = get(admin.describeConsumerGroups(List.of("g"), new DescribeConsumerGroupsOptions().includeAuthorizedOperations(true)).all()).get("g");
        return one.isSimpleConsumerGroup() + " " + one.partitionAssignor() + " " + one.type() + " " + one.groupState() + " " + one.coordinator() + " " + sorted(one.authorizedOperations().stream())
            + one.members().stream().map(each -> each.groupInstanceId() + " " + each.clientId() + " " + each.host().replace("/", "") + " " + sorted(each.assignment().topicPartitions().stream())).toList();
    }

    static void groups() {
        ask("no group", () -> get(admin.describeConsumerGroups(List.of("none")).all()));
        ask("no classic group", () -> get(admin.describeClassicGroups(List.of("none")).all()));
        ask("offsets of no group", () -> get(admin.listConsumerGroupOffsets("none").partitionsToOffsetAndMetadata()));
        ask("no group is deleted", () -> get(admin.deleteConsumerGroups(List.of("none")).all()));
        ask("offsets of no group are deleted", () -> get(admin.deleteConsumerGroupOffsets("none", Set.of(place("a", 0))).all()));
        ask("offsets are set", () -> commit("a", 0, 20, "a note"));
        ask("of no topic", () -> commit("none", 0, 20, ""));
        ask("with a long note", () -> commit("a", 2, 20, "x".repeat(5000)));
        ask("a group of offsets", CompareJava::group);
        var with = Map.<String, Object>of("bootstrap.servers", bootstrap, "group.id", "g", "client.id", "reader", "group.instance.id", "one", "enable.auto.commit", "false",
            "partition.assignment.strategy", "org.apache.kafka.clients.consumer.RangeAssignor");
        try (var client = new KafkaConsumer<>(with, new StringDeserializer(), new StringDeserializer())) {
            client.subscribe(List.of("a"));
            for (long until = System.currentTimeMillis() + 30000; client.assignment().isEmpty() && System.currentTimeMillis() < until;) client.poll(Duration.ofMillis(50));
            ask("a group of members", CompareJava::group);
            ask("its offsets are set", () -> commit("a", 0, 20, ""));
            ask("it is deleted", () -> get(admin.deleteConsumerGroups(List.of("g")).all()));
            ask("its offsets are deleted", () -> get(admin.deleteConsumerGroupOffsets("g", Set.of(place("a", 0))).all()));
            ask("stable groups", () -> get(admin.listGroups(new ListGroupsOptions().inGroupStates(Set.of(GroupState.STABLE))).all()));
            ask("groups of the new protocol", () -> get(admin.listGroups(new ListGroupsOptions().withTypes(Set.of(GroupType.CONSUMER))).all()));
            ask("no member is removed", () -> get(admin.removeMembersFromConsumerGroup("g", new RemoveMembersFromConsumerGroupOptions(Set.of(new MemberToRemove("nope")))).all()));
            ask("all members are removed", () -> get(admin.removeMembersFromConsumerGroup("g", new RemoveMembersFromConsumerGroupOptions()).all()));
        }
        ask("a group that was left", CompareJava::group);
        ask("its offsets", () -> sorted(get(admin.listConsumerGroupOffsets(Map.of("g", new ListConsumerGroupOffsetsSpec().topicPartitions(List.of(place("a", 0), place("a", 2), place("none", 0)))))
            .partitionsToOffsetAndMetadata("g")).entrySet().stream()));
        ask("one is deleted, one is none", () -> get(admin.deleteConsumerGroupOffsets("g", Set.of(place("a", 0), place("a", 7))).all()));
        ask("what is left", () -> get(admin.listConsumerGroupOffsets("g").partitionsToOffsetAndMetadata()));
    }

    static String transactions(ListTransactionsOptions which) throws Exception {
        return sorted(get(admin.listTransactions(which).all()).stream().map(each -> each.transactionalId() + " " + each.state())).toString();
    }

    static void transactions() throws Exception {
        try (var client = producer(Map.of("transactional.id", "t"))) {
            client.initTransactions();
            client.beginTransaction();
            client.send(new ProducerRecord<>("a", 1, null, "x")).get();
            ask("open transactions", () -> transactions(new ListTransactionsOptions()));
            ask("open for an hour", () -> transactions(new ListTransactionsOptions().filterOnDuration(3600000)));
            ask("a transaction", () -> {
                var one = get(admin.describeTransactions(List.of("t")).all()).get("t");
                return one.state() + " " + one.producerEpoch() + " " + one.transactionTimeoutMs() + " " + one.transactionStartTimeMs().isPresent() + " " + one.topicPartitions();
            });
            ask("no transaction", () -> get(admin.describeTransactions(List.of("none")).all()));
            ask("its producer", () -> producers(1));
            ask("it is fenced", () -> get(admin.fenceProducers(List.of("t")).all()));
            ask("it commits", () -> {
                client.commitTransaction();
                return "committed";
            });
        }
        ask("topics are deleted", () -> get(admin.deleteTopics(List.of("a", "b")).all()));
        ask("no topic is deleted", () -> get(admin.deleteTopics(List.of("a")).all()));
    }

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
        node = get(admin.describeCluster().nodes()).iterator().next().id();
        cluster();
        topics();
        settings();
        access();
        records();
        groups();
        transactions();
        admin.close(Duration.ofSeconds(2));
    }
}
