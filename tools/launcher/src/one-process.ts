import { SERVICE_NAMES, type ServiceName } from '@perennial/contracts';
import { ReleaseStack } from '@perennial/kernel';
import { loadService } from './services.js';
import { printError } from './terminal.js';

/**
 * All services in one process, still over the topics: run as a script, with each one's variables in
 * ONE_PROCESS_VARIABLE.
 */

/** JSON: environment by service. */
const ONE_PROCESS_VARIABLE = 'PERENNIAL_ONE_PROCESS';

const DRAIN_DEADLINE_MS = 18_000;

async function runAll(environments: Readonly<Partial<Record<ServiceName, Record<string, string>>>>): Promise<void> {
  const apps = new ReleaseStack();
  // Install the handlers first: a signal that comes during the start must end it too.
  const stopped = waitForSignal();
  try {
    for (const service of SERVICE_NAMES) {
      const environment = environments[service];
      if (environment === undefined) continue;
      const { createApp, loadConfig } = await loadService(service);
      const app = await createApp(loadConfig({ ...process.env, ...environment }));
      await apps.acquire(
        service,
        async () => {
          await app.start();
          return app;
        },
        (started) => started.stop(),
      );
    }
    await stopped;
  } finally {
    setTimeout(() => process.exit(1), DRAIN_DEADLINE_MS).unref();
    await apps.dispose();
  }
}

function waitForSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
  });
}

try {
  await runAll(JSON.parse(process.env[ONE_PROCESS_VARIABLE] ?? '{}') as Record<ServiceName, Record<string, string>>);
  process.exit(0);
} catch (error) {
  printError(error, { stack: true });
  process.exit(1);
}
