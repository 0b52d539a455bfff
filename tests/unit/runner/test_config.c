/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/base/yaml.h"
#include "runner/config.h"
#include "tests/support/temp_dir.h"
#include "tests/support/temp_file.h"

#define HEAD "apiVersion: 0.1.0\n"
#define META "meta:\n  name: shop\n  type: mysql-source\n  topic: shop\n"

struct fixture {
    char *dir;
    char *path;
    struct fc_config *config;
    struct fc_error error;
    struct fc_config_source source;
};

static int set_up(void **state)
{
    struct fixture *fixture = fc_new(struct fixture);
    fixture->dir = temp_dir_new();
    fixture->source.path = "conf/f.yaml";
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    fc_config_free(fixture->config);
    temp_dir_free(fixture->dir);
    free(fixture->path);
    free(fixture);
    return 0;
}

static const struct fc_config *parse(struct fixture *fixture, const char *text)
{
    if (fc_config_parse(fc_slice_text(text), &fixture->source, &fixture->config,
                        &fixture->error) != FC_OK) {
        fail_msg("%s", fixture->error.message);
    }
    return fixture->config;
}

static void assert_refused(struct fixture *fixture, const char *text, const char *message)
{
    assert_int_equal(fc_config_parse(fc_slice_text(text), &fixture->source, &fixture->config,
                                     &fixture->error),
                     FC_ERR_CONFIG);
    assert_string_equal(fixture->error.message, message);
}

static void the_smallest_file_has_all_defaults(void **state)
{
    const struct fc_config *config = parse(*state, HEAD META);
    assert_string_equal(config->name, "shop");
    assert_string_equal(config->plugin, "mysql");
    assert_null(config->version);
    assert_string_equal(config->topic, "shop");
    assert_string_equal(config->dir, "conf");
    assert_string_equal(config->log_dir, "conf/fluvio-data");
    assert_int_equal(config->envelope, FC_ENVELOPE_EXACT);
    assert_true(config->tombstones);
    assert_int_equal(config->on_error, FC_ON_ERROR_FAIL);
    assert_string_equal(config->dead_letter_topic, "shop.dead-letter");
    assert_int_equal(config->workers, 0);
    assert_int_equal(config->memory_bytes, 48 * 1024 * 1024);
    assert_int_equal(config->topic_config.compression, FC_COMPRESSION_LZ4);
    assert_int_equal(config->topic_config.flush, FC_FLUSH_DURABLE);
    assert_int_equal(config->topic_config.partitions, 1);
    assert_int_equal(config->topic_config.retention_ms, -1);
    assert_int_equal(config->topic_config.retention_bytes, -1);
    assert_int_equal(config->topic_config.segment_bytes, 1024 * 1024 * 1024);
    assert_int_equal(config->topic_config.record_bytes_max, 64 * 1024 * 1024);
    assert_int_equal(config->step_count, 0);
    assert_null(config->plugin_block);
}

static void little_memory_makes_smaller_batches(void **state)
{
    const struct fc_config *config = parse(*state, HEAD META "memory: 8MiB\n");
    assert_int_equal(config->batch_bytes, 512 * 1024);
}

static void a_kafka_cluster_takes_properties_of_librdkafka(void **state)
{
    const struct fc_config *config = parse(
        *state, HEAD META "log:\n  kafka:\n    bootstrap.servers: a:9092,b:9092\n"
                          "    linger.ms: 20\n    replication-factor: 3\n    state-dir: run\n");
    assert_int_equal(config->kafka_count, 2);
    assert_string_equal(config->kafka[0].name, "bootstrap.servers");
    assert_string_equal(config->kafka[0].value, "a:9092,b:9092");
    assert_string_equal(config->kafka[1].name, "linger.ms");
    assert_int_equal(config->kafka_replication, 3);
    assert_string_equal(config->log_dir, "conf/run");
    assert_int_equal(config->topic_config.given, 0);
}

static void a_cluster_is_refused_where_it_is_wrong(void **state)
{
    struct fixture *fixture = *state;
    assert_refused(
        fixture, HEAD META "log:\n  kafka:\n    linger.ms: 5\n",
        "conf/f.yaml:8:5: `bootstrap.servers` is missing in log.kafka: the brokers to "
        "begin with, such as 127.0.0.1:9092");
    assert_refused(fixture, HEAD META "log:\n  kafka: { bootstrap.servers: [a, b] }\n",
                   "conf/f.yaml:7:31: `bootstrap.servers` must have one value, not a list");
    assert_refused(
        fixture, HEAD META "log:\n  kafka: { bootstrap.servers: a }\n  embedded: { dir: x }\n",
        "conf/f.yaml:8:3: the log is either `embedded` or `kafka`: name one");
    assert_refused(fixture,
                   HEAD META "log:\n  kafka: { bootstrap.servers: a, replication-factor: 0 }\n",
                   "conf/f.yaml:7:54: `replication-factor` must be a number from 1 to 32767; "
                   "without it the cluster's default counts");
    assert_refused(fixture, HEAD META "log:\n  kafka: { bootstrap.servers: a, acks: 1 }\n",
                   "conf/f.yaml:7:40: `acks` cannot be set: that nothing is lost or written "
                   "twice rests on it");
}

