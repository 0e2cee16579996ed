import { createTokenStore, SCOPES } from '@perennial/access';
import { withPool } from '@perennial/postgres';
import { readTestEnvironment } from './environment.js';

const TOKEN = 'pt_integration-tests-have-a-token-of-their-own-000';

/** Has every scope of a namespace that `grantAccess` was called for. */
export const AUTHORIZATION = { authorization: `Bearer ${TOKEN}` } as const;

/** Registers the tests' token in a namespace; may be called again. */
export function grantAccess(namespace: string): Promise<void> {
  const { postgresUrl } = readTestEnvironment();
  return withPool({ url: postgresUrl, applicationName: 'test', connectionsMax: 1 }, async (pool) => {
    const store = createTokenStore(pool, namespace);
    await store.migrate();
    await store.import({ name: 'tests', scopes: SCOPES, expiresAt: null }, TOKEN);
  });
}
