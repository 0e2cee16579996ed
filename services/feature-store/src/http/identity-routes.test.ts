import { describe, expect, it } from '@jest/globals';
import { TEST_AUTHORIZATION } from '@perennial/access/testing';
import { ID_STRENGTHS, requireIdentityRules } from '@perennial/identity';
import { createPseudonymizer } from '@perennial/privacy';
import { createTestServer } from '@perennial/service-host/testing';
import type { StoredProfile } from '../identity/stored-profile.js';
import { addIdentityRoutes } from './identity-routes.js';

const NOON = Date.UTC(2024, 4, 15, 12);
const AT = new Date(NOON).toISOString();
const rules = requireIdentityRules(
  'version: 1\nkinds: { email: { strength: 200, read: [traits.email], normalise: email, maxProfiles: 8 } }\n',
  { fileName: 'identity.yaml' },
);
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
    loadIdentity: async () => rules,
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
        { profileKey: phone, kind: null, joined: true, at: AT },
        { profileKey: 'tablet', kind: null, joined: false, at: AT },
      ],
      cutOff: 3,
      namedBy: 0,
      namedByMax: null,
    });
  });

  it('tells of a user, and of one that nobody has heard of', async () => {
    expect((await get('anna')).json()).toMatchObject({ id: 'anna', kind: 'user', joined: [], cutOff: 3 });
    expect((await get('nobody')).json()).toMatchObject({ known: false, joined: [], members: [], cutOff: 0 });
  });

  it('rejects another kind of id, and forged circles', async () => {
    expect((await get('anna?kind=device')).statusCode).toBe(400);
    expect((await get('a')).statusCode).toBe(400);
  });

  it('tells of an id of another kind, and shows no other one in clear', async () => {
    const email = pseudonymizer.toProfileKey({ kind: 'email', id: 'anna@example.com' });
    const to = { key: email, strength: 200, subject: pseudonymizer.seal('anna@example.com') };
    const emails = setUp({
      [phone]: { node: { kind: 'forwarder', to, sinceMs: NOON }, profile: undefined },
      [email]: {
        node: {
          kind: 'root',
          members: [{ key: 'other', strength: 200, isJoined: true, atMs: NOON }],
          cutOff: 0,
          namedBy: 9,
        },
        profile: undefined,
      },
    });
    expect((await emails('Anna@Example.com?kind=email')).json()).toMatchObject({
      profileKey: email,
      namedBy: 9,
      namedByMax: 8,
      members: [{ profileKey: 'other', kind: 'email' }],
    });
    const device = await emails('phone?kind=anonymous');
    expect(device.json()).toMatchObject({ joined: [{ profileKey: email, id: null, kind: 'email' }] });
    expect(device.body).not.toContain('anna@');
    expect((await emails('anna?kind=email')).statusCode).toBe(400);
  });
});
