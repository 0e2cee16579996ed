import { type Access, createAccess, type GrantStore, SCOPES, type Scope } from '@perennial/access';
import { toSha256 } from '@perennial/kernel';

/** The one token that `createTestAccess` knows. */
export const TEST_TOKEN = `pt_${'t'.repeat(43)}`;
/** The `Authorization` header with that token. */
export const TEST_AUTHORIZATION = { authorization: `Bearer ${TEST_TOKEN}` } as const;

/** A store that knows TEST_TOKEN, with these scopes. */
export function createTestGrants(scopes: readonly Scope[] = SCOPES): GrantStore {
  const grant = { id: 'tok_test', name: 'test', scopes, expiresAtMs: null };
  return { findByHash: async (hash) => (hash === toSha256(TEST_TOKEN) ? grant : undefined) };
}

/** Access in memory: TEST_TOKEN has these scopes, by default all. */
export function createTestAccess(scopes: readonly Scope[] = SCOPES): Access {
  return createAccess(createTestGrants(scopes));
}
