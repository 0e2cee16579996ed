import { ReleaseStack } from '@perennial/kernel';
import type { Logger } from '@perennial/telemetry';
import type { App } from './run-service.js';

/**
 * Makes an app from its `start`, which returns its URL and registers with `releases` how to release what it acquires.
 * Resources are released in reverse order at a stop, or when the start fails; the error is then thrown on.
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
          .catch((failure: unknown) =>
            logger.warn({ error: failure }, 'could not release everything after a failed start'),
          );
        throw error;
      }
    },
    async stop() {
      await releases.dispose();
      logger.flush();
    },
  };
}
