import type { Rollout } from '@perennial/contracts';
import type { FeatureSpecs } from '@perennial/feature-engine';
import type { FeatureArtifacts } from './artifacts.js';
import { needsPart } from './domain/fill.js';
import type { ProfileState } from './domain/profile-state.js';
import { type ServedProfile, type ServedTops, serveProfile, serveTops } from './domain/serve.js';
import { type Fills, isFilling } from './fill/fills.js';
import { toPartKeys } from './identity/part-keys.js';

/** A profile as it was read, and what decides how it is served. */
export interface ReadState {
  readonly state: ProfileState | undefined;
  readonly logTimeMs: number;
  readonly inForce: ReadonlyMap<string, Rollout>;
  /** The key and those of the profiles that have joined it. */
  readonly ownKeys: readonly string[];
}

export interface ServeDeps {
  readonly specs: FeatureSpecs;
  /** The rate table of a rollout, or the one before any. */
  readonly loadRates: FeatureArtifacts['rates'];
  readonly fills: Fills;
}

/** What is answered for a profile: HTTP and the audit of it have this one implementation. The specs are loaded. */
export async function serveStored(userId: string, read: ReadState, deps: ServeDeps): Promise<ServedProfile> {
  return serveProfile(userId, read.state, await toContext(read, deps));
}

/** The ids behind its features of frequencies. */
export async function serveStoredTops(read: ReadState, deps: ServeDeps): Promise<ServedTops> {
  return serveTops(read.state, await toContext(read, deps));
}

async function toContext(
  { state, logTimeMs, inForce, ownKeys }: ReadState,
  { specs, loadRates, fills }: ServeDeps,
): Promise<Parameters<typeof serveProfile>[2]> {
  const spec = specs.inForce(inForce.get('features'));
  const { currency } = await loadRates(inForce.get('rates'));
  const fill = await fills.get(inForce);
  const part =
    state !== undefined && fill !== undefined && needsPart(state, fill)
      ? await fills.loadParts(fill, toPartKeys(ownKeys, state))
      : undefined;
  return { spec, specs, currency, logTimeMs, isFilling: isFilling(inForce, fill), fill, part };
}
