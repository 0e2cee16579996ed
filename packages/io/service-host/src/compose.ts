import { ReleaseStack } from '@perennial/kernel';
import type { Logger } from '@perennial/telemetry';
import type { App } from './run-service.js';

/**
 * An app out of its `start`, which answers its URL and registers with `releases` how to give back what it acquires. That
 * is done in reverse at a stop, or when the start fails, whose error then goes on.
 */
export function composeApp(logger: Logger, start: (releases: ReleaseStack) => Promise<string>): App {
  const releases = new ReleaseStack();
  return {
    async start() {
      try {
        return { url: await start(releases) };
      } catch (error) {
        await releases
          .dispose()
          .catch((failure: unknown) => logger.warn({ error: failure }, 'roll back was not clean'));
        throw error;
      }
    },
    stop: () => releases.dispose(),
  };
}
