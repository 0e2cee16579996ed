import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ServiceName } from '@perennial/contracts';
import { ReleaseStack } from '@perennial/kernel';
import { findRoot } from '@perennial/native-stack';

/** All services in one process, still over the topics: run as a script, with each one's variables in ONE_PROCESS_VARIABLE. */

/** JSON: environment by service. */
const ONE_PROCESS_VARIABLE = 'PERENNIAL_ONE_PROCESS';

const DRAIN_DEADLINE_MS = 18_000;

/** What `services/<name>/dist/index.js` exports. */
interface ServiceModule {
  loadConfig(env: Readonly<Record<string, string | undefined>>): unknown;
  createApp(config: unknown): App | Promise<App>;
}

interface App {
  start(): Promise<{ url: string }>;
  stop(): Promise<void>;
}

async function runAll(environments: Readonly<Partial<Record<ServiceName, Record<string, string>>>>): Promise<void> {
  const apps = new ReleaseStack();
  // Listen first: a signal that comes during the start must end it too.
  const stopped = waitForSignal();
  try {
    for (const [service, environment] of Object.entries(environments)) {
      const app = await loadApp(service, environment);
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

async function loadApp(service: string, environment: Readonly<Record<string, string>>): Promise<App> {
  const path = join(findRoot(), 'services', service, 'dist', 'index.js');
  const module = (await import(pathToFileURL(path).href)) as ServiceModule;
  return module.createApp(module.loadConfig({ ...process.env, ...environment }));
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
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}
