import { describe, expect, it } from '@jest/globals';
import { TEST_AUTHORIZATION } from '@perennial/access/testing';
import { ID_STRENGTHS } from '@perennial/identity';
import { createPseudonymizer } from '@perennial/privacy';
import { createTestServer } from '@perennial/service-host/testing';
import type { StoredProfile } from '../identity/stored-profile.js';
import { addIdentityRoutes } from './identity-routes.js';

const NOON = Date.UTC(2024, 4, 15, 12);
const AT = new Date(NOON).toISOString();
const pseudonymizer = createPseudonymizer('a secret of more than thirty-two characters');
const userKey = (userId: string) => pseudonymizer.toProfileKey({ userId });
const phone = pseudonymizer.toProfileKey({ anonymousId: 'phone' });

function toForwarder(userId: string): StoredProfile {
  const to = { key: userKey(userId), strength: ID_STRENGTHS.user, subject: pseudonymizer.seal(userId) };
  return { node: { kind: 'forwarder', to, sinceMs: NOON }, profile: undefined };
}

function setUp(states: Record<string, StoredProfile>) {
  const server = createTestServer();
  addIdentityRoutes(server, {
    pseudonymizer,
    readStates: async (keys) => keys.map((key) => ({ state: states[key], logTimeMs: NOON, inForce: new Map() })),
  });
  return (path: string) => server.inject({ url: `/v1/identities/${path}`, headers: TEST_AUTHORIZATION });
}

describe('GET /v1/identities/{id}', () => {
  const members = [
    { key: phone, isJoined: true, atMs: NOON },
    { key: 'tablet', isJoined: false, atMs: NOON },
  ];
  const get = setUp({
    [phone]: toForwarder('bert'),
    [userKey('bert')]: toForwarder('anna'),
    [userKey('anna')]: { node: { kind: 'root', members, cutOff: 3 }, profile: undefined },
    [userKey('a')]: toForwarder('b'),
    [userKey('b')]: toForwarder('a'),
  });

  it('tells whom a device belongs to, over all joins, and who else does', async () => {
    const response = await get('phone?kind=anonymous');
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual({
      id: 'phone',
      kind: 'anonymous',
      profileKey: phone,
      known: true,
      joined: [
        { profileKey: userKey('bert'), id: 'bert', kind: 'user', since: AT },
        { profileKey: userKey('anna'), id: 'anna', kind: 'user', since: AT },
      ],
      members: [
        { profileKey: phone, joined: true, at: AT },
        { profileKey: 'tablet', joined: false, at: AT },
      ],
      cutOff: 3,
    });
  });

  it('tells of a user, and of one that nobody has heard of', async () => {
    expect((await get('anna')).json()).toMatchObject({ id: 'anna', kind: 'user', joined: [], cutOff: 3 });
    expect((await get('nobody')).json()).toMatchObject({ known: false, joined: [], members: [], cutOff: 0 });
  });

  it('refuses another kind of id, and forged circles', async () => {
    expect((await get('anna?kind=device')).statusCode).toBe(400);
    expect((await get('a')).statusCode).toBe(400);
  });
});
