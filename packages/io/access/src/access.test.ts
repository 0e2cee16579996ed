import { describe, expect, it } from '@jest/globals';
import { AppError, type Clock, toSha256 } from '@perennial/kernel';
import { createAccess } from './access.js';
import { CREDENTIAL_LIMITS } from './credential-directory.js';
import { parseScopes, SCOPES } from './scopes.js';
import type { Grant } from './token-store.js';
import { createTokenText, isTokenText } from './token-text.js';

const { ttlMs, storeAwayHoldMs, lookupsMax } = CREDENTIAL_LIMITS;

function open() {
  const time = { nowMs: 1_000_000 };
  const clock: Clock = { now: () => time.nowMs, steadyMs: () => time.nowMs, wait: async () => undefined };
  const grants = new Map<string, Grant>();
  const store = { away: false, lookups: 0 };
  const access = createAccess(
    {
      async findByHash(hash) {
        store.lookups++;
        if (store.away) throw new AppError('dependency_unavailable', 'PostgreSQL is away', { retriable: true });
        return grants.get(hash);
      },
    },
    clock,
  );
  const issue = (over: Partial<Grant> = {}) => {
    const token = createTokenText();
    grants.set(toSha256(token), { id: 'tok_1', name: 'ops', scopes: ['read'], expiresAtMs: null, ...over });
    return token;
  };
  const ask = (token: string) => access.authorize(`Bearer ${token}`, 'read');
  return { time, grants, store, issue, ask };
}

describe('access by tokens', () => {
  it('asks the store once for a token, and again when the answer is old', async () => {
    const { time, store, issue, ask } = open();
    const token = issue();
    expect(await ask(token)).toMatchObject({ name: 'ops' });
    await ask(token);
    expect(store.lookups).toBe(1);
    time.nowMs += ttlMs;
    await ask(token);
    expect(store.lookups).toBe(2);
  });

  it('forgets a revoked token within the time that answers hold', async () => {
    const { time, grants, issue, ask } = open();
    const token = issue();
    await ask(token);
    grants.clear();
    time.nowMs += ttlMs;
    await expect(ask(token)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('lets a known token in while the store is away, and asks again soon', async () => {
    const { time, store, issue, ask } = open();
    const known = issue();
    await ask(known);
    store.away = true;
    time.nowMs += ttlMs;
    expect(await ask(known)).toMatchObject({ name: 'ops' });
    const { lookups } = store;
    await ask(known);
    expect(store.lookups).toBe(lookups);
    time.nowMs += storeAwayHoldMs;
    await ask(known);
    expect(store.lookups).toBe(lookups + 1);
    await expect(ask(issue())).rejects.toMatchObject({ code: 'dependency_unavailable', retriable: true });
  });

  it('ends at its expiry, remembered or not', async () => {
    const { time, issue, ask } = open();
    const token = issue({ expiresAtMs: time.nowMs + 5 });
    await ask(token);
    time.nowMs += 5;
    await expect(ask(token)).rejects.toMatchObject({ code: 'unauthenticated', message: 'the token has expired' });
  });

  it('asks nobody about what cannot be a token', async () => {
    const { store, ask } = open();
    for (const text of ['pt_short', 'pk_key', `pt_${'x'.repeat(129)}`, `pt_${'%'.repeat(43)}`]) {
      await expect(ask(text)).rejects.toMatchObject({ code: 'unauthenticated' });
    }
    expect(store.lookups).toBe(0);
  });

  it('bounds the lookups at a time', async () => {
    const access = createAccess({ findByHash: () => new Promise(() => undefined) });
    const ask = () => access.authorize(`Bearer ${createTokenText()}`, 'read');
    for (let i = 0; i < lookupsMax; i++) void ask().catch(() => undefined);
    await expect(ask()).rejects.toMatchObject({ code: 'resource_exhausted', retriable: true });
  });
});

describe('tokens', () => {
  it('are random, and look like tokens', () => {
    const tokens = Array.from({ length: 100 }, createTokenText);
    expect(new Set(tokens).size).toBe(100);
    expect(tokens.every(isTokenText)).toBe(true);
  });

  it('have scopes from a closed set', () => {
    expect(parseScopes('operate, read')).toEqual(['read', 'operate']);
    expect(parseScopes(SCOPES.join(','))).toEqual(SCOPES);
    for (const text of ['', 'admin', 'read,', 'read,admin']) {
      expect(() => parseScopes(text)).toThrow('scopes must be some of read,write,operate');
    }
  });
});
