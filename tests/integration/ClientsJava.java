// SPDX-License-Identifier: Apache-2.0
// Apache Kafka's own client against an SPU: ClientsJava BOOTSTRAP. Prints "ok" and "FAIL" lines.

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.*;

class ClientsJava {
    static String bootstrap;
    static Admin admin;
    static int passed, failed;

    interface Test { void run() throws Exception; }

    static void test(String name, Test test) {
        try {
            test.run();
            passed++;
            System.out.println("ok   clients_java/" + name);
        } catch (Throwable problem) {
            failed++;
            System.out.println("FAIL clients_java/" + name);
            problem.printStackTrace(System.out);
        }
    }

    static void same(Object wanted, Object got) {
        if (!wanted.equals(got)) {
            throw new AssertionError("wanted " + wanted + ", got " + got);
        }
    }

    interface Condition { boolean holds() throws Exception; }

    static void waitFor(Condition condition) throws Exception {
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (!condition.holds()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("not so after 30 s");
            }
            Thread.sleep(20);
        }
    }

    static <T extends Throwable> void refused(Class<T> wanted, Test test) throws Exception {
        try {
            test.run();
        } catch (Exception error) {
            Throwable cause = error instanceof ExecutionException ? error.getCause() : error;
            if (wanted.isInstance(cause)) {
                return;
            }
            throw error;
        }
        throw new AssertionError("it was not refused with " + wanted.getSimpleName());
    }

    static String topic(String name, int partitions, String... settings) throws Exception {
        Map<String, String> map = new HashMap<>();
        for (int index = 0; index < settings.length; index += 2) {
            map.put(settings[index], settings[index + 1]);
        }
        admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1).configs(map))).all().get();
        return name;
    }

    static Properties properties(String... settings) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        for (int index = 0; index < settings.length; index += 2) {
            properties.put(settings[index], settings[index + 1]);
        }
        return properties;
    }

    static KafkaProducer<String, String> producer(String... settings) {
        return new KafkaProducer<>(properties(settings), new StringSerializer(), new StringSerializer());
    }

    static KafkaConsumer<String, String> consumer(String... settings) {
        Properties properties = properties("auto.offset.reset", "earliest", "enable.auto.commit", "false", "fetch.max.wait.ms", "50",
            "heartbeat.interval.ms", "300", "session.timeout.ms", "6000", "isolation.level", "read_committed");
        properties.putAll(properties(settings));
        return new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer());
    }

    static List<ConsumerRecord<String, String>> read(String topic, int count, String... settings) throws Exception {
        List<ConsumerRecord<String, String>> found = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer = consumer(settings)) {
            consumer.assign(consumer.partitionsFor(topic).stream().map(i -> new TopicPartition(topic, i.partition())).toList());
            consumer.seekToBeginning(consumer.assignment());
            long deadline = System.nanoTime() + 20_000_000_000L;
            while (found.size() < count && System.nanoTime() < deadline) {
                consumer.poll(Duration.ofMillis(200)).forEach(found::add);
            }
        }
        same(count, found.size());
        return found;
    }

    static List<String> values(String topic, int count, String... settings) throws Exception {
        return read(topic, count, settings).stream().map(ConsumerRecord::value).toList();
    }

    static void codecs() throws Exception {
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            String topic = topic("codec-" + codec, 1);
            try (var producer = producer("compression.type", codec, "linger.ms", "20")) {
                for (int number = 0; number < 200; number++) {
                    producer.send(new ProducerRecord<>(topic, 0, 1700000000000L + number, "key" + number, ("value" + number).repeat(20),
                        List.of(new RecordHeader("h", new byte[] { 1 }), new RecordHeader("none", (byte[]) null))));
                }
            }
            int number = 0;
            for (var record : read(topic, 200)) {
                same("key" + number, record.key());
                same(("value" + number).repeat(20), record.value());
                same(1700000000000L + number, record.timestamp());
                same((long) number++, record.offset());
                same(2, record.headers().toArray().length);
            }
        }
    }

    static void limits() throws Exception {
        topic("small", 1, "max.message.bytes", "20000");
        topic("compacted", 1, "cleanup.policy", "compact");
        try (var producer = producer("max.request.size", "5000000")) {
            producer.send(new ProducerRecord<>("small", "x".repeat(10000))).get();
            refused(RecordTooLargeException.class, () -> producer.send(new ProducerRecord<>("small", "x".repeat(50000))).get());
            producer.send(new ProducerRecord<>("compacted", "key", "value")).get();
            refused(InvalidRecordException.class, () -> producer.send(new ProducerRecord<>("compacted", "value")).get());
        }
    }

    static void idempotent() throws Exception {
        String topic = topic("idempotent", 1);
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        try (var producer = producer("batch.size", "500")) {
            for (int number = 0; number < 5000; number++) {
                sent.add(producer.send(new ProducerRecord<>(topic, "" + number)));
            }
        }
        for (int number = 0; number < 5000; number++) {
            same((long) number, sent.get(number).get().offset());
        }
        List<String> values = values(topic, 5000);
        for (int number = 0; number < 5000; number++) {
            same("" + number, values.get(number));
        }
    }

    static TransactionDescription describe(String id) throws Exception {
        return admin.describeTransactions(List.of(id)).description(id).get();
    }

    /* With transaction.version 2 the epoch grows with each transaction that ends (KIP-890, part 2). */
    static void transactions() throws Exception {
        String topic = topic("transactions", 3);
        try (var producer = producer("transactional.id", "java")) {
            producer.initTransactions();
            int first = describe("java").producerEpoch();
            for (int number = 0; number < 20; number++) {
                producer.beginTransaction();
                for (int partition = 0; partition < 3; partition++) {
                    producer.send(new ProducerRecord<>(topic, partition, null, "" + number));
                }
                if (number % 2 == 0) {
                    producer.commitTransaction();
                } else {
                    producer.flush();
                    producer.abortTransaction();
                }
            }
            same(first + 20, describe("java").producerEpoch());
        }
        List<String> wanted = new ArrayList<>();
        for (int number = 0; number < 20; number += 2) {
            wanted.add("" + number);
        }
        List<ConsumerRecord<String, String>> records = read(topic, 30);
        for (int partition = 0; partition < 3; partition++) {
            int which = partition;
            same(wanted, records.stream().filter(r -> r.partition() == which).map(ConsumerRecord::value).toList());
        }
        read(topic, 60, "isolation.level", "read_uncommitted");
    }

    static void emptyTransactions() throws Exception {
        String topic = topic("empty-transactions", 1);
        try (var producer = producer("transactional.id", "java-empty")) {
            producer.initTransactions();
            for (int number = 0; number < 3; number++) {
                producer.beginTransaction();
                producer.commitTransaction();
                producer.beginTransaction();
                producer.abortTransaction();
            }
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(topic, "one")).get();
            producer.commitTransaction();
        }
        same(List.of("one"), values(topic, 1));
    }

    static void fencing() throws Exception {
        String topic = topic("fencing", 1);
        try (var old = producer("transactional.id", "java-fenced"); var young = producer("transactional.id", "java-fenced")) {
            old.initTransactions();
            old.beginTransaction();
            old.send(new ProducerRecord<>(topic, "old")).get();
            young.initTransactions();
            young.beginTransaction();
            young.send(new ProducerRecord<>(topic, "young"));
            young.commitTransaction();
            refused(ProducerFencedException.class, old::commitTransaction);
        }
        same(List.of("young"), values(topic, 1));
    }

    static void timeOut() throws Exception {
        String topic = topic("time-out", 1);
        try (var producer = producer("transactional.id", "java-slow", "transaction.timeout.ms", "1000")) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(topic, "late")).get();
            waitFor(() -> describe("java-slow").state() == TransactionState.COMPLETE_ABORT);
            refused(KafkaException.class, producer::commitTransaction);
        }
        read(topic, 0);
    }

    static void offsetsInTransaction() throws Exception {
        String source = topic("source", 1), target = topic("target", 1);
        TopicPartition place = new TopicPartition(source, 0);
        try (var producer = producer()) {
            for (int number = 0; number < 10; number++) {
                producer.send(new ProducerRecord<>(source, "" + number));
            }
        }
        try (var producer = producer("transactional.id", "java-copier"); var consumer = consumer("group.id", "java-copier")) {
            producer.initTransactions();
            consumer.subscribe(List.of(source));
            List<String> got = new ArrayList<>();
            waitFor(() -> {
                consumer.poll(Duration.ofMillis(100)).forEach(record -> got.add(record.value()));
                return got.size() == 10;
            });
            for (boolean commits : new boolean[] { false, true }) {
                producer.beginTransaction();
                got.forEach(value -> producer.send(new ProducerRecord<>(target, value)));
                producer.sendOffsetsToTransaction(Map.of(place, new OffsetAndMetadata(10)), consumer.groupMetadata());
                if (commits) {
                    producer.commitTransaction();
                } else {
                    producer.flush();
                    producer.abortTransaction();
                    same(true, consumer.committed(Set.of(place)).get(place) == null);
                }
            }
            same(10L, consumer.committed(Set.of(place)).get(place).offset());
        }
        same(10, values(target, 10).size());
    }

    static class Member extends Thread {
        final KafkaConsumer<String, String> consumer;
        final ConcurrentLinkedQueue<String> seen = new ConcurrentLinkedQueue<>();
        volatile Set<Integer> places = Set.of();
        volatile boolean stop;

        Member(String topic, String... settings) {
            consumer = ClientsJava.consumer(settings);
            consumer.subscribe(List.of(topic));
            start();
        }

        @Override
        public void run() {
            while (!stop) {
                consumer.poll(Duration.ofMillis(50)).forEach(record -> seen.add(record.value()));
                Set<Integer> now = new TreeSet<>();
                consumer.assignment().forEach(place -> now.add(place.partition()));
                places = now;
            }
            consumer.close();
        }

        void end() throws Exception {
            stop = true;
            join(20000);
        }
    }

    static boolean shared(Collection<Member> members, int partitions) {
        Set<Integer> all = new TreeSet<>();
        int sum = 0;
        for (Member member : members) {
            if (member.places.isEmpty()) {
                return false;
            }
            all.addAll(member.places);
            sum += member.places.size();
        }
        return sum == partitions && all.size() == partitions;
    }

    static void group(String assignor) throws Exception {
        String group = "group-" + assignor, topic = topic(group, 6);
        String[] settings = { "group.id", group, "partition.assignment.strategy", "org.apache.kafka.clients.consumer." + assignor };
        List<Member> members = new ArrayList<>();
        for (int number = 0; number < 3; number++) {
            members.add(new Member(topic, settings));
        }
        waitFor(() -> shared(members, 6));
        members.remove(0).end();
        members.add(new Member(topic, settings));
        members.add(new Member(topic, settings));
        members.remove(0).end();
        waitFor(() -> shared(members, 6));
        try (var producer = producer()) {
            for (int number = 0; number < 600; number++) {
                producer.send(new ProducerRecord<>(topic, "" + number, "" + number));
            }
        }
        waitFor(() -> members.stream().mapToInt(member -> member.seen.size()).sum() >= 600);
        Set<String> all = new TreeSet<>();
        members.forEach(member -> all.addAll(member.seen));
        same(600, all.size());
        same(600, members.stream().mapToInt(member -> member.seen.size()).sum());
        same(3, admin.describeConsumerGroups(List.of(group)).all().get().get(group).members().size());
        for (Member member : members) {
            member.end();
        }
    }

    static void staticMembers() throws Exception {
        String topic = topic("static", 4);
        List<Member> members = new ArrayList<>();
        for (int number = 0; number < 2; number++) {
            members.add(new Member(topic, "group.id", "static", "group.instance.id", "member" + number));
        }
        waitFor(() -> shared(members, 4));
        Set<Integer> had = members.get(0).places, others = members.get(1).places;
        members.get(0).end();
        members.set(0, new Member(topic, "group.id", "static", "group.instance.id", "member0"));
        waitFor(() -> members.get(0).places.equals(had));
        same(others, members.get(1).places);
        admin.removeMembersFromConsumerGroup("static",
            new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove("member1")))).all().get();
        members.get(1).stop = true;
        waitFor(() -> members.get(0).places.size() == 4);
        members.get(0).end();
    }

    static void resume() throws Exception {
        String topic = topic("resume", 1);
        try (var producer = producer()) {
            for (int number = 0; number < 20; number++) {
                producer.send(new ProducerRecord<>(topic, "" + number));
            }
        }
        List<String> got = new ArrayList<>();
        for (int turn = 1; turn <= 2; turn++) {
            int until = turn * 10;
            try (var consumer = consumer("group.id", "resume", "max.poll.records", "5")) {
                consumer.subscribe(List.of(topic));
                waitFor(() -> {
                    consumer.poll(Duration.ofMillis(100)).forEach(record -> got.add(record.value()));
                    return got.size() >= until;
                });
                consumer.commitSync();
            }
        }
        same(20, got.size());
        same("19", got.get(19));
    }

    static void times() throws Exception {
        String topic = topic("times", 1);
        TopicPartition place = new TopicPartition(topic, 0);
        try (var producer = producer("linger.ms", "20", "compression.type", "gzip")) {
            for (long stamp : new long[] { 0, 10, 50, 20, 90, 30 }) {
                producer.send(new ProducerRecord<>(topic, 0, 1700000000000L + stamp, null, "value"));
            }
        }
        try (var consumer = consumer()) {
            same(4L, consumer.offsetsForTimes(Map.of(place, 1700000000060L)).get(place).offset());
            same(1700000000090L, consumer.offsetsForTimes(Map.of(place, 1700000000060L)).get(place).timestamp());
            same(true, consumer.offsetsForTimes(Map.of(place, 1700000000091L)).get(place) == null);
            same(6L, consumer.endOffsets(List.of(place)).get(place));
        }
        same(4L, admin.listOffsets(Map.of(place, OffsetSpec.maxTimestamp())).partitionResult(place).get().offset());
    }

    static void administration() throws Exception {
        String topic = topic("admin", 2);
        refused(TopicExistsException.class, () -> topic("admin", 1));
        admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(5))).all().get();
        same(5, admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size());
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        admin.incrementalAlterConfigs(Map.of(resource, List.of(
            new AlterConfigOp(new ConfigEntry("retention.ms", "5000"), AlterConfigOp.OpType.SET)))).all().get();
        same("5000", admin.describeConfigs(List.of(resource)).all().get().get(resource).get("retention.ms").value());
        same(true, admin.listConfigResources().all().get().contains(resource));
        same(0, admin.listPartitionReassignments().reassignments().get().size());
        TopicPartition place = new TopicPartition(topic, 0);
        refused(InvalidReplicaAssignmentException.class, () -> admin.alterPartitionReassignments(
            Map.of(place, java.util.Optional.of(new NewPartitionReassignment(List.of(1, 2))))).all().get());
        same(1, admin.describeMetadataQuorum().quorumInfo().get().leaderId());
        refused(InvalidUpdateVersionException.class, () -> admin.updateFeatures(Map.of("metadata.version",
            new FeatureUpdate((short) 7, FeatureUpdate.UpgradeType.SAFE_DOWNGRADE)), new UpdateFeaturesOptions()).all().get());
        same((short) 2, admin.describeFeatures().featureMetadata().get().finalizedFeatures().get("transaction.version").maxVersionLevel());
        Map<String, LogDirDescription> dirs = admin.describeLogDirs(List.of(1)).allDescriptions().get().get(1);
        same(1, dirs.size());
        TopicPartitionReplica replica = new TopicPartitionReplica(topic, 0, 1);
        admin.alterReplicaLogDirs(Map.of(replica, dirs.keySet().iterator().next())).all().get();
        refused(LogDirNotFoundException.class, () -> admin.alterReplicaLogDirs(Map.of(replica, "/elsewhere")).all().get());
        admin.deleteTopics(List.of(topic)).all().get();
        refused(UnknownTopicOrPartitionException.class, () -> admin.describeTopics(List.of(topic)).allTopicNames().get());
    }

    /* More partitions than one page of DescribeTopicPartitions has. */
    static void pages() throws Exception {
        topic("pages", 300);
        same(300, admin.describeTopics(List.of("pages"), new DescribeTopicsOptions().partitionSizeLimitPerResponse(70))
            .allTopicNames().get().get("pages").partitions().size());
        admin.deleteTopics(List.of("pages")).all().get();
    }

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        admin = Admin.create(properties());
        test("all five codecs, keys, headers, timestamps", ClientsJava::codecs);
        test("too large, no key in a compacted topic: refused", ClientsJava::limits);
        test("idempotent producer", ClientsJava::idempotent);
        test("transactions with transaction.version 2: each end gives a new epoch", ClientsJava::transactions);
        test("transactions without records", ClientsJava::emptyTransactions);
        test("a newer producer of the same id fences the older one", ClientsJava::fencing);
        test("a transaction over its time is aborted", ClientsJava::timeOut);
        test("consumed offsets are part of the transaction", ClientsJava::offsetsInTransaction);
        for (String assignor : List.of("RangeAssignor", "StickyAssignor", "CooperativeStickyAssignor")) {
            test("a group with " + assignor + ": members come and go at once", () -> group(assignor));
        }
        test("static members come back, and are removed", ClientsJava::staticMembers);
        test("commit and resume", ClientsJava::resume);
        test("offsets for times", ClientsJava::times);
        test("administration", ClientsJava::administration);
        test("a topic's partitions come in pages", ClientsJava::pages);
        ClientsJavaStreams.run();
        ClientsJavaAccess.run();
        admin.close(Duration.ofSeconds(5));
        System.out.println(passed + " passed, " + failed + " failed");
        System.exit(failed == 0 ? 0 : 1);
    }
}
