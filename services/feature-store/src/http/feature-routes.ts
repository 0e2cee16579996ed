import type { VersionedState } from '@perennial/contracts';
import type { FeatureSpecs } from '@perennial/feature-engine';
import { AppError, must, toMessage } from '@perennial/kernel';
import { EXTERNAL_ID_CHARS_MAX, type Pseudonymizer, parseUserId } from '@perennial/privacy';
import { addOperation, type FastifyInstance } from '@perennial/service-host';
import type { ProfileReader } from '../domain/profile-reader.js';
import { createProfileStates, type ProfileState } from '../domain/profile-state.js';
import { type ServedProfile, serveProfile } from '../domain/serve.js';
import type { FeatureStoreEvents } from '../events.js';
import { getFeatures, getFeaturesOfMany, USER_IDS_MAX } from './operations.js';

/** 1,000 ids of 256 characters, each of up to 6 bytes (an escape) in JSON, and their punctuation. */
const BODY_BYTES_MAX = USER_IDS_MAX * (EXTERNAL_ID_CHARS_MAX * 6 + 8) + 1_024;

export interface FeatureRouteDeps {
  readonly reader: ProfileReader;
  readonly pseudonymizer: Pseudonymizer;
  readonly events: FeatureStoreEvents;
  readonly specs: FeatureSpecs;
}

export function addFeatureRoutes(server: FastifyInstance, given: FeatureRouteDeps): void {
  const deps = { ...given, states: createProfileStates(given.specs) };
  addOperation(server, getFeatures, async ({ path }) => {
    const [profile] = await loadProfiles(deps, [parseUserId(path.userId)]);
    return must(profile, 'the profile asked for');
  });

  const parseAll = (userIds: ReadonlyArray<string | number>) =>
    userIds.map((userId, index) => parseUserId(userId, `userIds/${index}`));
  addOperation(
    server,
    getFeaturesOfMany,
    async ({ body }) => ({ profiles: await loadProfiles(deps, parseAll(body.userIds)) }),
    { bodyLimitBytes: BODY_BYTES_MAX },
  );
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
