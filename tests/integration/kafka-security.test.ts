import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createKafkaLog, createTopics, type KafkaSecurity, type Log } from '@perennial/kafka';
import { createSilentLogger } from '@perennial/telemetry';
import { readTopic } from '../support/read-topic.js';
import { findKafkaJars, PASSWORD, type SecureKafka, startSecureKafka, USERNAME } from '../support/secure-kafka.js';

/*
 * Kafka clients over TLS, with a name: against a real broker that accepts nothing else.
 */

const found = findKafkaJars();
const title = 'jars' in found ? 'a broker that asks for TLS and a name' : `a secure broker (skipped: ${found.problem})`;

('jars' in found ? describe : describe.skip)(title, () => {
  let kafka: SecureKafka;

  beforeAll(async () => {
    if ('jars' in found) kafka = await startSecureKafka(found.jars);
  }, 180_000);
  afterAll(() => kafka?.stop());

  const toConnection = (security: KafkaSecurity) => {
    return { brokers: kafka.brokers, clientId: 'test', security, logger: createSilentLogger() };
  };
  const toSasl = (mechanism: NonNullable<KafkaSecurity['sasl']>['mechanism'], password = PASSWORD) => {
    return { tls: { caFile: kafka.caFile }, sasl: { mechanism, username: USERNAME, password } };
  };
  async function withLog<T>(security: KafkaSecurity, work: (log: Log) => Promise<T>): Promise<T> {
    const log = createKafkaLog(toConnection(security));
    try {
      return await work(log);
    } finally {
      await log.close();
    }
  }

  it.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const)(
    'serves a client that proves its name by %s',
    async (mechanism) => {
      const topic = `t-${mechanism.toLowerCase()}`;
      await createTopics(toConnection(toSasl(mechanism)), [
        { name: topic, partitions: 1, retentionMs: 3_600_000, cleanup: 'delete' },
      ]);
      const values = await withLog(toSasl(mechanism), async (log) => {
        const producer = await log.createProducer();
        await producer.send([{ topic, partition: 0, key: null, value: Buffer.from(mechanism), headers: {} }]);
        return (await readTopic(log, topic)).map(({ value }) => String(value));
      });
      expect(values).toEqual([mechanism]);
    },
    60_000,
  );

  it('serves nobody else: a wrong password, a certificate of no known authority, no TLS', async () => {
    const ask = (security: KafkaSecurity) => withLog(security, (log) => log.offsets('t-plain'));
    await expect(ask(toSasl('SCRAM-SHA-512', 'wrong'))).rejects.toMatchObject({ code: 'dependency_unavailable' });
    await expect(ask({ ...toSasl('SCRAM-SHA-512'), tls: {} })).rejects.toThrow(/self-signed/);
    await expect(ask({})).rejects.toMatchObject({ code: expect.stringMatching(/dependency_unavailable|timeout/) });
  }, 120_000);
});
