import { createConfigReader, readKafkaSecurity } from '@perennial/config';
import type { KafkaConnection } from '@perennial/kafka';
import { createSilentLogger } from '@perennial/telemetry';

/**
 * How a tool reaches these brokers, with the security that the environment says, as for services. Throws
 * `config_invalid` with every problem.
 */
export function toKafkaConnection(kafkaBrokers: string, clientId: string): KafkaConnection {
  const reader = createConfigReader(process.env);
  const security = readKafkaSecurity(reader);
  reader.finish();
  return { brokers: kafkaBrokers.split(','), clientId, security, logger: createSilentLogger() };
}