static void a_clusters_password_may_be_a_secret_and_is_not_told(void **state)
{
    struct fixture *fixture = *state;
    const struct fc_config *config;
    assert_int_equal(setenv("FLUVIO_TEST_SALT", "pepper", 1), 0);
    config = parse(fixture, HEAD META "log:\n  kafka:\n    bootstrap.servers: a\n"
                                      "    sasl.password: ${{ secrets.FLUVIO_TEST_SALT }}\n");
    assert_string_equal(config->kafka[1].value, "pepper");
    assert_null(config->kafka_password_in_clear);
    fc_config_free(fixture->config);
    fixture->config = NULL;
    config = parse(fixture, HEAD META "log:\n  kafka:\n    bootstrap.servers: a\n"
                                      "    sasl.password: clear\n");
    assert_string_equal(config->kafka_password_in_clear, "sasl.password");
    fc_config_free(fixture->config);
    fixture->config = NULL;
    assert_int_equal(
        fc_config_parse(fc_slice_text(HEAD META
                                      "log:\n  kafka:\n    bootstrap.servers: a\n"
                                      "    linger.ms: ${{ secrets.FLUVIO_TEST_SALT }}\n"),
                        &fixture->source, &fixture->config, &fixture->error),
        FC_ERR_CONFIG);
    assert_null(strstr(fixture->error.message, "pepper"));
}

static void every_key_of_a_full_file_arrives(void **state)
{
    const struct fc_config *config =
        parse(*state,
              "apiVersion: \"0.1.0\"\n"
              "meta:\n  name: shop-1\n  type: my-db-source\n  version: 0.2.0\n"
              "  topic: shop.${table}\n"
              "  producer:\n    compression: zstd\n    batch-size: 256KiB\n    partitions: 4\n"
              "    flush: os\n    retention: 30d\n    retention-bytes: 10GiB\n"
              "    segment-bytes: 64MiB\n    record-bytes-max: 1MiB\n"
              "envelope: debezium\ntombstones: false\non-error: dead-letter\n"
              "dead-letter-topic: dead\nworkers: 3\nmemory: 64MiB\n"
              "log:\n  embedded:\n    dir: /var/lib/shop\n"
              "transforms:\n  - uses: mask\n    with: { columns: [email], with: \"***\" }\n"
              "  - uses: lua/own.lua\n"
              "my-db:\n  host: x\n");
    assert_string_equal(config->plugin, "my-db");
    assert_string_equal(config->version, "0.2.0");
    assert_string_equal(config->topic, "shop.${table}");
    assert_int_equal(config->topic_config.compression, FC_COMPRESSION_ZSTD);
    assert_int_equal(config->topic_config.flush, FC_FLUSH_OS);
    assert_int_equal(config->topic_config.partitions, 4);
    assert_true(config->topic_config.retention_ms == INT64_C(30) * 86400000);
    assert_true(config->topic_config.retention_bytes == INT64_C(10) << 30);
    assert_int_equal(config->topic_config.segment_bytes, 64 << 20);
    assert_int_equal(config->topic_config.record_bytes_max, 1 << 20);
    assert_int_equal(config->batch_bytes, 256 << 10);
    assert_int_equal(config->envelope, FC_ENVELOPE_DEBEZIUM);
    assert_false(config->tombstones);
    assert_int_equal(config->on_error, FC_ON_ERROR_DEAD_LETTER);
    assert_string_equal(config->dead_letter_topic, "dead");
    assert_int_equal(config->workers, 3);
    assert_string_equal(config->log_dir, "/var/lib/shop");
    assert_int_equal(config->step_count, 2);
    assert_string_equal(config->steps[0].uses, "mask");
    assert_string_equal(config->steps[0].with_json,
                        "{\"columns\":[\"email\"],\"with\":\"***\"}");
    assert_int_equal(config->steps[0].line, 26);
    assert_string_equal(config->steps[1].uses, "lua/own.lua");
    assert_null(config->steps[1].with_json);
    assert_string_equal(fc_yaml_get(config->plugin_block, "host")->text, "x");
}

