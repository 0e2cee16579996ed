import { createArtifactStore } from '@perennial/artifacts';
import { type BlobLocation, openBlobStore } from '@perennial/blob-store';
import { type Pool, quoteIdentifier, runQuery } from '@perennial/postgres';
import type { IdentityStore } from '../ports.js';

/** The rules about ids that were rolled out last: which ones, from the ledger of rollouts; their bytes, from the artifacts. */
export function createIdentityStore(
  pool: Pool,
  { schema, namespace, artifacts }: { schema: string; namespace: string; artifacts: BlobLocation },
): IdentityStore {
  const table = `${quoteIdentifier(schema)}.rollouts`;
  // While a rollout is being written, partitions have different ones: the newest is what events are read by.
  const sql = `SELECT hash FROM ${table} WHERE kind = 'identity' ORDER BY written_at DESC, partition LIMIT 1`;
  return {
    async currentHash() {
      return (await runQuery<{ hash: string }>(pool, sql))[0]?.hash;
    },
    async load(hash) {
      const store = createArtifactStore(await openBlobStore(artifacts), { namespace });
      return (await store.load('identity', hash)).toString('utf8');
    },
  };
}
