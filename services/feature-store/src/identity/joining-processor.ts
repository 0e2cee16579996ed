import { encodeMessage, FeatureRecord, type HandOver, toTopic } from '@perennial/contracts';
import type { FeatureSpecs } from '@perennial/feature-engine';
import { toParts } from '@perennial/identity';
import { must } from '@perennial/kernel';
import type { Cause, ProcessorDefinition, StepItem } from '@perennial/keyed-processor';
import type { AccountTelemetry } from '../accounts/account-telemetry.js';
import { createAccountLeaver, withAccounts } from '../accounts/with-accounts.js';
import type { FeatureArtifacts } from '../artifacts.js';
import { needsPart } from '../domain/fill.js';
import { foldTime } from '../domain/fold.js';
import { mergeProfiles } from '../domain/merge.js';
import { createProfileStates, type ProfileState } from '../domain/profile-state.js';
import { type Fills, isFilling } from '../fill/fills.js';
import { createFeatureProcessor, type FeatureEvidence, toFoldContext, toUpdatedOutput } from '../processor.js';
import type { FeatureTelemetry } from '../telemetry.js';
import type { AcceptedInput } from './identity-records.js';
import type { IdentityTelemetry } from './identity-telemetry.js';
import { toJoinedKeys, toOwnKeys, toPartKeys } from './part-keys.js';
import type { StoredProfile } from './stored-profile.js';
import { withIdentities } from './with-identities.js';

/** The processor of the service: profiles that join. */
export function createJoiningProcessor({
  joins,
  accounts,
  toAccountKey,
  ...parts
}: {
  readonly namespace: string;
  readonly artifacts: Pick<FeatureArtifacts, 'loadRollout' | 'rates' | 'identity' | 'fills' | 'loadAll' | 'unmerges'>;
  readonly telemetry: FeatureTelemetry;
  readonly specs: FeatureSpecs;
  readonly joins: IdentityTelemetry;
  readonly accounts: AccountTelemetry;
  /** The key of the account of an id. */
  readonly toAccountKey: (accountId: string) => string;
}): ProcessorDefinition<StoredProfile, AcceptedInput, FeatureEvidence> {
  const { namespace, artifacts, specs } = parts;
  const outputTopic = toTopic(namespace, 'featureUpdated');
  const processor = withIdentities({
    profiles: withAccounts({
      profiles: createFeatureProcessor(parts),
      specs,
      toFoldContext: (context, evidence) => toFoldContext(specs, context, evidence),
      toOutput: (update) => toUpdatedOutput(outputTopic, update),
      toAccountKey,
      telemetry: accounts,
      tookBack: parts.telemetry.tookBack,
    }),
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
    isFilling: ({ fill }, { inForce }) => isFilling(inForce, fill),
    toJoined: (to) => ({
      topic: outputTopic,
      value: encodeMessage(FeatureRecord, { record: { $case: 'joined', value: { to } } }),
    }),
    refresh: artifacts.loadAll,
    telemetry: joins,
  });
  const { decode } = createProfileStates(specs);
  return {
    ...processor,
    async prepare(items: ReadonlyArray<StepItem<StoredProfile, AcceptedInput>>) {
      const evidence = await must(processor.prepare, 'it prepares')(items);
      const { fills, unmerges } = artifacts;
      const isComplete = ({ cause }: StepItem<StoredProfile, AcceptedInput>, index: number) =>
        evidence[index]?.fill === undefined && toUnmergeHash(cause) === undefined;
      // Nearly every batch: no promise for each of its records.
      if (items.every(isComplete)) return evidence;
      return Promise.all(
        items.map(async (item, index) => {
          const own = await withParts(item, must(evidence[index], 'evidence'), { fills, decode });
          const hash = toUnmergeHash(item.cause);
          return hash === undefined ? own : { ...own, unmerge: await unmerges.load(hash) };
        }),
      );
    },
  };
}

/** Adds what the members of a profile, and a profile that is handed over, have yet to take of the fill in force. */
async function withParts(
  { state, cause, context: { key } }: StepItem<StoredProfile, AcceptedInput>,
  evidence: FeatureEvidence,
  { fills, decode }: { readonly fills: Fills; readonly decode: (bytes: Buffer) => ProfileState },
): Promise<FeatureEvidence> {
  const { fill } = evidence;
  if (fill === undefined) return evidence;
  const { node, profile } = toParts(state);
  if (node.kind === 'ledger') return evidence;
  const load = async (of: ProfileState | undefined, keys: readonly string[]) =>
    of !== undefined && needsPart(of, fill) ? fills.loadParts(fill, toPartKeys(keys, of)) : undefined;
  const part = await load(profile, toOwnKeys(key, node));
  const handOver = toHandOver(cause);
  if (handOver === undefined || handOver.state.length === 0) return { ...evidence, part };
  let joined: ProfileState;
  try {
    joined = decode(handOver.state);
  } catch {
    // The step makes a dead letter of it.
    return { ...evidence, part };
  }
  return { ...evidence, part, joinedPart: await load(joined, toJoinedKeys(handOver)) };
}

/** Of the record that parts, of the one that ends an unmerge, and of the one that tells the ledger. */
function toUnmergeHash(cause: Cause<AcceptedInput>): string | undefined {
  if (cause.kind !== 'record' || !('identity' in cause.input)) return undefined;
  const { identity } = cause.input;
  if (identity.kind !== 'unmerge') return undefined;
  const { step, hash } = identity.unmerge;
  return step === 'part' || step === 'left' || step === 'done' ? hash : undefined;
}

function toHandOver(cause: StepItem<StoredProfile, AcceptedInput>['cause']): HandOver | undefined {
  if (cause.kind !== 'record' || !('identity' in cause.input)) return undefined;
  const { identity } = cause.input;
  return identity.kind === 'hand_over' ? identity.handOver : undefined;
}
