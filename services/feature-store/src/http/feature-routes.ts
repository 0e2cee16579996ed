import type { VersionedState } from '@perennial/contracts';
import type { FeatureSpecs } from '@perennial/feature-engine';
import { AppError, toMessage } from '@perennial/kernel';
import { EXTERNAL_ID_CHARS_MAX, type Pseudonymizer, parseUserId } from '@perennial/privacy';
import type { FastifyInstance } from '@perennial/service-host';
import type { ProfileReader } from '../domain/profile-reader.js';
import { createProfileStates, type ProfileState } from '../domain/profile-state.js';
import { type ServedProfile, serveProfile } from '../domain/serve.js';
import type { FeatureStoreEvents } from '../events.js';

/** Profiles of one request. */
const USER_IDS_MAX = 1_000;

/** 1,000 ids of 256 characters, each of up to 6 bytes (an escape) in JSON, and their punctuation. */
const BODY_BYTES_MAX = USER_IDS_MAX * (EXTERNAL_ID_CHARS_MAX * 6 + 8) + 1_024;

export interface FeatureRouteDeps {
  readonly reader: ProfileReader;
  readonly pseudonymizer: Pseudonymizer;
  readonly events: FeatureStoreEvents;
  readonly specs: FeatureSpecs;
}

/** GET /v1/features/{userId} and POST /v1/features {userIds}. */
export function addFeatureRoutes(server: FastifyInstance, given: FeatureRouteDeps): void {
  const deps = { ...given, states: createProfileStates(given.specs) };
  const config = { access: 'read' } as const;
  server.get('/v1/features/:userId', { config }, async (request) => {
    const { userId } = request.params as { userId: string };
    const [profile] = await loadProfiles(deps, [parseUserId(userId)]);
    return profile;
  });

  server.post('/v1/features', { config, bodyLimit: BODY_BYTES_MAX }, async (request) => {
    return { profiles: await loadProfiles(deps, parseUserIds(request.body)) };
  });
}

type LoadDeps = FeatureRouteDeps & { readonly states: VersionedState<ProfileState> };

async function loadProfiles(deps: LoadDeps, userIds: readonly string[]): Promise<ServedProfile[]> {
  const stored = await deps.reader.readProfiles(userIds.map((userId) => deps.pseudonymizer.toProfileKey({ userId })));
  const profiles = stored.map(({ state, logTimeMs }, index) => {
    const profile = state === null ? undefined : decodeStored(deps.states, state);
    return serveProfile(userIds[index] as string, profile, { specs: deps.specs, logTimeMs });
  });
  deps.events.served(profiles);
  return profiles;
}

/** What we stored ourselves and cannot read is our fault, not the request's. */
function decodeStored(states: VersionedState<ProfileState>, bytes: Buffer): ProfileState {
  try {
    return states.decode(bytes);
  } catch (error) {
    throw new AppError('dependency_misconfigured', `stored profile is unreadable: ${toMessage(error)}`, {
      cause: error,
    });
  }
}

function parseUserIds(body: unknown): string[] {
  const userIds = typeof body === 'object' && body !== null && 'userIds' in body ? body.userIds : undefined;
  if (!Array.isArray(userIds)) throw invalid('the body must be {"userIds": ["..."]}');
  if (userIds.length > USER_IDS_MAX) throw invalid(`userIds has ${userIds.length} entries, ${USER_IDS_MAX} at most`);
  return userIds.map((userId: unknown, index) => parseUserId(userId, `userIds[${index}]`));
}

function invalid(message: string): AppError {
  return new AppError('contract_violation', message);
}
