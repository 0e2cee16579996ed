import { createKafkaLog, createTopics } from '@perennial/kafka';
import { describeLogContract } from '@perennial/kafka/testing';
import { must } from '@perennial/kernel';
import { createSilentLogger } from '@perennial/telemetry';

describeLogContract('Kafka', async () => {
  const brokers = must(process.env.PERENNIAL_TEST_KAFKA_BROKERS, 'PERENNIAL_TEST_KAFKA_BROKERS').split(',');
  const connection = { brokers, clientId: 'log-contract', logger: createSilentLogger() };
  const log = createKafkaLog(connection);
  return {
    log,
    async createTopic(name, partitions) {
      await createTopics(connection, [{ name, partitions, retentionMs: 3_600_000, cleanup: 'delete' }]);
    },
    close: () => log.close(),
  };
});
