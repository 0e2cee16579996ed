import { STATEFUL_SERVICE_NAMES } from '@perennial/contracts';
import { createKafkaLog } from '@perennial/kafka';
import { must, ReleaseStack } from '@perennial/kernel';
import { toKafkaConnection } from './kafka-connection.js';
import { rebuildChain } from './rebuild-chain.js';
import { REBUILD_VARIABLE, type RebuildMessage, type RebuildOrder } from './rebuild-order.js';
import { loadStatefulService, type ServiceRebuild } from './services.js';
import { printError, printJsonLine } from './terminal.js';

/**
 * Rebuilds a namespace from its archive: run as a script, with a RebuildOrder in REBUILD_VARIABLE. Prints JSON lines.
 */

function tell(message: RebuildMessage): void {
  printJsonLine(message);
}

async function run({ namespace, force, environments }: RebuildOrder): Promise<void> {
  const releases = new ReleaseStack();
  try {
    const opened: ServiceRebuild[] = [];
    for (const service of STATEFUL_SERVICE_NAMES) {
      const { openRebuild, loadConfig } = await loadStatefulService(service);
      const environment = { ...process.env, ...environments[service], LOG_LEVEL: 'silent' };
      opened.push(
        await releases.acquire(
          service,
          () => openRebuild(loadConfig(environment)),
          (part) => part.close(),
        ),
      );
    }
    const brokers = must(environments['feature-store'].KAFKA_BROKERS, 'KAFKA_BROKERS');
    const log = createKafkaLog(toKafkaConnection(brokers, 'perennial-rebuild'));
    releases.push('log', () => log.close());
    const [first, ...others] = opened.map(({ stage }) => stage);
    const summary = await rebuildChain({
      namespace,
      force,
      log,
      archive: must(opened[0]?.archive, 'the archive of feature-store'),
      stages: [must(first, 'a first stage'), ...others],
      onProgress: (progress) => tell({ progress }),
    });
    tell({ summary });
  } finally {
    await releases.dispose();
  }
}

try {
  await run(JSON.parse(must(process.env[REBUILD_VARIABLE], REBUILD_VARIABLE)) as RebuildOrder);
  process.exit(0);
} catch (error) {
  printError(error);
  process.exit(1);
}
