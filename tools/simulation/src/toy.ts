import type { Rollout } from '@perennial/contracts';
import type { LogRecord } from '@perennial/kafka';
import type {
  Cause,
  Decoded,
  Output,
  PositionSource,
  ProcessorDefinition,
  StepContext,
  StepResult,
} from '@perennial/keyed-processor';
import type { Rejection } from '@perennial/keyed-processor/internals';

/** What the simulated processors work on: amounts per key that are added up, moved to other keys, and closed. */
export interface ToyInput {
  /** Identifies a repeat that has another position or none. */
  readonly id: string;
  readonly add: number;
  /** Hands the whole amount over to this key. */
  readonly move?: string;
  /** Removes the state. */
  readonly close?: boolean;
  /** The stage whose step throws for this record, or for an even amount does only a part of it. */
  readonly poison?: number;
}

interface ToyState {
  readonly sum: number;
  /** Number of the key's last output. */
  readonly seq: number;
  /** Hash over all applied records, in order. */
  readonly digest: number;
  readonly ids: readonly string[];
  readonly wakeAtMs: number | null;
  readonly woken: number;
}

/** An output: a valid input of the next stage, with the data that a checker needs. */
export interface ToyOutput extends ToyInput {
  readonly seq: number;
  readonly digest: number;
  /** The machine that computed it: a model's bits differ between machines. */
  readonly machine: number;
  /** The key's numbering restarts after this. */
  readonly last?: boolean;
}

export type ToyDefinition = ProcessorDefinition<ToyState, ToyInput, number>;

export interface ToyOptions {
  readonly stage: number;
  /** True for the last stage: control records are then not forwarded. */
  readonly isLast: boolean;
  readonly machine: number;
}

const IDS_MAX = 12;
const WAKE_AFTER_MS = 12;
const WAKES_MAX = 3;
const REJECTING_STAGE = 1;
const REJECTED_FACTOR = 3;
const EMPTY: ToyState = { sum: 0, seq: 0, digest: 0, ids: [], wakeAtMs: null, woken: 0 };

export const toToyName = (stage: number) => `stage-${stage}`;
/** Input topic of a stage; the one after the last is read by outsiders. */
export const toToyTopic = (stage: number) => `topic-${stage}`;

/** The producer in front of the first stage, and the log that its positions name. */
export const SOURCE = { processor: 'source', topic: 'topic-source' };

function toToySources(stage: number): PositionSource[] {
  const upstream = stage === 0 ? SOURCE : { processor: toToyName(stage - 1), topic: toToyTopic(stage - 1) };
  return [upstream, { processor: toToyName(stage), topic: toToyTopic(stage), partition: 'any' }];
}

/** A small processor that uses all features: timers that are set again, hand-overs, rollouts, evidence, poison. */
export function createToy({ stage, isLast, machine }: ToyOptions): ToyDefinition {
  const outputTopic = toToyTopic(stage + 1);
  return {
    name: toToyName(stage),
    inputTopic: toToyTopic(stage),
    sources: toToySources(stage),
    codec: {
      encode: (state) => Buffer.from(JSON.stringify(state)),
      decode: (bytes) => JSON.parse(bytes.toString()) as ToyState,
      timerAtMs: (state) => state.wakeAtMs ?? undefined,
    },
    decode: decodeToy,
    loadRollout: async (rollout) => rejectToy(rollout, stage),
    forward: (control) => (isLast ? undefined : { topic: outputTopic, value: Buffer.from(JSON.stringify(control)) }),
    prepare: async (items) => items.map(() => machine),
    step: ({ state, cause, context }, evidence) =>
      stepToy({ state, cause, context, machine: evidence, stage, outputTopic }),
  };
}

/** One stage rejects one of the factors, so that the artifact in force differs between stages. */
function rejectToy({ number }: Rollout, stage: number): Rejection | undefined {
  return stage === REJECTING_STAGE && number === REJECTED_FACTOR
    ? { reason: `stage ${stage} rejects factor ${number}` }
    : undefined;
}

/** Throws for invalid JSON. */
function decodeToy(record: Pick<LogRecord, 'key' | 'value'>): Decoded<ToyInput> {
  const body = JSON.parse(String(record.value)) as ToyInput & Partial<Decoded<ToyInput>>;
  if (body.kind === 'tick' || body.kind === 'rollout') return body as Decoded<ToyInput>;
  return { kind: 'record', key: String(record.key), input: body };
}