static void unknown_keys_are_refused_with_the_nearest_one(void **state)
{
    struct fixture *fixture = *state;
    assert_refused(fixture, HEAD META "envelop: exact\n",
                   "conf/f.yaml:6:1: unknown key `envelop` in the file, did you mean "
                   "`envelope`?");
    assert_refused(fixture, HEAD "mta:\n  name: x\n",
                   "conf/f.yaml:2:1: unknown key `mta`, did you mean `meta`?");
    assert_refused(fixture, HEAD META "mysq: {}\n",
                   "conf/f.yaml:6:1: unknown key `mysq` in the file, did you mean `mysql`?");
    assert_refused(fixture, HEAD META "  producer:\n    compresion: lz4\n",
                   "conf/f.yaml:7:5: unknown key `compresion` in meta.producer, did you mean "
                   "`compression`?");
    assert_refused(fixture, HEAD META "log:\n  embeded: {}\n",
                   "conf/f.yaml:7:3: unknown key `embeded` in log, did you mean `embedded`?");
    assert_refused(fixture, HEAD META "transforms:\n  - use: mask\n",
                   "conf/f.yaml:7:5: unknown key `use` in transforms, did you mean `uses`?");
}

static void missing_keys_are_named(void **state)
{
    struct fixture *fixture = *state;
    assert_refused(fixture, META,
                   "conf/f.yaml:1:1: `apiVersion` is missing in the file: version of this "
                   "file's format, 0.1.0");
    assert_refused(fixture, HEAD,
                   "conf/f.yaml:1:1: `meta` is missing: a map with at least name, type and "
                   "topic");
    assert_refused(fixture, HEAD "meta:\n  name: a\n  type: mysql-source\n",
                   "conf/f.yaml:3:3: `topic` is missing in meta: a name, or a template such as "
                   "shop.${table}");
    assert_refused(fixture, HEAD META "transforms:\n  - with: {}\n",
                   "conf/f.yaml:7:5: `uses` is missing in transforms: a ready-made transform's "
                   "name, or a path that ends in .lua");
}

static void wrong_contents_are_named_with_what_is_right(void **state)
{
    struct fixture *fixture = *state;
    assert_refused(fixture, "apiVersion: 0.2.0\n" META,
                   "conf/f.yaml:1:13: `apiVersion` must be 0.1.0, not `0.2.0`");
    assert_refused(fixture, HEAD "meta: { name: Shop, type: mysql-source, topic: a }\n",
                   "conf/f.yaml:2:15: `name` must be 1 to 100 of a-z, 0-9 and `-`, not `Shop`");
    assert_refused(fixture, HEAD "meta: { name: shop, type: mysql, topic: a }\n",
                   "conf/f.yaml:2:27: `type` must be <connector>-source, such as mysql-source, "
                   "or <connector>-sink, not `mysql`");
    assert_refused(fixture, HEAD "meta: { name: shop, type: ../x-source, topic: a }\n",
                   "conf/f.yaml:2:27: `type` must be <connector>-source, such as mysql-source, "
                   "not `../x-source`");
    assert_refused(fixture, HEAD "meta: { name: shop, type: mysql-source, topic: \"a b\" }\n",
                   "conf/f.yaml:2:48: topic `a b`: a topic name has only letters, digits, `.`, "
                   "`_` and `-`");
    assert_refused(fixture, HEAD META "delivery: twice\n",
                   "conf/f.yaml:6:11: `delivery` must be one of exactly-once|at-least-once, "
                   "not `twice`");
    assert_refused(
        fixture, HEAD META "  producer: { retention: 30 }\n",
        "conf/f.yaml:6:26: `retention` must be forever or an age such as 12h or 30d, "
        "not `30`");
    assert_refused(fixture, HEAD META "dead-letter-topic: ${table}\n",
                   "conf/f.yaml:6:20: `dead-letter-topic` must be one name, not a template");
    assert_refused(fixture, HEAD META "memory: 1MiB\n",
                   "conf/f.yaml:6:9: `memory` must be between 8MiB and 1TiB, not `1MiB`");
    assert_refused(
        fixture, HEAD META "  producer: { batch-size: 4MiB }\nmemory: 32MiB\n",
        "conf/f.yaml:6:27: `batch-size` must be at most a 16th of `memory`: 2048 KiB, "
        "or raise `memory`");
    assert_refused(fixture, HEAD META "transforms: [{ uses: some/thing }]\n",
                   "conf/f.yaml:6:22: `uses` must be a ready-made transform's name or a path "
                   "that ends in .lua, not `some/thing`");
    assert_refused(fixture, HEAD META "transforms: mask\n",
                   "conf/f.yaml:6:13: `transforms` must be a list whose items have `uses`, not "
                   "a single value");
    assert_refused(fixture, "- a\n",
                   "conf/f.yaml:1:1: a connector file is a map that begins with `apiVersion: "
                   "0.1.0`, not a list");
    assert_refused(fixture, HEAD META "  secrets: PASSWORD\n",
                   "conf/f.yaml:6:12: `secrets` must be a list such as [{ name: PASSWORD }], "
                   "not a single value");
}

