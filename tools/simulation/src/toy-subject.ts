import { HEADERS } from '@perennial/contracts';
import type { LogRecord } from '@perennial/kafka';
import { locateRecord, toBeyondCause } from '@perennial/keyed-processor/internals';
import { toLayout } from './layout.js';
import type { WorldPlan } from './plan.js';
import { isForged } from './source.js';
import type { AnyDefinition, Subject } from './subject.js';
import { createToy, type ToyOutput } from './toy.js';

/** Later than all ticks of a world. */
const LATE_MS = 1e8;

/** Sums that are passed on from stage to stage. */
export function createToySubject(plan: Pick<WorldPlan, 'kind' | 'stages' | 'machinesDiffer'>): Subject {
  return {
    ...toLayout(plan),
    define({ stage, number }) {
      const machine = plan.machinesDiffer ? number : 0;
      return createToy({ stage, isLast: stage === plan.stages - 1, machine }) as unknown as AnyDefinition;
    },
    encodeLateTick: (n) => Buffer.from(JSON.stringify({ kind: 'tick', timeMs: n * LATE_MS })),
    toEvidence(published) {
      const machines = new Map(published.flatMap(toMachine));
      return async (_, position) => machines.get(position) ?? 0;
    },
    /** By the marks of those who forged: an honest record is never taken for a forged one. */
    findForgery(world, definition, record) {
      if (!isForged(record)) return undefined;
      const located = locateRecord(definition, record);
      if (located.origin === 'forged') return { cause: located.cause, evident: true };
      if (located.origin === 'outside') return undefined;
      const { topic, partition, position, below } = located;
      const end = below ?? world.records({ topic, partition }).length;
      return position.offset < end ? undefined : { cause: toBeyondCause(located), evident: false };
    },
    checkTopic: checkNumbering,
  };
}

/** One content for each id, each key numbered without gaps. */
function checkNumbering(seen: readonly LogRecord[], records: readonly LogRecord[]): string | undefined {
  const outputs = seen.flatMap(toOutputs);
  const byId = new Map(records.flatMap(toOutputs).map(({ output }) => [output.id, output]));
  if (byId.size !== outputs.length) return `${byId.size} ids, but ${outputs.length} records without repeats`;
  const numbers = new Map<string, number>();
  for (const { key, output } of outputs) {
    const expected = (numbers.get(key) ?? 0) + 1;
    if (output.seq !== expected) return `${key} goes from number ${expected - 1} to ${output.seq}`;
    numbers.set(key, output.last === true ? 0 : output.seq);
  }
  return undefined;
}

/** Numbered outputs: neither control records nor hand-overs. */
function toOutputs(record: LogRecord): Array<{ key: string; output: ToyOutput }> {
  if (record.key === null) return [];
  const output = JSON.parse(String(record.value)) as ToyOutput;
  return output.seq === undefined ? [] : [{ key: String(record.key), output }];
}

function toMachine(record: LogRecord): Array<[position: string, machine: number]> {
  if (record.key === null || record.headers[HEADERS.origin] !== undefined) return [];
  const { machine } = JSON.parse(String(record.value)) as Partial<ToyOutput>;
  return machine === undefined ? [] : [[record.headers[HEADERS.position] ?? '', machine]];
}
