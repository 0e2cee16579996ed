import { createArtifactStore } from '@perennial/artifacts';
import { type BlobLocation, openBlobStore } from '@perennial/blob-store';
import { type Pool, quoteIdentifier, runQuery } from '@perennial/postgres';
import type { IdentityStore } from '../ports.js';

/** The rules about ids that all partitions have: which ones, from the ledger of rollouts; their bytes, from the artifacts. */
export function createIdentityStore(
  pool: Pool,
  { schema, namespace, artifacts }: { schema: string; namespace: string; artifacts: BlobLocation },
): IdentityStore {
  const table = `${quoteIdentifier(schema)}.rollouts`;
  const sql = `SELECT hash FROM ${table} WHERE kind = 'identity' AND partition < $1 ORDER BY written_at, partition DESC`;
  return {
    async currentHash(partitions) {
      const oldestFirst = await runQuery<{ hash: string }>(pool, sql, [partitions]);
      // A rollout is written to one partition after another and may stop half-way. A tie must be behind the rollout on its
      // target: the last partition that others have gone past has what all have had, and nothing newer is on all.
      return oldestFirst.length < partitions ? undefined : oldestFirst[0]?.hash;
    },
    async load(hash) {
      const store = createArtifactStore(await openBlobStore(artifacts), { namespace });
      return (await store.load('identity', hash)).toString('utf8');
    },
  };
}
