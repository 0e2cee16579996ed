import type { ProcessorConfig } from '@perennial/config';
import type { ProcessorName } from '@perennial/contracts';
import { ReleaseStack } from '@perennial/kernel';
import { createMetrics, type Logger } from '@perennial/telemetry';
import { type OpenContext, openContext } from './open-context.js';

/** For a one-shot command that needs a processor's stores: opens them, and closes them after `work`. */
export async function withContext<Config extends ProcessorConfig, T>(
  name: ProcessorName,
  config: Config,
  { logger, work }: { readonly logger: Logger; readonly work: (context: OpenContext<Config>) => Promise<T> },
): Promise<T> {
  const releases = new ReleaseStack();
  try {
    const metrics = createMetrics({ service: name, namespace: config.namespace, processMetrics: false });
    const clientId = `${name}-command-${config.instanceId}`;
    return await work(await openContext(name, config, { logger, metrics, releases, clientId }));
  } finally {
    await releases.dispose();
  }
}