interface ToyStep {
  readonly state: ToyState | undefined;
  readonly cause: Cause<ToyInput>;
  readonly context: StepContext;
  readonly machine: number;
  readonly stage: number;
  readonly outputTopic: string;
}

function stepToy(step: ToyStep): StepResult<ToyState> {
  const { cause, stage, state } = step;
  if (cause.kind === 'timer') return wake(step, state ?? EMPTY);
  const { input } = cause;
  const isPoison = input.poison === stage;
  if (isPoison && input.add % 2 === 1) throw new Error(`stage ${stage} throws on ${input.id}`);
  if (state?.ids.includes(input.id)) return { state: noteRepeat(state, input), outputs: [] };
  const result = applyInput(step, input, state ?? EMPTY);
  return isPoison ? { ...result, deadLetterCause: `stage ${stage} does a part of ${input.id}` } : result;
}

/** Remembered, so that a state shows a record that was applied twice. */
function noteRepeat(state: ToyState, { id }: ToyInput): ToyState {
  return { ...state, digest: mix(state.digest, `repeated ${id}`) };
}

function applyInput(step: ToyStep, input: ToyInput, before: ToyState): StepResult<ToyState> {
  const { context, machine, stage } = step;
  const factor = context.inForce.get('factor')?.number ?? 1;
  const state: ToyState = {
    sum: before.sum + input.add * factor,
    seq: before.seq + 1,
    digest: mix(before.digest, `${input.id} ${input.add * factor} ${context.logTimeMs} ${machine}`),
    ids: [...before.ids, input.id].slice(-IDS_MAX),
    wakeAtMs: context.logTimeMs + WAKE_AFTER_MS + (input.add % 5),
    woken: 0,
  };
  const leaves = input.move !== undefined && input.move !== context.key;
  const removed = leaves || input.close === true;
  const body = { add: input.add, ...pickDefined({ move: input.move, close: input.close, poison: input.poison }) };
  const outputs = [
    toOutput(step, 0, { ...body, seq: state.seq, digest: state.digest, ...(removed && { last: true }) }),
  ];
  if (leaves) {
    const handed: ToyInput = { id: `${toId(step, 1)}`, add: state.sum };
    const value = Buffer.from(JSON.stringify(handed));
    outputs.push({ topic: toToyTopic(stage), key: input.move, partition: 'by-key', value });
  } else if (!removed && input.add % 4 === 0) {
    outputs.push(toOutput(step, 1, { add: 1, seq: state.seq + 1, digest: state.digest }));
    return { state: { ...state, seq: state.seq + 1 }, outputs };
  }
  return { state: removed ? undefined : state, outputs };
}

/**
 * Fires and sets its timer again, a few times, some without an output; at the end a state with an even sum is removed.
 */
function wake(step: ToyStep, before: ToyState): StepResult<ToyState> {
  const { context, machine } = step;
  const woken = before.woken + 1;
  const last = woken === WAKES_MAX && before.sum % 2 === 0;
  const quiet = !last && (before.sum + woken) % 2 === 1;
  const state: ToyState = {
    ...before,
    seq: quiet ? before.seq : before.seq + 1,
    // Without an output, the machine remains unknown.
    digest: mix(before.digest, `woken ${context.logTimeMs} ${quiet ? '' : machine}`),
    wakeAtMs: woken < WAKES_MAX ? (before.wakeAtMs ?? 0) + WAKE_AFTER_MS : null,
    woken,
  };
  if (quiet) return { state, outputs: [] };
  const output = toOutput(step, 0, { add: 0, seq: state.seq, digest: state.digest, ...(last && { last }) });
  return { state: last ? undefined : state, outputs: [output] };
}

function toOutput(step: ToyStep, index: number, body: Omit<ToyOutput, 'id' | 'machine'>): Output {
  const output: ToyOutput = { id: toId(step, index), machine: step.machine, ...body };
  return { topic: step.outputTopic, value: Buffer.from(JSON.stringify(output)) };
}

/** Deterministic: outsiders drop repeats by it. */
function toId({ stage, context }: ToyStep, index: number): string {
  return `${stage}.${context.partition}.${context.offset}.${context.ordinal + index}`;
}

function mix(hash: number, text: string): number {
  let mixed = hash;
  for (const character of text) mixed = Math.imul(mixed ^ character.charCodeAt(0), 0x01000193) >>> 0;
  return mixed;
}

function pickDefined<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}
