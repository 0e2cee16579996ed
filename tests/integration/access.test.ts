import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createAccess, createTokenStore, createTokenText, runTokenCommand, type TokenStore } from '@perennial/access';
import { toPostgresSchema } from '@perennial/contracts';
import { toSha256 } from '@perennial/kernel';
import { createPool, type Pool } from '@perennial/postgres';
import { readTestEnvironment } from '../support/environment.js';
import { createRunName } from '../support/run-name.js';

/* Tokens in a real PostgreSQL: hashed at rest, replaced and revoked by concurrent callers. */

describe('tokens in PostgreSQL', () => {
  const namespace = `acc${createRunName()}`;
  let pool: Pool;
  let store: TokenStore;

  beforeAll(async () => {
    const { postgresUrl } = readTestEnvironment();
    pool = createPool({ url: postgresUrl, applicationName: 'test', connectionsMax: 4 });
    store = createTokenStore(pool, namespace);
    await store.migrate();
    await store.migrate();
  });
  afterAll(() => pool.end());

  const readOnly = (name: string) => ({ name, scopes: ['read'] as const, expiresAt: null });
  const ask = (token: string, scope: 'read' | 'operate') => createAccess(store).authorize(`Bearer ${token}`, scope);

  it('keep a hash only, and open what their scopes say', async () => {
    const { token } = await store.create(readOnly('ops'));
    expect(await ask(token, 'read')).toMatchObject({ name: 'ops', scopes: ['read'] });
    await expect(ask(token, 'operate')).rejects.toMatchObject({ code: 'forbidden' });
    const { rows } = await pool.query(`SELECT * FROM ${toPostgresSchema(namespace, 'access')}.tokens`);
    expect(JSON.stringify(rows)).toContain(toSha256(token));
    expect(JSON.stringify(rows)).not.toContain(token);
  });

  it('have a name of their own while they are in use', async () => {
    const first = await store.create(readOnly('ci'));
    await expect(store.create(readOnly('ci'))).rejects.toMatchObject({ code: 'conflict' });
    expect((await store.revoke('ci')).revokedAt).not.toBeNull();
    await expect(ask(first.token, 'read')).rejects.toMatchObject({ code: 'unauthenticated' });
    const second = await store.create(readOnly('ci'));
    expect((await store.revoke('ci')).id).toBe(second.id);
    expect((await store.list()).filter(({ name }) => name === 'ci')).toHaveLength(2);
    await expect(store.revoke('nobody')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('are imported once, also by several at once, and replace the one that had the name', async () => {
    const [first, second] = [createTokenText(), createTokenText()];
    const imported = await Promise.all([1, 2, 3].map(() => store.import(readOnly('local'), first)));
    const again = await store.import(readOnly('local'), first);
    expect(new Set(imported.map(({ id }) => id))).toEqual(new Set([again.id]));
    await store.import(readOnly('local'), second);
    await expect(ask(first, 'read')).rejects.toMatchObject({ code: 'unauthenticated' });
    expect(await ask(second, 'read')).toMatchObject({ name: 'local' });
    await expect(store.import(readOnly('local'), first)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('are made by the command, with an expiry', async () => {
    const lines: string[] = [];
    const context = { store, env: {}, nowMs: Date.parse('2026-01-01'), print: (line: string) => void lines.push(line) };
    await runTokenCommand(['create', '--name', 'month', '--scopes', 'read,operate', '--days', '30', '--json'], context);
    expect(JSON.parse(lines.join(''))).toMatchObject({
      name: 'month',
      scopes: ['read', 'operate'],
      expiresAt: '2026-01-31T00:00:00.000Z',
      token: expect.stringMatching(/^pt_/),
    });
    await expect(runTokenCommand(['import', '--name', 'x', '--scopes', 'read'], context)).rejects.toThrow(
      'PERENNIAL_TOKEN must hold',
    );
    await expect(runTokenCommand(['create', '--name', 'x', '--scopes', 'all'], context)).rejects.toThrow('scopes');
  });
});
