import {
  encodeMessage,
  type HandOver,
  type Joined,
  type ProfileRef,
  type ScoreComputed,
  ScoreRecord,
  toFirstField,
} from '@perennial/contracts';
import { createJoinedStates, type Stored, type StoredNode, toParts, toStored } from '@perennial/identity';
import { AppError } from '@perennial/kernel';
import type { Output, ProcessorDefinition, StepResult } from '@perennial/keyed-processor';
import {
  EMPTY_HISTORY,
  mergeContacts,
  mergeLives,
  mergePermissions,
  NO_PERMISSIONS,
  type Policy,
  withoutGrants,
} from '@perennial/policy';
import { type OwnItem, wrapProcessor } from '@perennial/processor-host';
import { type ActionState, actionStates } from './domain/action-state.js';
import { stopBlocked } from './domain/take-notice.js';
import type { ActionEvidence } from './evidence.js';
import type { ActionProcessor } from './processor.js';
import type { PublishLives } from './report-step.js';

/** Input of a step: the profile of the key has joined another one, or another one hands its contacts over to it. */
type JoinInput = { readonly joined: Joined } | { readonly handOver: HandOver };

/** What is stored under a key. */
export type StoredAction = Stored<ActionState>;
type Result = StepResult<StoredAction>;

/** The field of `ScoreRecord` that holds each begins here. */
const FIRST_FIELD = 4;

/**
 * The processor of profiles with joins around it. A profile that has joined another one hands its contacts over, by a
 * record in the same topic, so that caps and cooldowns hold for the person; what waited is dropped, and nothing is decided
 * for it. A score of such a profile says that they were parted: it goes on with the contacts that it had handed over, and the
 * other one keeps them too, so that neither is contacted more often than if they had stayed joined. Published actions of either
 * that the person does not allow are cancelled.
 */
export function withJoins(
  profiles: ActionProcessor,
  publish: PublishLives,
): ProcessorDefinition<StoredAction, ScoreComputed | JoinInput, ActionEvidence | undefined> {
  const { inputTopic, name } = profiles;
  const isOwn = (input: ScoreComputed | JoinInput): input is JoinInput => 'joined' in input || 'handOver' in input;
  return {
    ...wrapProcessor(profiles, {
      states: createJoinedStates(profiles.codec),
      decode: decodeJoin,
      isOwn,
      needsEvidence: (input) => 'handOver' in input,
      step: (item, evidence) => takeJoin(item, { topic: inputTopic, policy: evidence?.inForce?.policy, publish }),
    }),
    sources: [...profiles.sources, { processor: name, topic: inputTopic, partition: 'any' }],
  };
}

/** Undefined for a score or a control record, which nearly all records are: those are decoded once. */
function decodeJoin(value: Buffer): JoinInput | undefined {
  if (toFirstField(value) < FIRST_FIELD) return undefined;
  const { record } = ScoreRecord.decode(value);
  if (record?.$case === 'joined') return { joined: record.value };
  return record?.$case === 'handOver' ? { handOver: record.value } : undefined;
}

/** What a step takes besides its record. */
interface JoinPlace {
  readonly topic: string;
  /** For a hand-over; undefined while none is in force. */
  readonly policy: Policy | undefined;
  readonly publish: PublishLives;
}

function takeJoin(item: OwnItem<StoredAction, JoinInput>, place: JoinPlace): Result {
  const { state, input, context } = item;
  const before = toParts(state);
  if ('handOver' in input) return takeHandOver(input.handOver, { state, before, context }, place);
  // Joined before: a profile forwards to one other for good.
  if (before.node.kind === 'forwarder') return { state, outputs: [] };
  const to = required(input.joined.to, 'the profile that it joined');
  const node = { kind: 'forwarder', to, sinceMs: context.logTimeMs } as const;
  if (before.profile === undefined) return { state: { node, profile: undefined }, outputs: [] };
  const given = { ...before.profile, history: { ...before.profile.history, pending: [] }, facts: undefined };
  // A grant is for one contact: parted again, it may not be there on both sides.
  const kept = { ...given, history: withoutGrants(given.history) };
  return {
    state: { node, profile: kept },
    outputs: [toHandOver(given, { from: context.key, to, topic: place.topic })],
  };
}

function toHandOver(
  given: ActionState,
  { from, to, topic }: { readonly from: string; readonly to: ProfileRef; readonly topic: string },
): Output {
  return toOutput({ self: to, from, members: [], state: actionStates.encode(given) }, topic);
}

function toOutput(handOver: HandOver, topic: string): Output {
  const { key } = required(handOver.self, 'the profile that it is for');
  const value = encodeMessage(ScoreRecord, { record: { $case: 'handOver', value: handOver } });
  return { topic, key, partition: 'by-key', value };
}

function takeHandOver(
  handOver: HandOver,
  {
    state,
    before,
    context,
  }: Pick<OwnItem<StoredAction, JoinInput>, 'state' | 'context'> & { readonly before: StoredNode<ActionState> },
  { topic, policy, publish }: JoinPlace,
): Result {
  const { node, profile } = before;
  if (node.kind === 'forwarder') return { state, outputs: [toOutput({ ...handOver, self: node.to }, topic)] };
  const joined = actionStates.decode(handOver.state);
  const self = required(handOver.self, 'the profile that it is for');
  const history = mergeContacts(profile?.history ?? EMPTY_HISTORY, joined.history);
  const reported = mergeReported(profile, joined);
  const merged =
    profile === undefined ? { ...joined, subject: self.subject, history } : { ...profile, history, ...reported };
  // Either may have published what the other one does not allow, so all is checked.
  const stopped = stopBlocked(merged, { policy, nowMs: context.logTimeMs, hadPermissions: undefined });
  const owner = { profileKey: context.key, subject: merged.subject };
  return { state: toStored({ node, profile: stopped.state }, state), outputs: publish(stopped, owner) };
}

/** What became of the actions of both, and what the person allows: where they differ, a withdrawal counts. */
function mergeReported(own: ActionState | undefined, joined: ActionState): Pick<ActionState, 'lives' | 'permissions'> {
  const lives = joined.lives === undefined ? own?.lives : mergeLives(own?.lives ?? [], joined.lives);
  const permissions =
    joined.permissions === undefined
      ? own?.permissions
      : mergePermissions(own?.permissions ?? NO_PERMISSIONS, joined.permissions);
  return { ...(lives && { lives }), ...(permissions && { permissions }) };
}

function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new AppError('contract_violation', `a record about joins without ${name}`);
  return value;
}
