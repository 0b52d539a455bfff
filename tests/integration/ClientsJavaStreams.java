// SPDX-License-Identifier: Apache-2.0
// Kafka Streams: counting words exactly once, with instances that come and go. Part of ClientsJava.

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.*;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.state.Stores;

class ClientsJavaStreams {
    static final int WORDS = 7;

    static void run() {
        ClientsJava.test("Kafka Streams: words are counted exactly once while instances come and go", ClientsJavaStreams::counts);
    }

    /* A topic between (words by key) and one behind the store, both made by Streams. */
    static Topology topology() {
        StreamsBuilder builder = new StreamsBuilder();
        builder.<String, String>stream("streams-lines")
            .flatMapValues(line -> List.of(line.split(" ")))
            .groupBy((key, word) -> word, Grouped.as("words"))
            .count(Materialized.<String, Long>as(Stores.inMemoryKeyValueStore("counts"))
                .withKeySerde(Serdes.String()).withValueSerde(Serdes.Long()).withCachingDisabled())
            .toStream().mapValues(String::valueOf).to("streams-counts");
        return builder.build();
    }

    static KafkaStreams instance(int number) {
        Properties properties = ClientsJava.properties("application.id", "streams", "client.id", "streams-" + number,
            "processing.guarantee", "exactly_once_v2", "commit.interval.ms", "100", "num.stream.threads", "1",
            "default.key.serde", Serdes.StringSerde.class.getName(), "default.value.serde", Serdes.StringSerde.class.getName(),
            "state.dir", System.getProperty("java.io.tmpdir") + "/fluvio-streams-" + ProcessHandle.current().pid() + "-" + number,
            "main.consumer.session.timeout.ms", "6000", "main.consumer.heartbeat.interval.ms", "300",
            "main.consumer.auto.offset.reset", "earliest", "repartition.purge.interval.ms", "100");
        KafkaStreams streams = new KafkaStreams(topology(), properties);
        streams.cleanUp();
        streams.start();
        return streams;
    }

    static void say(int from, int to) {
        try (var producer = ClientsJava.producer("linger.ms", "5")) {
            for (int number = from; number < to; number++) {
                producer.send(new ProducerRecord<>("streams-lines", "" + number, "word" + number % WORDS + " all"));
            }
        }
    }

    /* Every count of a word is there once, and in order. */
    static void check(int lines) throws Exception {
        List<ConsumerRecord<String, String>> records = ClientsJava.read("streams-counts", 2 * lines);
        Map<String, Long> counts = new TreeMap<>();
        for (var record : records) {
            ClientsJava.same(counts.getOrDefault(record.key(), 0L) + 1, Long.valueOf(record.value()));
            counts.merge(record.key(), 1L, Long::sum);
        }
        ClientsJava.same((long) lines, counts.get("all"));
    }

    static String setting(String topic, String name) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        return ClientsJava.admin.describeConfigs(List.of(resource)).all().get().get(resource).get(name).value();
    }

    /* What was taken out of the topic between is deleted from it. */
    static boolean purged() throws Exception {
        for (int partition = 0; partition < 4; partition++) {
            TopicPartition place = new TopicPartition("streams-words-repartition", partition);
            if (ClientsJava.admin.listOffsets(Map.of(place, OffsetSpec.earliest())).partitionResult(place).get().offset() > 0) {
                return true;
            }
        }
        return false;
    }

    /* An instance that closes does not leave the group: the others find out when its session ends. */
    static void counts() throws Exception {
        ClientsJava.topic("streams-lines", 4);
        ClientsJava.topic("streams-counts", 1);
        KafkaStreams one = instance(1);
        say(0, 500);
        check(500);
        KafkaStreams two = instance(2);
        say(500, 1000);
        ClientsJava.waitFor(() -> two.metadataForLocalThreads().stream().anyMatch(thread -> !thread.activeTasks().isEmpty()));
        one.close(Duration.ofSeconds(20));
        say(1000, 1500);
        check(1500);
        ClientsJava.waitFor(ClientsJavaStreams::purged);
        ClientsJava.same("delete -1", setting("streams-words-repartition", "cleanup.policy") + " " + setting("streams-words-repartition", "retention.ms"));
        ClientsJava.same("compact", setting("streams-counts-changelog", "cleanup.policy"));
        two.close(Duration.ofSeconds(20));
        one.cleanUp();
        two.cleanUp();
    }
}
