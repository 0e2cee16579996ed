import { PROCESSORS, type ProcessorName, parseNamespace, toTopic, toUpstream } from '@perennial/contracts';
import { createKafkaLog } from '@perennial/kafka';
import { must } from '@perennial/kernel';
import { type Processor, startProcessor } from '@perennial/keyed-processor';
import { connectRedis } from '@perennial/redis';
import { createLogger, createMetrics } from '@perennial/telemetry';
import { createEmptyDefinition } from './empty-definition.js';

/*
 * One stage of the empty pipeline as a process of its own, or several (`empty-process.js feature-store scoring
 * action`), configured by the environment of the service it replaces. Prints `ready` when it has joined its groups.
 */

const read = (name: string) => must(process.env[name], name);
const namespace = parseNamespace(read('PERENNIAL_NAMESPACE'));
const stages = process.argv.slice(2) as ProcessorName[];
const logger = createLogger({ service: 'empty', namespace, instanceId: String(process.pid), level: 'warn' });
const running: Processor[] = [];
for (const name of stages) {
  const { input, outputs } = must(PROCESSORS[name], `stage ${name}`);
  running.push(
    await startProcessor({
      definition: createEmptyDefinition({
        name,
        inputTopic: toTopic(namespace, input),
        sources: toUpstream(namespace, name),
        outputTopic: toTopic(namespace, outputs[0]),
      }),
      namespace,
      log: createKafkaLog({ brokers: read('KAFKA_BROKERS').split(','), clientId: name, logger }),
      redis: await connectRedis({ url: read('REDIS_URL'), logger, name }),
      logger,
      metrics: createMetrics({ service: name, namespace, processMetrics: false }),
    }),
  );
}
process.once('SIGTERM', () => {
  Promise.all(running.map((processor) => processor.stop())).then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
process.stdout.write('ready\n');
