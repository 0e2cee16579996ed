import { AcceptedRecord, encodeMessage } from '@perennial/contracts';
import { type Stored, toParts } from '@perennial/identity';
import type { Output, StepResult } from '@perennial/keyed-processor';
import type { Mutant, OnBroken } from '../mutant.js';
import type { RuleName } from '../rules.js';
import type { AnyDefinition, AnyItem } from '../subject.js';
import type { JoinInput } from './stored-profiles.js';

/** Mutants of the step that joins profiles: the recount has to notice them, not only the comparison with the shipped step. */
export const JOIN_MUTANTS = {
  /** A forwarder forgets that it is one with the first event that it passes on. */
  'forwarder-kept': withStep((item, step, onBroken) => {
    const result = step(item);
    if (toKind(item.state) !== 'forwarder' || result.outputs.length === 0) return result;
    onBroken();
    return { ...result, state: undefined };
  }),
  'hand-over-taken-once': withStep((item, step, onBroken) => {
    const result = step(item);
    if (toRecordKind(item) !== 'hand_over' || result.state === item.state || toKind(result.state) !== 'root')
      return result;
    onBroken();
    return { ...step({ ...item, state: result.state }), outputs: result.outputs };
  }),
  'members-handed-over': withStep((item, step, onBroken) =>
    mapOutputs(step(item), (record) => {
      if (record?.$case !== 'handOver' || record.value.members.length === 0) return undefined;
      onBroken();
      return { $case: 'handOver', value: { ...record.value, members: [] } };
    }),
  ),
  'copies-marked-while-leaving': withStep((item, step, onBroken) =>
    mapOutputs(step(item), (record) => {
      if (record?.$case !== 'event' || record.value.leaving === undefined) return undefined;
      onBroken();
      return { $case: 'event', value: { ...record.value, leaving: undefined } };
    }),
  ),
  'held-until-parted': withStep((item, step, onBroken) => {
    const result = step(item);
    const { state } = result;
    if (state === undefined || !('held' in state) || (state.held as readonly unknown[] | undefined)?.length !== 1)
      return result;
    onBroken();
    return { ...result, state: { ...state, held: [] } };
  }),
} as const satisfies Partial<Record<RuleName, Mutant>>;

type Step = (item: AnyItem) => StepResult<object>;

function withStep(replace: (item: AnyItem, step: Step, onBroken: OnBroken) => StepResult<object>): Mutant {
  return {
    only: 'joins',
    inDefinition: (definition: AnyDefinition, { onBroken }) => ({
      ...definition,
      step: (item, evidence) => replace(item, (one) => definition.step(one, evidence), onBroken),
    }),
  };
}

function toKind(state: object | undefined): string | undefined {
  return state && toParts(state as Stored<object>).node.kind;
}

/** Of a record about joins; undefined for any other. */
function toRecordKind({ cause }: AnyItem): string | undefined {
  if (cause.kind === 'timer') return undefined;
  const input = cause.input as JoinInput;
  return 'identity' in input ? input.identity.kind : undefined;
}

/** `replace` gives another record, or undefined to leave it. */
function mapOutputs(
  { outputs, ...result }: StepResult<object>,
  replace: (record: AcceptedRecord['record']) => AcceptedRecord['record'],
): StepResult<object> {
  const map = (output: Output): Output => {
    if (output.partition !== 'by-key') return output;
    const record = replace(AcceptedRecord.decode(output.value).record);
    return record === undefined ? output : { ...output, value: encodeMessage(AcceptedRecord, { record }) };
  };
  return { ...result, outputs: outputs.map(map) };
}
