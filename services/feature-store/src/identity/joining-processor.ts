import { encodeMessage, FeatureRecord, type FeaturesUpdated, type HandOver, toTopic } from '@perennial/contracts';
import type { EngineState, FeatureSpecs } from '@perennial/feature-engine';
import { type HeldRecord, toParts } from '@perennial/identity';
import { must } from '@perennial/kernel';
import type { Cause, ProcessorDefinition, StepContext, StepItem } from '@perennial/keyed-processor';
import type { AccountTelemetry } from '../accounts/account-telemetry.js';
import { createAccountLeaver, withAccounts } from '../accounts/with-accounts.js';
import type { FeatureArtifacts } from '../artifacts.js';
import { needsPart } from '../domain/fill.js';
import { foldTime } from '../domain/fold.js';
import { mergeProfiles } from '../domain/merge.js';
import { createProfileStates, type ProfileState } from '../domain/profile-state.js';
import { type Fills, isFilling, type LoadedFill } from '../fill/fills.js';
import { createFeatureProcessor, type FeatureEvidence, toFoldContext, toUpdatedOutput } from '../processor.js';
import type { TagTelemetry } from '../tags/tag-telemetry.js';
import { withTags } from '../tags/with-tags.js';
import type { FeatureTelemetry } from '../telemetry.js';
import { fromHeld } from './held.js';
import type { AcceptedInput, ProfileInput } from './identity-records.js';
import type { IdentityTelemetry } from './identity-telemetry.js';
import { toJoinedKeys, toOwnKeys, toPartKeys } from './part-keys.js';
import type { StoredProfile } from './stored-profile.js';
import type { Unmerges } from './unmerge-document.js';
import { withIdentities } from './with-identities.js';

interface JoiningParts {
  readonly namespace: string;
  readonly artifacts: Pick<FeatureArtifacts, 'loadRollout' | 'rates' | 'identity' | 'fills' | 'loadAll' | 'unmerges'>;
  readonly telemetry: FeatureTelemetry;
  readonly specs: FeatureSpecs;
  readonly joins: IdentityTelemetry;
  readonly accounts: AccountTelemetry;
  readonly tags: TagTelemetry;
  /** The key of the account of an id. */
  readonly toAccountKey: (accountId: string) => string;
}

/** The processor of the service: profiles that join. */
export function createJoiningProcessor(
  parts: JoiningParts,
): ProcessorDefinition<StoredProfile, AcceptedInput, FeatureEvidence> {
  const { namespace, artifacts, specs, joins, toAccountKey } = parts;
  const outputTopic = toTopic(namespace, 'featureUpdated');
  const processor = withIdentities({
    profiles: createProfileProcessor(parts),
    merge(staying, joined, { context: { inForce, logTimeMs }, evidence, subject, joinedKeys }) {
      const { fill, part, joinedPart } = evidence;
      const spec = specs.inForce(inForce.get('features'));
      const filling = { isFilling: isFilling(inForce, fill), fill, part, joinedPart };
      const context = { spec, specs, logTimeMs, ...filling, joinedKeys, subject };
      const { state, update } = mergeProfiles(staying, joined, context);
      return { state, output: toUpdatedOutput(outputTopic, update) };
    },
    settle(profile, { context: { inForce, logTimeMs }, evidence: { fill }, subject, afterMs }) {
      const spec = specs.inForce(inForce.get('features'));
      const known = profile ?? { engine: spec.empty, subject, timeZone: '', lastEventAtMs: 0, fill: fill?.tag };
      // Two updates without an event must not have one time.
      const atMs = Math.max(logTimeMs, known.engine.asOfMs + 1, afterMs + 1);
      const filling = { isFilling: isFilling(inForce, fill), fill, part: undefined };
      const moved = foldTime({ validUntilMs: undefined, ...known }, { spec, specs, logTimeMs: atMs, ...filling });
      return { state: moved.state, output: toUpdatedOutput(outputTopic, moved.update) };
    },
    leaveAccount: createAccountLeaver({ inputTopic: toTopic(namespace, 'eventAccepted'), specs, toAccountKey }),
    toUnmerge: ({ unmerge }) => unmerge,
    toRules: ({ identity }) => identity,
    toHeldEvidence: (evidence, index) => ({ ...evidence, joinedPart: evidence.heldParts?.[index] }),
    isFilling: ({ fill }, { inForce }) => isFilling(inForce, fill),
    toJoined: (to) => ({
      topic: outputTopic,
      value: encodeMessage(FeatureRecord, { record: { $case: 'joined', value: { to } } }),
    }),
    refresh: artifacts.loadAll,
    telemetry: joins,
  });
  const { decode } = createProfileStates(specs);
  const { fills, unmerges } = artifacts;
  const prepare = must(processor.prepare, 'it prepares');
  return { ...processor, prepare: async (items) => withAll(items, await prepare(items), { fills, unmerges, decode }) };
}

type Item = StepItem<StoredProfile, AcceptedInput>;

