import type { AccountKnown } from '@perennial/contracts';
import { isBehaviour, toAttributeValues } from '@perennial/contracts';
import type { FeatureSpecs } from '@perennial/feature-engine';
import type { Output, ProcessorDefinition, StepContext, StepItem, StepResult } from '@perennial/keyed-processor';
import type { CorrectionTelemetry } from '../correction-telemetry.js';
import { readsAccounts, toAccountId } from '../domain/account.js';
import { type FeatureInput, type FoldContext, foldTime } from '../domain/fold.js';
import { hadEvents, type ProfileState } from '../domain/profile-state.js';
import { takeBackEvent } from '../domain/take-back.js';
import type { FeatureEvidence } from '../processor.js';
import { decodeRetraction, type RetractionInput } from '../retract/retraction-record.js';
import { AccountFold } from './account-fold.js';
import { type AccountInput, AccountWriter, decodeAccountInput } from './account-records.js';
import type { AccountTelemetry } from './account-telemetry.js';

export type ProfileInput = FeatureInput | AccountInput | RetractionInput;

interface AccountOptions {
  /** Folds events into the profile of their key, and knows nothing of accounts. */
  readonly profiles: ProcessorDefinition<ProfileState, FeatureInput, FeatureEvidence>;
  readonly specs: FeatureSpecs;
  /** What folding needs of the artifacts in force. */
  readonly toFoldContext: (context: StepContext, evidence: FeatureEvidence) => FoldContext;
  readonly toOutput: (update: ReturnType<typeof foldTime>['update']) => Output;
  /** The key of the account of an id. */
  readonly toAccountKey: (accountId: string) => string;
  readonly telemetry: AccountTelemetry;
  /** Counts what became of a record that takes an event back. */
  readonly tookBack: CorrectionTelemetry['tookBack'];
}

interface LeaverOptions extends Pick<AccountOptions, 'specs' | 'toAccountKey'> {
  readonly inputTopic: string;
}

type Item<Input> = StepItem<ProfileState, Input>;
type Result = StepResult<ProfileState>;

/**
 * The processor of profiles with accounts around it. What a member does is counted under the key of its account, too, by a copy
 * of each event through the outbox, as hand-overs go; the account reports to its members what the spec in force declares of it. A spec that declares nothing of
 * accounts costs nothing (ADR 29).
 */
export function withAccounts(
  options: AccountOptions,
): ProcessorDefinition<ProfileState, ProfileInput, FeatureEvidence> {
  const { profiles, specs } = options;
  const { prepare } = profiles;
  const steps = new AccountSteps(options);
  return {
    ...profiles,
    codec: {
      ...profiles.codec,
      timerAtMs: (state) => toEarlier(profiles.codec.timerAtMs(state), state.group?.reportAtMs),
    },
    decode: (record) => decodeAccountInput(record) ?? decodeRetraction(record) ?? profiles.decode(record),
    prepare: async (items) => (await prepare?.(items.map(toProfileItem))) ?? [],
    step(item, evidence) {
      const { state, cause, context } = item;
      if (cause.kind === 'timer') {
        if (state?.group === undefined) return profiles.step({ ...item, cause }, evidence);
        return steps.takeTime({ ...item, state }, evidence);
      }
      const { input } = cause;
      if ('account' in input) return steps.takeRecord(item, input, evidence);
      if ('retraction' in input) return steps.takeBack(item, input, evidence);
      if (input.event.memberKey !== undefined) return steps.takeMemberEvent(item, input, evidence);
      const result = profiles.step({ ...item, cause: { kind: 'record', input } }, evidence);
      // What others report of a member is nothing that the account did.
      if (!isBehaviour(input.event.type)) return result;
      if (result.state === state || !readsAccounts(specs.inForce(context.inForce.get('features')))) return result;
      return { ...result, outputs: [...result.outputs, ...steps.copyToAccount(item, input, result.state)] };
    },
  };
}

/**
 * Tells the account of a profile that it has left: the profile has joined another one (`after` is none), or is in another account
 * since one has joined it. It becomes a member of that with its next event.
 */
export function createAccountLeaver({ inputTopic, specs, toAccountKey }: LeaverOptions) {
  const writer = new AccountWriter(inputTopic);
  return (
    before: ProfileState | undefined,
    after: ProfileState | undefined,
    { key, inForce }: StepContext,
  ): readonly Output[] => {
    const [id, now] = [toAccountId(before?.about), toAccountId(after?.about)];
    if (id === undefined || id === now || !readsAccounts(specs.inForce(inForce.get('features')))) return [];
    return [writer.left(toAccountKey(id), key)];
  };
}

