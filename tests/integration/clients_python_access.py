# SPDX-License-Identifier: Apache-2.0
# Cases of logging in, users and ACLs: Python's clients against the listener with SCRAM over TLS.
import asyncio
import os
import ssl

import aiokafka
import kafka
import kafka.admin
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import (AclBinding, AclBindingFilter, AclOperation, AclPermissionType, AdminClient, ResourcePatternType, ResourceType,
                                   ScramCredentialInfo, ScramMechanism, UserScramCredentialDeletion, UserScramCredentialUpsertion)

from clients_python_cases import BOOTSTRAP, admin, case, produce, read, refused, same, topic, wait_for


def secure(**more):
    return {"bootstrap.servers": os.environ["TLS_BOOTSTRAP"], "security.protocol": "SASL_SSL", "sasl.mechanisms": "SCRAM-SHA-512",
            "sasl.username": os.environ["SPU_USER"], "sasl.password": os.environ["SPU_PASSWORD"], "ssl.ca.location": os.environ["CA"], **more}


@case("confluent: SCRAM-SHA-512 over TLS, a wrong password is refused")
def confluent_secure():
    name = topic("secure")
    produce(name, ["confluent"], client=Producer(secure()))
    failures = []
    client = Producer(secure(**{"sasl.password": "wrong", "error_cb": lambda error: failures.append(error.code())}))
    wait_for(lambda: client.poll(0.1) and KafkaError._AUTHENTICATION in failures or KafkaError._AUTHENTICATION in failures)


@case("kafka-python and aiokafka: SCRAM-SHA-512 over TLS")
def python_secure():
    context = ssl.create_default_context(cafile=os.environ["CA"])
    login = {"bootstrap_servers": os.environ["TLS_BOOTSTRAP"], "security_protocol": "SASL_SSL", "sasl_mechanism": "SCRAM-SHA-512",
             "sasl_plain_username": os.environ["SPU_USER"], "sasl_plain_password": os.environ["SPU_PASSWORD"], "ssl_context": context}
    client = kafka.KafkaProducer(**login)
    client.send("secure", b"kafka-python", partition=0).get(20)
    client.close()

    async def send():
        sender = aiokafka.AIOKafkaProducer(**login)
        await sender.start()
        await sender.send_and_wait("secure", b"aiokafka", partition=0)
        await sender.stop()
    asyncio.run(send())
    same(["confluent", "kafka-python", "aiokafka"], [message.value().decode() for message in read("secure", 3)])


def sends(client, name):
    """Fails with what the delivery failed with."""
    outcome = []
    client.produce(name, "secure", partition=0, on_delivery=lambda error, _: outcome.append(error))
    same(0, client.flush(20))
    return outcome[0] and outcome[0].code()


@case("confluent: users by SCRAM credentials: made, shown, deleted")
def confluent_users():
    def alter(*alterations):
        for future in admin.alter_user_scram_credentials(list(alterations)).values():
            future.result(20)

    def logs_in(mechanism):
        failures = []
        client = AdminClient(secure(**{"sasl.username": "confluent", "sasl.password": "confluent-secret", "sasl.mechanisms": mechanism,
                                       "error_cb": lambda error: failures.append(error.code())}))
        try:
            return bool(client.list_topics(timeout=10 if mechanism == "SCRAM-SHA-512" else 2).brokers)
        except KafkaException:
            wait_for(lambda: client.poll(0.1) or KafkaError._AUTHENTICATION in failures)
            return False
    both = (ScramMechanism.SCRAM_SHA_256, 4096), (ScramMechanism.SCRAM_SHA_512, 8192)
    alter(*(UserScramCredentialUpsertion("confluent", ScramCredentialInfo(*each), b"confluent-secret") for each in both))
    description = admin.describe_user_scram_credentials(["confluent"])["confluent"].result(20)
    same(sorted(both), sorted((each.mechanism, each.iterations) for each in description.scram_credential_infos))
    same((True, True), (logs_in("SCRAM-SHA-256"), logs_in("SCRAM-SHA-512")))
    alter(UserScramCredentialDeletion("confluent", ScramMechanism.SCRAM_SHA_256))
    same((False, True), (logs_in("SCRAM-SHA-256"), logs_in("SCRAM-SHA-512")))


