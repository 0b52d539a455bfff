// SPDX-License-Identifier: Apache-2.0
// Compare core/wire with the codec of Apache Kafka itself. Reads the lines of wire_samples; each message must be read to
// the same values by name, and be written again as the same bytes, since both leave out tagged fields that have their default.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

class WireJava {
    private static final List<String> PLACES = List.of(
        "org.apache.kafka.common.message.%sData",
        "org.apache.kafka.common.message.%s",
        "org.apache.kafka.coordinator.group.generated.%s",
        "org.apache.kafka.coordinator.transaction.generated.%s");

    static Class<?> find(String name) {
        StringBuilder camel = new StringBuilder();
        for (String word : name.split("_")) {
            camel.append(Character.toUpperCase(word.charAt(0))).append(word.substring(1));
        }
        for (String place : PLACES) {
            try {
                return Class.forName(String.format(place, camel));
            } catch (ClassNotFoundException absent) {
                // The next place may have it.
            }
        }
        return null;
    }

    static String snake(String name) {
        return name.replaceAll("([a-z0-9])([A-Z])", "$1_$2").toLowerCase();
    }

    static void require(boolean same, String where, Object theirs, Object ours) {
        if (!same) {
            throw new IllegalStateException(where + " is " + theirs + ", not " + ours);
        }
    }

    // Bytes, uuids and doubles are printed differently; they are told apart by the bytes of the whole.
    static void compare(JsonNode theirs, JsonNode ours, String where) {
        if (theirs.isObject() && ours.isObject()) {
            Map<String, JsonNode> byName = new HashMap<>();
            theirs.properties().forEach(field -> byName.put(snake(field.getKey()), field.getValue()));
            ours.properties().forEach(field -> {
                String name = where + "." + field.getKey();
                JsonNode value = byName.get(field.getKey());
                boolean shown = !field.getKey().equals("records") && !field.getValue().isNull();
                require(value != null || !shown, name, "missing", field.getValue());
                if (value != null) {
                    compare(value, field.getValue(), name);
                }
            });
        } else if (theirs.isArray() && ours.isArray()) {
            require(theirs.size() == ours.size(), where, theirs, ours);
            for (int index = 0; index < theirs.size(); index++) {
                compare(theirs.get(index), ours.get(index), where);
            }
        } else if (theirs.isIntegralNumber() && ours.isIntegralNumber()) {
            require(theirs.asLong() == ours.asLong(), where, theirs, ours);
        } else if (theirs.isBoolean() && ours.isBoolean()) {
            require(theirs.asBoolean() == ours.asBoolean(), where, theirs, ours);
        } else if (theirs.isTextual() && ours.isTextual() && ours.asText().matches(".*[g-z].*")) {
            require(theirs.asText().equals(ours.asText()), where, theirs, ours);
        } else {
            require(theirs.isNull() == ours.isNull(), where, theirs, ours);
        }
    }

    // False when the version is not one of theirs.
    static boolean check(Class<?> kind, short version, byte[] bytes, JsonNode ours) throws Exception {
        ApiMessage message = (ApiMessage) kind.getConstructor().newInstance();
        if (version < message.lowestSupportedVersion() || version > message.highestSupportedVersion()) {
            return false;
        }
        ByteBufferAccessor in = new ByteBufferAccessor(ByteBuffer.wrap(bytes));
        message.read(in, version);
        require(in.remaining() == 0, "what is left over", in.remaining(), 0);
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBufferAccessor out = new ByteBufferAccessor(ByteBuffer.allocate(message.size(cache, version)));
        message.write(out, cache, version);
        byte[] again = out.buffer().array();
        require(Arrays.equals(again, bytes), "bytes", HexFormat.of().formatHex(again), HexFormat.of().formatHex(bytes));
        Class<?> printer = Class.forName(kind.getName() + "JsonConverter");
        JsonNode theirs = (JsonNode) printer.getMethod("write", kind, short.class).invoke(null, message, version);
        compare(theirs, ours, "message");
        return true;
    }

    public static void main(String[] args) throws Exception {
        Map<String, TreeSet<Short>> good = new TreeMap<>();
        Map<String, String> bad = new TreeMap<>();
        TreeSet<String> unknown = new TreeSet<>();
        ObjectMapper mapper = new ObjectMapper();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ", 4);
            short version = Short.parseShort(words[1]);
            byte[] bytes = HexFormat.of().parseHex(words[2].equals("-") ? "" : words[2]);
            Class<?> kind = find(words[0]);
            try {
                if (kind != null && check(kind, version, bytes, mapper.readTree(words[3]))) {
                    good.computeIfAbsent(words[0], name -> new TreeSet<>()).add(version);
                } else {
                    unknown.add(words[0] + "/" + version);
                }
            } catch (ReflectiveOperationException | RuntimeException error) {
                bad.putIfAbsent(words[0], "version " + version + ": " + error);
            }
        }
        good.keySet().removeAll(bad.keySet());
        good.forEach((name, versions) -> System.out.println(
            "ok   wire/Kafka agrees on " + name + ": " + versions.size() + " versions"));
        bad.forEach((name, why) -> System.out.println("FAIL wire/Kafka differs on " + name + ", " + why));
        System.out.println("not known to Kafka: " + String.join(" ", unknown));
        if (good.isEmpty() && bad.isEmpty()) {
            bad.put("", "");
            System.out.println("FAIL wire/Kafka was given no messages");
        }
        System.out.println(good.size() + " passed, " + bad.size() + " failed");
        System.exit(bad.isEmpty() ? 0 : 1);
    }
}
