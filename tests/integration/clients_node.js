// SPDX-License-Identifier: Apache-2.0
// kafkajs and @platformatic/kafka against an SPU: node clients_node.js FOLDER-WITH-node_modules BOOTSTRAP
'use strict'
const { createRequire } = require('node:module')
const assert = require('node:assert')
const { pbkdf2Sync, randomBytes } = require('node:crypto')
const { readFileSync } = require('node:fs')
const fetched = createRequire(process.argv[2] + '/')
const bootstrap = process.argv[3]
const {
  Kafka, CompressionTypes, CompressionCodecs, ConfigResourceTypes, AclResourceTypes, AclOperationTypes, AclPermissionTypes, ResourcePatternTypes, logLevel
} = fetched('kafkajs')
const snappy = fetched('kafkajs-snappy')
const lz4 = fetched('lz4js')
const zstd = fetched('@bokuweb/zstd-wasm')
let passed = 0
let failed = 0

async function test (name, run) {
  try {
    await run()
    passed++
    console.log(`ok   clients_node/${name}`)
  } catch (error) {
    failed++
    console.log(`FAIL clients_node/${name}\n     ${error.stack}`)
  }
}

async function waitFor (condition, seconds = 30) {
  const deadline = Date.now() + seconds * 1000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not so after ${seconds} s`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

CompressionCodecs[CompressionTypes.Snappy] = snappy
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: async encoder => Buffer.from(lz4.compress(encoder.buffer)),
  decompress: async buffer => Buffer.from(lz4.decompress(buffer))
})
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async encoder => Buffer.from(zstd.compress(encoder.buffer, 3)),
  decompress: async buffer => Buffer.from(zstd.decompress(buffer))
})

const kafka = new Kafka({ clientId: 'test', brokers: [bootstrap], logLevel: logLevel.NOTHING, retry: { initialRetryTime: 50, retries: 8 } })
const admin = kafka.admin()

async function topic (name, partitions = 1, settings = {}) {
  await admin.createTopics({
    waitForLeaders: true,
    topics: [{ topic: name, numPartitions: partitions, replicationFactor: 1, configEntries: Object.entries(settings).map(([n, value]) => ({ name: n, value })) }]
  })
  return name
}

async function withProducer (options, run) {
  const producer = kafka.producer(options)
  await producer.connect()
  try {
    return await run(producer)
  } finally {
    await producer.disconnect()
  }
}

async function member (group, name, onMessage, more = {}) {
  const consumer = kafka.consumer({ groupId: group, sessionTimeout: 6000, heartbeatInterval: 300, maxWaitTimeInMs: 50, rebalanceTimeout: 10000, ...more })
  const self = { consumer, places: [], seen: [] }
  consumer.on(consumer.events.GROUP_JOIN, event => { self.places = event.payload.memberAssignment[name] || [] })
  await consumer.connect()
  await consumer.subscribe({ topic: name, fromBeginning: true })
  await consumer.run({ eachMessage: async each => { self.seen.push(each.message); onMessage && onMessage(each) } })
  return self
}

async function read (name, count, more = {}) {
  const one = await member(`read-${name}-${Math.random()}`, name, null, more)
  await waitFor(() => one.seen.length >= count)
  await one.consumer.disconnect()
  assert.strictEqual(one.seen.length, count)
  return one.seen
}

async function codecs () {
  for (const compression of [CompressionTypes.None, CompressionTypes.GZIP, CompressionTypes.Snappy, CompressionTypes.LZ4, CompressionTypes.ZSTD]) {
    const name = await topic(`codec-${compression}`)
    const messages = []
    for (let number = 0; number < 100; number++) {
      messages.push({ key: `key${number}`, value: `value${number}`.repeat(20), timestamp: `${1700000000000 + number}`, headers: { one: '1' } })
    }
    await withProducer({}, producer => producer.send({ topic: name, compression, messages }))
    const got = await read(name, 100)
    got.forEach((message, number) => {
      assert.deepStrictEqual([message.key.toString(), message.value.toString(), message.timestamp, message.offset, message.headers.one.toString()],
        [`key${number}`, `value${number}`.repeat(20), `${1700000000000 + number}`, `${number}`, '1'])
    })
  }
}

async function limits () {
  const small = await topic('small', 1, { 'max.message.bytes': '20000' })
  const compacted = await topic('compacted', 1, { 'cleanup.policy': 'compact' })
  await withProducer({ retry: { retries: 0 } }, async producer => {
    await assert.rejects(producer.send({ topic: small, messages: [{ value: 'x'.repeat(50000) }] }), { type: 'MESSAGE_TOO_LARGE' })
    await producer.send({ topic: compacted, messages: [{ key: 'key', value: 'value' }] })
    await assert.rejects(producer.send({ topic: compacted, messages: [{ value: 'value' }] }))
  })
}

async function idempotent () {
  const name = await topic('idempotent')
  await withProducer({ idempotent: true, maxInFlightRequests: 1 }, async producer => {
    for (let number = 0; number < 50; number++) {
      await producer.send({ topic: name, acks: -1, messages: [{ value: `${number}` }] })
    }
  })
  assert.deepStrictEqual((await read(name, 50)).map(message => message.value.toString()), [...Array(50).keys()].map(String))
}

async function transactions () {
  const name = await topic('transactions')
  const source = await topic('source')
  await withProducer({ transactionalId: 'kafkajs', idempotent: true, maxInFlightRequests: 1 }, async producer => {
    for (let number = 0; number < 6; number++) {
      const transaction = await producer.transaction()
      await transaction.send({ topic: name, messages: [{ value: `${number}` }] })
      if (number % 2 === 0) {
        await transaction.sendOffsets({ consumerGroupId: 'kafkajs-offsets', topics: [{ topic: source, partitions: [{ partition: 0, offset: `${number}` }] }] })
        await transaction.commit()
      } else {
        await transaction.abort()
      }
    }
  })
  assert.deepStrictEqual((await read(name, 3)).map(message => message.value.toString()), ['0', '2', '4'])
  await read(name, 6, { readUncommitted: true })
  const [offsets] = await admin.fetchOffsets({ groupId: 'kafkajs-offsets', topics: [source] })
  assert.strictEqual(offsets.partitions[0].offset, '4')
}

async function group () {
  const name = await topic('group', 6)
  let members = await Promise.all([0, 1, 2].map(() => member('group', name)))
  const shared = () => members.every(one => one.places.length > 0) && members.flatMap(one => one.places).sort().join() === '0,1,2,3,4,5'
  await waitFor(shared)
  const [left, ...rest] = members
  members = rest
  const [joined] = await Promise.all([member('group', name), left.consumer.disconnect()])
  members.push(joined)
  await waitFor(shared)
  await withProducer({}, producer => producer.send({ topic: name, messages: [...Array(300).keys()].map(number => ({ key: `${number}`, value: `${number}` })) }))
  await waitFor(() => members.reduce((sum, one) => sum + one.seen.length, 0) >= 300)
  assert.strictEqual(new Set(members.flatMap(one => one.seen.map(message => message.value.toString()))).size, 300)
  const description = await admin.describeGroups(['group'])
  assert.deepStrictEqual([description.groups[0].state, description.groups[0].members.length], ['Stable', 3])
  await Promise.all(members.map(one => one.consumer.disconnect()))
}

async function resume () {
  const name = await topic('resume')
  await withProducer({}, producer => producer.send({ topic: name, messages: [...Array(20).keys()].map(number => ({ value: `${number}` })) }))
  const first = await member('resume', name)
  await waitFor(() => first.seen.length === 20)
  await first.consumer.commitOffsets([{ topic: name, partition: 0, offset: '10', metadata: 'a note' }])
  await first.consumer.stop()
  await first.consumer.disconnect()
  await admin.setOffsets({ groupId: 'resume', topic: name, partitions: [{ partition: 0, offset: '10' }] })
  const second = await member('resume', name)
  await waitFor(() => second.seen.length === 10)
  assert.strictEqual(second.seen[0].value.toString(), '10')
  await second.consumer.disconnect()
}

async function administration () {
  const name = await topic('admin', 2)
  await admin.createPartitions({ topicPartitions: [{ topic: name, count: 4 }] })
  assert.strictEqual((await admin.fetchTopicMetadata({ topics: [name] })).topics[0].partitions.length, 4)
  await admin.alterConfigs({ resources: [{ type: ConfigResourceTypes.TOPIC, name, configEntries: [{ name: 'retention.ms', value: '7000' }] }] })
  const described = await admin.describeConfigs({ resources: [{ type: ConfigResourceTypes.TOPIC, name }], includeSynonyms: false })
  assert.strictEqual(described.resources[0].configEntries.find(entry => entry.configName === 'retention.ms').configValue, '7000')
  await withProducer({}, producer => producer.send({ topic: name, messages: [...Array(5).keys()].map(number => ({ value: 'x', partition: 0, timestamp: `${1700000000000 + number * 10}` })) }))
  assert.strictEqual((await admin.fetchTopicOffsetsByTimestamp(name, 1700000000015)).find(place => place.partition === 0).offset, '2')
  await admin.deleteTopicRecords({ topic: name, partitions: [{ partition: 0, offset: '3' }] })
  assert.deepStrictEqual((await admin.fetchTopicOffsets(name)).find(place => place.partition === 0), { partition: 0, offset: '5', high: '5', low: '3' })
  assert.ok((await admin.listGroups()).groups.some(each => each.groupId === 'resume'))
  await admin.deleteGroups(['resume'])
  assert.strictEqual((await admin.describeCluster()).brokers.length, 1)
  await admin.deleteTopics({ topics: [name] })
  assert.ok(!(await admin.listTopics()).includes(name))
}

const ssl = { ca: [readFileSync(process.env.CA)] }
const login = (username, password) => new Kafka({
  brokers: [process.env.TLS_BOOTSTRAP], ssl, sasl: { mechanism: 'scram-sha-512', username, password }, logLevel: logLevel.NOTHING, retry: { retries: 0 }
})

async function send (client, name) {
  const producer = client.producer()
  await producer.connect()
  try {
    await producer.send({ topic: name, messages: [{ value: 'secure' }] })
  } finally {
    await producer.disconnect()
  }
}

async function secure () {
  const name = await topic('secure')
  await send(login(process.env.SPU_USER, process.env.SPU_PASSWORD), name)
  await assert.rejects(login(process.env.SPU_USER, 'wrong').producer().connect())
  await read(name, 1)
}

const lines = acls => acls.map(acl => `${acl.resourceType} ${acl.resourceName} ${acl.resourcePatternType} ${acl.principal} ${acl.host} ${acl.operation} ${acl.permissionType}`).sort()

async function acls () {
  const name = await topic('acl-topic')
  const guest = login(process.env.GUEST, process.env.GUEST_PASSWORD)
  const allow = (resourceType, resourceName, resourcePatternType, operation) => ({
    resourceType, resourceName, resourcePatternType, principal: 'User:guest', host: '*', operation, permissionType: AclPermissionTypes.ALLOW
  })
  const write = allow(AclResourceTypes.TOPIC, name, ResourcePatternTypes.LITERAL, AclOperationTypes.WRITE)
  const more = [AclResourceTypes.TOPIC, AclResourceTypes.GROUP].map(type => allow(type, 'acl-', ResourcePatternTypes.PREFIXED, AclOperationTypes.READ))
  const all = {
    resourceType: AclResourceTypes.ANY, resourcePatternType: ResourcePatternTypes.ANY, principal: 'User:guest', operation: AclOperationTypes.ANY, permissionType: AclPermissionTypes.ANY
  }
  const refusedTopic = error => [error, error.cause].some(each => each?.type === 'TOPIC_AUTHORIZATION_FAILED')
  const consumes = async () => {
    const consumer = guest.consumer({ groupId: 'acl-group', maxWaitTimeInMs: 50 })
    try {
      await consumer.connect()
      await consumer.subscribe({ topic: name, fromBeginning: true })
      const first = new Promise((resolve, reject) => {
        consumer.on(consumer.events.CRASH, event => reject(event.payload.error))
        consumer.run({ eachMessage: async each => resolve(each.message) }).catch(reject)
      })
      return (await first).value.toString()
    } finally {
      await consumer.disconnect()
    }
  }
  await assert.rejects(send(guest, name), refusedTopic)
  assert.strictEqual(await admin.createAcls({ acl: [write] }), true)
  await send(guest, name)
  await assert.rejects(consumes(), { name: 'KafkaJSGroupCoordinatorNotFound' }) // what it makes of a group that is refused
  await admin.createAcls({ acl: more })
  assert.strictEqual(await consumes(), 'secure')
  const { resources } = await admin.describeAcls(all)
  assert.deepStrictEqual(lines(resources.flatMap(resource => resource.acls.map(acl => ({ ...resource, ...acl })))), lines([write, ...more]))
  const { filterResponses } = await admin.deleteAcls({ filters: [all] })
  assert.deepStrictEqual(lines(filterResponses[0].matchingAcls), lines([write, ...more]))
  await assert.rejects(send(guest, name), refusedTopic)
  assert.deepStrictEqual((await admin.describeAcls(all)).resources, [])
}

// --- @platformatic/kafka ---

const platformaticModule = import(fetched.resolve('@platformatic/kafka'))

async function platformatic () {
  const { Producer, Consumer, Admin, stringSerializers, stringDeserializers } = await platformaticModule
  const common = { clientId: 'platformatic', bootstrapBrokers: [bootstrap] }
  const client = new Admin(common)
  await client.createTopics({ topics: ['platformatic'], partitions: 3, replicas: 1 })
  const producer = new Producer({ ...common, serializers: stringSerializers, idempotent: true })
  const codecs = ['none', 'gzip', 'snappy', 'lz4']
  for (const compression of codecs) {
    await producer.send({
      compression,
      messages: [...Array(30).keys()].map(number => ({ topic: 'platformatic', key: `${number}`, value: `${compression} ${number}`, partition: number % 3, headers: { h: '1' } }))
    })
  }
  await producer.close()
  const got = []
  for (let turn = 1; turn <= 2; turn++) {
    const consumer = new Consumer({ ...common, groupId: 'platformatic', deserializers: stringDeserializers, sessionTimeout: 6000, heartbeatInterval: 300, maxWaitTime: 100 })
    const stream = await consumer.consume({ topics: ['platformatic'], mode: turn === 1 ? 'earliest' : 'committed', fallbackMode: 'earliest', autocommit: false })
    if (turn === 1) {
      for await (const message of stream) {
        got.push(message)
        await message.commit()
        if (got.length === 30 * codecs.length) break
      }
    } else {
      const late = new Producer({ ...common, serializers: stringSerializers })
      await late.send({ messages: [{ topic: 'platformatic', value: 'late', partition: 0 }] })
      await late.close()
      for await (const message of stream) {
        assert.strictEqual(message.value, 'late') // all else was committed
        break
      }
    }
    await consumer.close(true)
  }
  assert.strictEqual(new Set(got.map(message => message.value)).size, 30 * codecs.length)
  assert.strictEqual(got[0].headers.get('h'), '1')
  await client.deleteTopics({ topics: ['platformatic'] })
  await client.close()
}

// Every second transaction is aborted; what it consumed is part of each.
async function platformaticTransactions () {
  const { Producer, Consumer, stringSerializers, stringDeserializers } = await platformaticModule
  const source = await topic('platformatic-source')
  const target = await topic('platformatic-target')
  await withProducer({}, producer => producer.send({ topic: source, messages: [...Array(6).keys()].map(number => ({ value: `${number}` })) }))
  const common = { clientId: 'platformatic', bootstrapBrokers: [bootstrap] }
  const producer = new Producer({ ...common, serializers: stringSerializers, idempotent: true, transactionalId: 'platformatic' })
  const consumer = new Consumer({ ...common, groupId: 'platformatic-copier', deserializers: stringDeserializers, maxWaitTime: 100 })
  const stream = await consumer.consume({ topics: [source], mode: 'earliest', autocommit: false })
  for await (const message of stream) {
    const number = Number(message.value)
    const transaction = await producer.beginTransaction()
    await transaction.addConsumer(consumer)
    await transaction.addOffset(message)
    await transaction.send({ messages: [{ topic: target, value: message.value }] })
    await (number % 2 === 0 ? transaction.commit() : transaction.abort())
    if (number === 5) break
  }
  await consumer.close(true)
  await producer.close()
  assert.deepStrictEqual((await read(target, 3)).map(message => message.value.toString()), ['0', '2', '4'])
  await read(target, 6, { readUncommitted: true })
  const [offsets] = await admin.fetchOffsets({ groupId: 'platformatic-copier', topics: [source] })
  assert.strictEqual(offsets.partitions[0].offset, '5') // behind the last one that was committed
}

// It has the messages for users, but no call of its Admin: the password is salted here.
async function platformaticUser (name, password) {
  const { Connection, alterUserScramCredentialsV0, describeUserScramCredentialsV0 } = await platformaticModule
  const connection = new Connection('platformatic')
  const salt = randomBytes(24)
  const saltedPassword = pbkdf2Sync(password, salt, 8192, 64, 'sha512')
  await connection.connect(...bootstrap.split(':').map((part, index) => index === 1 ? Number(part) : part))
  await alterUserScramCredentialsV0.api.async(connection, [], [{ name, mechanism: 2, iterations: 8192, salt, saltedPassword }])
  const { results } = await describeUserScramCredentialsV0.api.async(connection, [{ name }])
  assert.deepStrictEqual(results[0].credentialInfos.map(each => ({ ...each })), [{ mechanism: 2, iterations: 8192 }])
  await connection.close()
}

async function platformaticAccess () {
  const { Producer, Consumer, Admin, ResourceTypes, ResourcePatternTypes, AclOperations, AclPermissionTypes, stringSerializers, stringDeserializers } = await platformaticModule
  const name = await topic('platformatic-acl')
  await platformaticUser('platformatic', 'platformatic-secret')
  const client = new Admin({ clientId: 'platformatic', bootstrapBrokers: [bootstrap] })
  const secured = {
    clientId: 'platformatic', bootstrapBrokers: [process.env.TLS_BOOTSTRAP], tls: ssl, retries: 0,
    sasl: { mechanism: 'SCRAM-SHA-512', username: 'platformatic', password: 'platformatic-secret' }
  }
  const sends = async () => {
    const producer = new Producer({ ...secured, serializers: stringSerializers })
    try {
      await producer.send({ messages: [{ topic: name, value: 'secure' }] })
    } finally {
      await producer.close()
    }
  }
  const consumes = async () => {
    const consumer = new Consumer({ ...secured, groupId: 'platformatic-group', deserializers: stringDeserializers, maxWaitTime: 100 })
    try {
      const stream = await consumer.consume({ topics: [name], mode: 'earliest', autocommit: false })
      for await (const message of stream) {
        await message.commit()
        return message.value
      }
    } finally {
      await consumer.close(true)
    }
  }
  const refused = error => [error, ...(error.errors ?? []), error.cause].some(each => /AUTHORIZATION_FAILED|authorized/i.test(JSON.stringify(each) + each)) ||
    assert.fail(error)
  const allow = { principal: 'User:platformatic', host: '*', permissionType: AclPermissionTypes.ALLOW, resourcePatternType: ResourcePatternTypes.LITERAL }
  const write = { ...allow, resourceType: ResourceTypes.TOPIC, resourceName: name, operation: AclOperations.WRITE }
  const reads = [
    { ...allow, resourceType: ResourceTypes.TOPIC, resourceName: name, operation: AclOperations.READ },
    { ...allow, resourceType: ResourceTypes.GROUP, resourceName: 'platformatic-group', operation: AclOperations.READ }]
  const all = {
    resourceType: ResourceTypes.ANY, resourceName: null, resourcePatternType: ResourcePatternTypes.ANY, principal: 'User:platformatic', host: null,
    operation: AclOperations.ANY, permissionType: AclPermissionTypes.ANY
  }
  await assert.rejects(sends(), refused)
  await client.createAcls({ creations: [write] })
  await sends()
  await assert.rejects(consumes(), refused)
  await client.createAcls({ creations: reads })
  assert.strictEqual(await consumes(), 'secure')
  const described = await client.describeAcls({ filter: all })
  assert.deepStrictEqual(lines(described.flatMap(resource => resource.acls.map(acl => ({ ...resource, ...acl })))), lines([write, ...reads]))
  assert.strictEqual((await client.deleteAcls({ filters: [all] })).length, 3)
  await assert.rejects(sends(), refused)
  await client.close()
}

async function main () {
  await zstd.init()
  await admin.connect()
  await test('kafkajs: all five codecs, keys, headers, timestamps', codecs)
  await test('kafkajs: too large, no key in a compacted topic: refused', limits)
  await test('kafkajs: idempotent producer', idempotent)
  await test('kafkajs: transactions, with offsets', transactions)
  await test('kafkajs: a group: members come and go at once', group)
  await test('kafkajs: commit and resume', resume)
  await test('kafkajs: administration', administration)
  await test('kafkajs: SCRAM-SHA-512 over TLS, a wrong password is refused', secure)
  await test('kafkajs: ACLs: created, described, deleted, and each counts at once', acls)
  await test('platformatic: codecs, a group, commits, idempotent producer', platformatic)
  await test('platformatic: transactions, with offsets', platformaticTransactions)
  await test('platformatic: a user by SCRAM credentials over TLS, ACLs that count at once', platformaticAccess)
  await admin.disconnect()
  console.log(`${passed} passed, ${failed} failed`)
  process.exit(failed === 0 ? 0 : 1)
}

main()