static void secrets_are_filled_in_the_plugins_block_and_in_with(void **state)
{
    const struct fc_config *config;
    assert_int_equal(setenv("FLUVIO_TEST_SALT", "pepper", 1), 0);
    config = parse(*state, HEAD META "  secrets:\n    - name: FLUVIO_TEST_SALT\n"
                                     "transforms:\n  - uses: hash\n"
                                     "    with: { salt: \"${{ secrets.FLUVIO_TEST_SALT }}\" }\n"
                                     "mysql:\n  password: ${{ secrets.FLUVIO_TEST_SALT }}\n");
    assert_string_equal(config->steps[0].with_json, "{\"salt\":\"pepper\"}");
    assert_string_equal(fc_yaml_get(config->plugin_block, "password")->text, "pepper");
    assert_true(fc_yaml_get(config->plugin_block, "password")->secret);
}

static void secrets_anywhere_else_are_refused(void **state)
{
    struct fixture *fixture = *state;
    assert_refused(
        fixture, HEAD META "log:\n  embedded:\n    dir: /x/${{ secrets.HOME }}\n",
        "conf/f.yaml:8:10: secrets can only be used in the connector's own block, in "
        "log.kafka and in a transform's `with`");
}

static void without_secrets_none_is_looked_up(void **state)
{
    struct fixture *fixture = *state;
    fixture->source.without_secrets = true;
    assert_string_equal(
        parse(fixture, HEAD META "mysql: { p: \"${{ secrets.FLUVIO_TEST_NOT_SET }}\" }\n")
            ->log_dir,
        "conf/fluvio-data");
}

static void a_file_on_disk_says_whether_others_can_read_it(void **state)
{
    struct fixture *fixture = *state;
    fixture->path = temp_file_write(fixture->dir, "f.yaml", HEAD META, 0644);
    fixture->source.path = fixture->path;
    assert_int_equal(fc_config_load(&fixture->source, &fixture->config, &fixture->error),
                     FC_OK);
    assert_true(fixture->config->readable_by_others);
    assert_string_equal(fixture->config->dir, fixture->dir);
    fc_config_free(fixture->config);
    fixture->config = NULL;
    free(fixture->path);
    fixture->path = temp_file_write(fixture->dir, "f.yaml", HEAD META, 0600);
    fixture->source.path = fixture->path;
    assert_int_equal(fc_config_load(&fixture->source, &fixture->config, &fixture->error),
                     FC_OK);
    assert_false(fixture->config->readable_by_others);
}

static void a_file_that_is_missing_or_too_large_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char *text;
    fixture->source.path = "/nonexistent/f.yaml";
    assert_int_equal(fc_config_load(&fixture->source, &fixture->config, &fixture->error),
                     FC_ERR_NOT_FOUND);
    assert_string_equal(fixture->error.message,
                        "/nonexistent/f.yaml: No such file or directory");
    text = fc_alloc_zeroed(FC_CONFIG_FILE_BYTES_MAX + 2, 1);
    memset(text, '#', FC_CONFIG_FILE_BYTES_MAX + 1);
    fixture->path = temp_file_write(fixture->dir, "f.yaml", text, 0600);
    free(text);
    fixture->source.path = fixture->path;
    assert_int_equal(fc_config_load(&fixture->source, &fixture->config, &fixture->error),
                     FC_ERR_CONFIG);
    assert_non_null(strstr(fixture->error.message, "f.yaml: larger than 1024 KiB"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(the_smallest_file_has_all_defaults),
        T(little_memory_makes_smaller_batches),
        T(every_key_of_a_full_file_arrives),
        T(a_kafka_cluster_takes_properties_of_librdkafka),
        T(a_cluster_is_refused_where_it_is_wrong),
        T(a_clusters_password_may_be_a_secret_and_is_not_told),
        T(unknown_keys_are_refused_with_the_nearest_one),
        T(missing_keys_are_named),
        T(wrong_contents_are_named_with_what_is_right),
        T(secrets_are_filled_in_the_plugins_block_and_in_with),
        T(secrets_anywhere_else_are_refused),
        T(without_secrets_none_is_looked_up),
        T(a_file_on_disk_says_whether_others_can_read_it),
        T(a_file_that_is_missing_or_too_large_is_refused),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