/** Adds to the evidence of items what needs a fill or an unmerge. */
async function withAll(
  items: readonly Item[],
  evidence: readonly FeatureEvidence[],
  sources: PartSources & { readonly unmerges: Unmerges },
): Promise<readonly FeatureEvidence[]> {
  const isComplete = ({ cause }: Item, index: number) =>
    evidence[index]?.fill === undefined && toUnmergeHash(cause) === undefined;
  // Nearly every batch: no promise for each of its records.
  if (items.every(isComplete)) return evidence;
  return Promise.all(
    items.map(async (item, index) => {
      const known = must(evidence[index], 'evidence');
      return withUnmerge(item, await withParts(item, known, sources), sources);
    }),
  );
}

/** Adds what the archive gives, and what held records need, of a record that parts two profiles. */
async function withUnmerge(
  item: StepItem<StoredProfile, AcceptedInput>,
  evidence: FeatureEvidence,
  sources: PartSources & { readonly unmerges: Unmerges },
): Promise<FeatureEvidence> {
  const hash = toUnmergeHash(item.cause);
  if (hash === undefined) return evidence;
  const heldParts = await loadHeldParts(item, evidence, sources);
  return { ...evidence, heldParts, unmerge: await sources.unmerges.load(hash) };
}

interface PartSources {
  readonly fills: Fills;
  readonly decode: (bytes: Buffer) => ProfileState;
}

/** Profiles with tags and accounts, which know nothing of joins. */
function createProfileProcessor({
  accounts,
  tags,
  toAccountKey,
  ...parts
}: JoiningParts): ProcessorDefinition<ProfileState, ProfileInput, FeatureEvidence> {
  const { specs } = parts;
  const { tookBack } = parts.telemetry;
  const outputTopic = toTopic(parts.namespace, 'featureUpdated');
  const folding = {
    toFoldContext: (context: StepContext, evidence: FeatureEvidence) => toFoldContext(specs, context, evidence),
    toOutput: (update: FeaturesUpdated) => toUpdatedOutput(outputTopic, update),
  };
  const profiles = createFeatureProcessor(parts);
  const accounted = withAccounts({ profiles, specs, toAccountKey, telemetry: accounts, tookBack, ...folding });
  return withTags({ profiles: accounted, telemetry: tags, ...folding });
}

/** Adds what the members of a profile, and a profile that is handed over, have yet to take of the fill in force. */
async function withParts(
  { state, cause, context: { key } }: StepItem<StoredProfile, AcceptedInput>,
  evidence: FeatureEvidence,
  sources: PartSources,
): Promise<FeatureEvidence> {
  const { fill } = evidence;
  if (fill === undefined) return evidence;
  const { node, profile } = toParts(state);
  if (node.kind === 'ledger') return evidence;
  const part = await loadPart(profile, toOwnKeys(key, node), fill, sources);
  const handOver = cause.kind === 'record' ? toHandOver(cause.input) : undefined;
  if (handOver === undefined) return { ...evidence, part };
  return { ...evidence, part, joinedPart: await loadJoinedPart(handOver, fill, sources) };
}

/** Of the records that a profile holds: those that were handed over take their parts once they are taken again. */
async function loadHeldParts(
  { state, context: { key } }: StepItem<StoredProfile, AcceptedInput>,
  { fill }: FeatureEvidence,
  sources: PartSources,
): Promise<FeatureEvidence['heldParts']> {
  const { held } = toParts(state);
  if (fill === undefined || held === undefined) return undefined;
  return Promise.all(
    held.map(async (record) => {
      const handOver = readHeld(key, record);
      return handOver && loadJoinedPart(handOver, fill, sources);
    }),
  );
}

/** Undefined for a record of another kind, and for one that cannot be read: it became a dead letter when it came. */
function readHeld(key: string, record: HeldRecord): HandOver | undefined {
  try {
    return toHandOver(fromHeld(key, record));
  } catch {
    return undefined;
  }
}

async function loadJoinedPart(
  handOver: HandOver,
  fill: LoadedFill,
  sources: PartSources,
): Promise<EngineState | undefined> {
  if (handOver.state.length === 0) return undefined;
  let joined: ProfileState;
  try {
    joined = sources.decode(handOver.state);
  } catch {
    // The step makes a dead letter of it.
    return undefined;
  }
  return loadPart(joined, toJoinedKeys(handOver), fill, sources);
}

async function loadPart(
  of: ProfileState | undefined,
  keys: readonly string[],
  fill: LoadedFill,
  { fills }: PartSources,
): Promise<EngineState | undefined> {
  return of !== undefined && needsPart(of, fill) ? fills.loadParts(fill, toPartKeys(keys, of)) : undefined;
}

/** Of the record that parts, of the one that ends an unmerge, and of the one that tells the ledger. */
function toUnmergeHash(cause: Cause<AcceptedInput>): string | undefined {
  if (cause.kind !== 'record' || !('identity' in cause.input)) return undefined;
  const { identity } = cause.input;
  if (identity.kind !== 'unmerge') return undefined;
  const { step, hash } = identity.unmerge;
  return step === 'part' || step === 'left' || step === 'done' ? hash : undefined;
}

function toHandOver(input: AcceptedInput): HandOver | undefined {
  return 'identity' in input && input.identity.kind === 'hand_over' ? input.identity.handOver : undefined;
}