@case("confluent: ACLs: created, described, deleted, and each counts at once")
def confluent_acls():
    name = topic("acl-topic")
    guest = {"sasl.username": os.environ["GUEST"], "sasl.password": os.environ["GUEST_PASSWORD"]}

    def allow(kind, what, pattern, operation):
        return AclBinding(kind, what, pattern, "User:guest", "*", operation, AclPermissionType.ALLOW)

    def create(*bindings):
        for future in admin.create_acls(list(bindings)).values():
            future.result(20)

    def consumes():
        client = Consumer(secure(**guest, **{"group.id": "acl-group", "auto.offset.reset": "earliest", "enable.auto.commit": False}))
        client.subscribe([name])
        messages = []
        wait_for(lambda: messages.extend(client.consume(1, 0.2)) or messages)
        if messages[0].error() is None:
            client.commit(asynchronous=False)
        client.close()
        return messages[0].error().code() if messages[0].error() else messages[0].value()
    write = allow(ResourceType.TOPIC, name, ResourcePatternType.LITERAL, AclOperation.WRITE)
    reads = [allow(kind, "acl-", ResourcePatternType.PREFIXED, AclOperation.READ) for kind in (ResourceType.TOPIC, ResourceType.GROUP)]
    everything = AclBindingFilter(ResourceType.ANY, None, ResourcePatternType.ANY, "User:guest", None, AclOperation.ANY, AclPermissionType.ANY)
    same(KafkaError.TOPIC_AUTHORIZATION_FAILED, sends(Producer(secure(**guest)), name))
    create(write)
    same(None, sends(Producer(secure(**guest)), name))
    same(KafkaError.GROUP_AUTHORIZATION_FAILED, consumes())
    create(*reads)
    same(b"secure", consumes())
    same(sorted([write, *reads]), sorted(admin.describe_acls(everything).result(20)))
    same(sorted([write, *reads]), sorted(admin.delete_acls([everything])[everything].result(20)))
    same(KafkaError.TOPIC_AUTHORIZATION_FAILED, sends(Producer(secure(**guest)), name))
    same([], admin.describe_acls(everything).result(20))


@case("kafka-python: a user by SCRAM credentials, ACLs that count at once, for aiokafka, too")
def kafka_python_acls():
    name, client = topic("kafka-python-acl"), kafka.KafkaAdminClient(bootstrap_servers=BOOTSTRAP)
    mechanism = kafka.admin.ScramMechanism.SCRAM_SHA_256
    same({"python": None}, client.alter_user_scram_credentials([kafka.admin.UserScramCredentialUpsertion("python", mechanism, "python-secret")]))
    same([mechanism], [each["mechanism"] for each in client.describe_user_scram_credentials(["python"])["python"]["credential_infos"]])
    login = {"bootstrap_servers": os.environ["TLS_BOOTSTRAP"], "security_protocol": "SASL_SSL", "sasl_mechanism": "SCRAM-SHA-256",
             "sasl_plain_username": "python", "sasl_plain_password": "python-secret",
             "ssl_context": ssl.create_default_context(cafile=os.environ["CA"])}

    def python_sends():
        sender = kafka.KafkaProducer(max_block_ms=20000, **login)
        try:
            sender.send(name, b"kafka-python", partition=0).get(20)
            return None
        except kafka.errors.KafkaError as error:
            return type(error).__name__
        finally:
            sender.close()

    async def aiokafka_sends():
        sender = aiokafka.AIOKafkaProducer(**login)
        await sender.start()
        try:
            await sender.send_and_wait(name, b"aiokafka", partition=0)
            return None
        except aiokafka.errors.KafkaError as error:
            return type(error).__name__
        finally:
            await sender.stop()

    def both():
        return python_sends(), asyncio.run(aiokafka_sends())
    pattern = kafka.admin.ResourcePattern(kafka.admin.ResourceType.TOPIC, name)
    acl = kafka.admin.ACL("User:python", "*", kafka.admin.ACLOperation.WRITE, kafka.admin.ACLPermissionType.ALLOW, pattern)
    same(("TopicAuthorizationFailedError",) * 2, both())
    same([acl], client.create_acls([acl])["succeeded"])
    same((None, None), both())
    everything = kafka.admin.ACLFilter("User:python", None, kafka.admin.ACLOperation.ANY, kafka.admin.ACLPermissionType.ANY,
                                       kafka.admin.ResourcePatternFilter(kafka.admin.ResourceType.ANY, None, kafka.admin.ACLResourcePatternType.ANY))
    same([acl], client.describe_acls(everything)[0])
    same([acl], [each for _, matching, _ in client.delete_acls([everything]) for each in matching])
    same(("TopicAuthorizationFailedError",) * 2, both())
    client.close()
