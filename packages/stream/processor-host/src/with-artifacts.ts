import {
  type ArtifactRegistry,
  type ArtifactStore,
  createArtifactRegistry,
  createArtifactStore,
} from '@perennial/artifacts';
import { openBlobStore } from '@perennial/blob-store';
import type { ProcessorConfig } from '@perennial/config';
import type { ArtifactKind } from '@perennial/contracts';
import { withPool } from '@perennial/postgres';

/** A namespace's artifacts: the records, and the bytes. */
interface OpenArtifacts {
  readonly registry: ArtifactRegistry;
  readonly store: ArtifactStore;
  /** The bytes of the last registered artifact of a kind; undefined while there is none. */
  loadNewest(kind: ArtifactKind): Promise<Buffer | undefined>;
}

/**
 * For a command `register`, whose service validates the artifact. Creates the registry's tables when they are missing.
 */
export async function withArtifacts<T>(
  config: Pick<ProcessorConfig, 'namespace' | 'postgres' | 'artifacts'>,
  work: (artifacts: OpenArtifacts) => Promise<T>,
): Promise<T> {
  const { namespace } = config;
  const store = createArtifactStore(await openBlobStore(config.artifacts), { namespace });
  const connection = { url: config.postgres.url, applicationName: 'register-artifact', connectionsMax: 1 };
  return withPool(connection, async (pool) => {
    const registry = createArtifactRegistry({ pool, store, namespace });
    await registry.migrate();
    return work({
      registry,
      store,
      async loadNewest(kind) {
        const newest = (await registry.list(kind)).at(-1);
        return newest && store.load(kind, newest.hash);
      },
    });
  });
}
