import { must } from '@perennial/kernel';
import type { ReadStates } from '@perennial/keyed-processor';
import { EXTERNAL_ID_CHARS_MAX, type Pseudonymizer, parseUserId } from '@perennial/privacy';
import { addOperation, type FastifyInstance } from '@perennial/service-host';
import { describeAbout, NOTHING_KNOWN } from '@perennial/traits';
import { describeValues } from '../domain/outliers.js';
import { hadEvents, type ProfileState } from '../domain/profile-state.js';
import type { ServedProfile } from '../domain/serve.js';
import { type ReadProfile, readJoined } from '../identity/read-joined.js';
import type { StoredProfile } from '../identity/stored-profile.js';
import { type ServeDeps, serveStored, serveStoredTops } from '../serve-stored.js';
import type { FeatureTelemetry } from '../telemetry.js';
import { chooseNames, parseNames } from './choose-names.js';
import { getAccount, getFeatures, getFeaturesOfMany, getKnownProfile, USER_IDS_MAX } from './operations.js';

/** 1,000 ids of 256 characters, each of up to 6 bytes (an escape) in JSON, and their punctuation. */
const BODY_BYTES_MAX = USER_IDS_MAX * (EXTERNAL_ID_CHARS_MAX * 6 + 8) + 1_024;

export interface FeatureRouteDeps extends ServeDeps {
  readonly readStates: ReadStates<StoredProfile>;
  readonly pseudonymizer: Pseudonymizer;
  readonly telemetry: FeatureTelemetry;
  /** Loads every registered spec. */
  readonly loadSpecs: () => Promise<void>;
}

export function addFeatureRoutes(server: FastifyInstance, deps: FeatureRouteDeps): void {
  addOperation(server, getFeatures, async ({ path, query }) => {
    const [profile] = await loadProfiles(deps, [parseUserId(path.userId)]);
    return chooseNames(must(profile, 'the profile asked for').served, parseNames(query.names));
  });

  addOperation(server, getKnownProfile, async ({ path }) => {
    const [profile] = await loadProfiles(deps, [parseUserId(path.userId)]);
    const { served, key, state, read } = must(profile, 'the profile asked for');
    const tops = Object.entries(await serveStoredTops(read, deps));
    const { traits, account, events, tags } = describeAbout(state?.about ?? NOTHING_KNOWN);
    return {
      ...served,
      profileKey: key,
      timeZone: state?.timeZone ?? '',
      lastEventAt: toLastEventAt(state),
      traits: [...traits],
      tags: [...tags],
      account,
      reported: toReported(state, account?.id),
      outliers: (state?.outliers ?? []).map(({ event, property, flagged, values }) => {
        const { median = null, spread = null } = describeValues(values) ?? {};
        return { event, property, flagged, median, spread };
      }),
      tops: Object.fromEntries(tops.map(([name, ids]) => [name, [...ids]])),
      events: [...events],
    };
  });

  addOperation(server, getAccount, async ({ path }) => {
    const groupId = parseUserId(path.groupId, 'groupId');
    const accountKey = deps.pseudonymizer.toProfileKey({ accountId: groupId });
    const [account] = await loadByKeys(deps, [{ id: groupId, key: accountKey }]);
    const { served, state } = must(account, 'the account asked for');
    const { userId: _, ...features } = served;
    const { traits, events } = describeAbout(state?.about ?? NOTHING_KNOWN);
    const { members = [], cutOff = 0, reportedAtMs = 0 } = state?.group ?? {};
    return {
      ...features,
      groupId,
      accountKey,
      lastEventAt: toLastEventAt(state),
      traits: [...traits],
      members: {
        count: members.length,
        cutOff,
        reportedAt: reportedAtMs === 0 ? null : new Date(reportedAtMs).toISOString(),
      },
      events: [...events],
    };
  });

  const parseAll = (userIds: ReadonlyArray<string | number>) =>
    userIds.map((userId, index) => parseUserId(userId, `userIds/${index}`));
  addOperation(
    server,
    getFeaturesOfMany,
    async ({ body }) => {
      const loaded = await loadProfiles(deps, parseAll(body.userIds));
      return withoutRepeatedUnits(loaded.map(({ served }) => chooseNames(served, body.names)));
    },
    { bodyLimitBytes: BODY_BYTES_MAX },
  );
}

function toLastEventAt(state: ProfileState | undefined): string | null {
  return hadEvents(state) ? new Date(state.lastEventAtMs).toISOString() : null;
}

/** A report of an account that the profile has left is none of the one that it is in. */
function toReported(state: ProfileState | undefined, accountId: string | undefined) {
  if (state?.account === undefined || state.account.id !== accountId) return null;
  const { asOfMs, values } = state.account;
  return { asOf: new Date(asOfMs).toISOString(), values: { ...values } };
}

/** Nearly all profiles have the same units, so that they are in the answer once. */
function withoutRepeatedUnits(served: readonly ServedProfile[]) {
  const distinct = new Set(served.map(({ units }) => units));
  const profiles = served.map(({ units: _units, ...profile }) => profile);
  return { profiles, units: Object.assign({}, ...distinct) as ServedProfile['units'] };
}

/** A profile as it is served, under the key where it is stored. */
interface LoadedProfile extends Pick<ReadProfile, 'key' | 'state'> {
  readonly served: ServedProfile;
  readonly read: ReadProfile;
}

async function loadProfiles(deps: FeatureRouteDeps, userIds: readonly string[]): Promise<LoadedProfile[]> {
  const profiles = await loadByKeys(
    deps,
    userIds.map((userId) => ({ id: userId, key: deps.pseudonymizer.toProfileKey({ userId }) })),
  );
  const agesMs = profiles.flatMap(({ state, served }) =>
    hadEvents(state) ? [Math.max(0, Date.parse(served.asOf) - state.lastEventAtMs)] : [],
  );
  deps.telemetry.served(
    profiles.map(({ served }) => served),
    agesMs,
  );
  return profiles;
}

/** External ids with the keys under which their profiles began. */
async function loadByKeys(
  deps: FeatureRouteDeps,
  asked: ReadonlyArray<{ readonly id: string; readonly key: string }>,
): Promise<LoadedProfile[]> {
  const keys = asked.map(({ key }) => key);
  const stored = await readJoined(deps.readStates, keys);
  const { specs, loadSpecs } = deps;
  const rollouts = stored.map(({ inForce }) => inForce.get('features'));
  // Another instance may have put it in force.
  if (rollouts.some((rollout) => rollout !== undefined && !specs.hasArtifact(rollout.hash))) await loadSpecs();
  return Promise.all(
    stored.map(async (read, index) => ({
      key: read.key,
      state: read.state,
      read,
      served: await serveStored(must(asked[index], 'the id asked for').id, read, deps),
    })),
  );
}
