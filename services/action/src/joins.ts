import {
  encodeMessage,
  type HandOver,
  type Joined,
  type ProfileRef,
  type ScoreComputed,
  ScoreRecord,
} from '@perennial/contracts';
import { createStoredStates, LONE_ROOT, type Stored, type StoredNode, toParts, toStored } from '@perennial/identity';
import { AppError, must } from '@perennial/kernel';
import type { Output, ProcessorDefinition, StepItem, StepResult } from '@perennial/keyed-processor';
import { EMPTY_HISTORY, mergeContacts } from '@perennial/policy';
import { type ActionState, actionStates } from './domain/action-state.js';
import type { ActionEvidence } from './evidence.js';
import type { ActionProcessor } from './processor.js';

/** Input of a step: the profile of the key has joined another one, or another one hands its contacts over to it. */
type JoinInput = { readonly joined: Joined } | { readonly handOver: HandOver };

type Input = ScoreComputed | JoinInput;
/** What is stored under a key. */
export type StoredAction = Stored<ActionState>;

type Item = StepItem<Stored<ActionState>, Input>;
type Result = StepResult<Stored<ActionState>>;

/** The field of `ScoreRecord` that holds each begins here. */
const FIRST_FIELD = 4;
/** Of the byte that begins a field: the bits below its number. */
const WIRE_TYPE_BITS = 3;

/**
 * The processor of profiles with joins around it. A profile that has joined another one hands its contacts over, by a
 * record in the same topic, so that caps and cooldowns hold for the person; what waited is dropped, and nothing is decided
 * for it. A score of such a profile says that they were parted: it goes on with the contacts that it had handed over, and the
 * other one keeps them too, so that neither is contacted more often than if they had stayed joined.
 */
export function withJoins(
  profiles: ActionProcessor,
): ProcessorDefinition<Stored<ActionState>, Input, ActionEvidence | undefined> {
  const { inputTopic, name } = profiles;
  return {
    ...profiles,
    sources: [...profiles.sources, { processor: name, topic: inputTopic, partition: 'any' }],
    codec: {
      ...createStoredStates(profiles.codec),
      timerAtMs(stored) {
        const { node, profile } = toParts(stored);
        return node.kind === 'forwarder' ? undefined : profile && profiles.codec.timerAtMs(profile);
      },
    },
    decode(record) {
      const input = decodeJoin(record.value);
      if (input === undefined || record.key === null) return profiles.decode(record);
      return { kind: 'record', key: record.key.toString(), input };
    },
    async prepare(items) {
      const decided = items.flatMap((item) => toProfileItem(item) ?? []);
      const evidence = (await profiles.prepare?.(decided)) ?? [];
      let next = 0;
      return items.map((item) => (toProfileItem(item) === undefined ? undefined : evidence[next++]));
    },
    step(item, evidence) {
      const { state } = item;
      const before = toParts(state);
      const decided = toProfileItem(item);
      if (decided !== undefined) {
        const result = profiles.step(decided, must(evidence, 'the evidence of a score'));
        // Scoring sends none of a profile that has joined another one: they were parted.
        const node = before.node.kind === 'forwarder' ? LONE_ROOT : before.node;
        return { ...result, state: toStored({ node, profile: result.state }, state) };
      }
      return takeJoin(item, before, inputTopic);
    },
  };
}

/** Undefined for a score or a control record, which nearly all records are: those are decoded once. */
function decodeJoin(value: Buffer | null): JoinInput | undefined {
  if (value === null || (value[0] ?? 0) >> WIRE_TYPE_BITS < FIRST_FIELD) return undefined;
  const { record } = ScoreRecord.decode(value);
  if (record?.$case === 'joined') return { joined: record.value };
  return record?.$case === 'handOver' ? { handOver: record.value } : undefined;
}

/** The item as the processor of profiles has it; undefined for a join. */
function toProfileItem({ state, cause, context }: Item): StepItem<ActionState, ScoreComputed> | undefined {
  const { profile } = toParts(state);
  if (cause.kind === 'timer') return { state: profile, cause, context };
  const { input } = cause;
  if ('joined' in input || 'handOver' in input) return undefined;
  return { state: profile, cause: { kind: 'record', input }, context };
}

function takeJoin({ state, cause, context }: Item, before: StoredNode<ActionState>, topic: string): Result {
  if (cause.kind === 'timer') return { state, outputs: [] };
  const { input } = cause;
  if ('handOver' in input) return takeHandOver(input.handOver, { state, before, topic });
  // Joined before: a profile forwards to one other for good.
  if (!('joined' in input) || before.node.kind === 'forwarder') return { state, outputs: [] };
  const to = required(input.joined.to, 'the profile that it joined');
  const node = { kind: 'forwarder', to, sinceMs: context.logTimeMs } as const;
  if (before.profile === undefined) return { state: { node, profile: undefined }, outputs: [] };
  const kept = { ...before.profile, history: { ...before.profile.history, pending: [] }, facts: undefined };
  return { state: { node, profile: kept }, outputs: [toHandOver(kept, { from: context.key, to, topic })] };
}

function toHandOver(
  kept: ActionState,
  { from, to, topic }: { readonly from: string; readonly to: ProfileRef; readonly topic: string },
): Output {
  return toOutput({ self: to, from, members: [], state: actionStates.encode(kept) }, topic);
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
    topic,
  }: Pick<Result, 'state'> & { readonly before: StoredNode<ActionState>; readonly topic: string },
): Result {
  const { node, profile } = before;
  if (node.kind === 'forwarder') return { state, outputs: [toOutput({ ...handOver, self: node.to }, topic)] };
  const joined = actionStates.decode(handOver.state);
  const self = required(handOver.self, 'the profile that it is for');
  const history = mergeContacts(profile?.history ?? EMPTY_HISTORY, joined.history);
  const merged = profile === undefined ? { ...joined, subject: self.subject, history } : { ...profile, history };
  return { state: toStored({ node, profile: merged }, state), outputs: [] };
}

function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new AppError('contract_violation', `a record about joins without ${name}`);
  return value;
}