/** The item as the processor of profiles has it; of a record that is no event it needs what a timer needs. */
function toProfileItem({ state, cause, context }: Item<ProfileInput>): Item<FeatureInput> {
  if (cause.kind === 'record' && !('event' in cause.input)) {
    return { state, cause: { kind: 'timer', dueAtMs: context.logTimeMs }, context };
  }
  return { state, cause, context } as Item<FeatureInput>;
}

class AccountSteps {
  readonly #options: AccountOptions;
  readonly #writer: AccountWriter;
  readonly #fold: AccountFold;

  constructor(options: AccountOptions) {
    this.#options = options;
    this.#writer = new AccountWriter(options.profiles.inputTopic);
    this.#fold = new AccountFold({ writer: this.#writer, telemetry: options.telemetry });
  }

  /** An event that changed a profile: its copy for the account, and word to the one that it has left. */
  copyToAccount({ state, context }: Item<ProfileInput>, { event }: FeatureInput, after: ProfileState | undefined) {
    const [before, now] = [toAccountId(state?.about), toAccountId(after?.about)];
    const { toAccountKey } = this.#options;
    const outputs: Output[] = [];
    if (before !== undefined && before !== now) outputs.push(this.#writer.left(toAccountKey(before), context.key));
    if (now !== undefined) {
      // Traits of a group that is not the newest are of another account.
      const isOf = event.traits === undefined || event.traits.accountId === now;
      const traits = isOf
        ? event.traits
        : { ...event.traits, own: event.traits?.own ?? [], accountId: '', account: [] };
      const keys = { memberKey: context.key, accountKey: toAccountKey(now) };
      outputs.push(this.#writer.eventOf({ ...event, traits }, keys));
    }
    return outputs;
  }

  takeMemberEvent({ state, context }: Item<ProfileInput>, input: FeatureInput, evidence: FeatureEvidence): Result {
    return this.#fold.takeEvent(state, input, { key: context.key, ...this.#options.toFoldContext(context, evidence) });
  }

  takeTime({ state, context }: Item<ProfileInput> & { state: ProfileState }, evidence: FeatureEvidence): Result {
    return this.#fold.takeTime(state, { key: context.key, ...this.#options.toFoldContext(context, evidence) });
  }

  /** Of a profile, or of an account that counted a copy. A profile without events, that knows of one to come, is announced to nobody. */
  takeBack({ state, context }: Item<ProfileInput>, input: RetractionInput, evidence: FeatureEvidence): Result {
    const place = { key: context.key, ...this.#options.toFoldContext(context, evidence) };
    const taken = takeBackEvent(state, input, place);
    this.#options.tookBack(taken.correction);
    if (taken.kind === 'unchanged') return { state, outputs: [] };
    if (state?.group !== undefined) return this.#fold.takeBack(taken, state.group, place);
    return { state: taken.state, outputs: hadEvents(state) ? [this.#options.toOutput(taken.update)] : [] };
  }

  takeRecord({ state, context }: Item<ProfileInput>, { account }: AccountInput, evidence: FeatureEvidence): Result {
    if (account.kind === 'left') return { state: this.#fold.takeLeft(state, account.left.memberKey), outputs: [] };
    return this.#takeKnown(state, account.known, this.#options.toFoldContext(context, evidence));
  }

  /** Only what the account that a profile is in says, and only news. It changes what conditions read, so that it is announced. */
  #takeKnown(state: ProfileState | undefined, known: AccountKnown, context: FoldContext): Result {
    const id = toAccountId(state?.about);
    if (state === undefined || id === undefined || this.#options.toAccountKey(id) !== known.accountKey) {
      return { state, outputs: [] };
    }
    const reported = toAttributeValues(known.attributes);
    const values = Object.fromEntries(known.names.map((name, index) => [name, reported[index] ?? null]));
    const before = state.account?.id === id ? state.account : undefined;
    const isNews = JSON.stringify(before?.values) !== JSON.stringify(values);
    if (!isNews || (before !== undefined && before.asOfMs > known.asOfMs)) return { state, outputs: [] };
    const account = { id, asOfMs: known.asOfMs, values };
    // Later than before: two updates without an event must not have one time, since that is how action tells their causes apart.
    const logTimeMs = Math.max(context.logTimeMs, state.engine.asOfMs + 1);
    const moved = foldTime({ ...state, account }, { ...context, logTimeMs });
    return { state: moved.state, outputs: [this.#options.toOutput(moved.update)] };
  }
}

function toEarlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}
