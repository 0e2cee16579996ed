import { HEADERS, isAfter, parsePosition } from '@perennial/contracts';
import type { LogRecord, OutgoingRecord } from '@perennial/kafka';
import { locateRecord, toBeyondCause } from '@perennial/keyed-processor/internals';
import { foldLog, type OracleResult } from './oracle.js';
import { isForged } from './source.js';
import { createToy, type ToyDefinition, type ToyOutput } from './toy.js';
import type { RestingWorld } from './world.js';

/** Checks a world once it is at rest; returns the first violation, or undefined. */
export function findViolation(world: RestingWorld): string | undefined {
  const topics = [...world.topics, world.deadLetterTopic];
  for (const topic of topics) {
    for (let partition = 0; partition < world.partitions; partition++) {
      const found = checkTopic(world, { topic, partition });
      if (found !== undefined) return `${topic}/${partition}: ${found}`;
    }
  }
  const published = publishedBySource(world);
  for (let stage = 0; stage < world.stages; stage++) {
    for (let partition = 0; partition < world.partitions; partition++) {
      const found = checkPartition(world, { stage, partition }, published);
      if (found !== undefined) return `stage ${stage}, partition ${partition}: ${found}`;
    }
  }
  return undefined;
}

/**
 * Checks for readers who drop repeats: one content for each position, one content for each id, each key numbered
 * without gaps.
 */
function checkTopic(world: RestingWorld, at: { topic: string; partition: number }): string | undefined {
  const records = world.records(at).filter((record) => !isForged(record));
  const contents = new Map<string, string>();
  for (const record of records) {
    const position = record.headers[HEADERS.position];
    if (position === undefined) continue;
    const content = toContent(record);
    if ((contents.get(position) ?? content) !== content)
      return `position ${position} has two contents: ${contents.get(position)} and ${content}`;
    contents.set(position, content);
  }
  const seen = dropRepeats(records);
  if (seen.filter(({ headers }) => headers[HEADERS.position] !== undefined).length !== contents.size)
    return 'a reader who drops what is not above the highest position misses records: they are out of order';
  return at.topic === world.topics[0] || at.topic === world.deadLetterTopic ? undefined : checkNumbering(seen, records);
}

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

/** Checks that states, timers, meta and outputs equal those of the fault-free run over the same log. */
function checkPartition(
  world: RestingWorld,
  at: { stage: number; partition: number },
  publishedBy: ReadonlyMap<string, readonly LogRecord[]>,
): string | undefined {
  const input = world.records({ topic: world.topics[at.stage] as string, partition: at.partition });
  const definition = createToy({ stage: at.stage, isLast: at.stage === world.stages - 1, machine: 0 });
  const source = `${definition.name}/${at.partition}`;
  const published = publishedBy.get(source) ?? [];
  const machines = new Map(published.flatMap(toMachine));
  const truth = foldLog(input, {
    definition,
    stage: at.stage,
    partition: at.partition,
    partitions: world.partitions,
    deadLetterTopic: world.deadLetterTopic,
    machineAt: (position) => machines.get(position) ?? 0,
    findForgery: (record) => findForgery(world, definition, record),
  });
  return compareOutputs(published, truth.outputs) ?? compareStore(world, at, { truth, next: input.length });
}

/** By the marks of those who forged: an honest record is never taken for a forged one. */
function findForgery(
  world: RestingWorld,
  definition: ToyDefinition,
  record: LogRecord,
): { cause: string; evident: boolean } | undefined {
  if (!isForged(record)) return undefined;
  const located = locateRecord(definition, record);
  if (located.origin === 'forged') return { cause: located.cause, evident: true };
  if (located.origin === 'outside') return undefined;
  const { topic, partition, position, below } = located;
  const end = below ?? world.records({ topic, partition }).length;
  return position.offset < end ? undefined : { cause: toBeyondCause(located), evident: false };
}

function compareStore(
  world: RestingWorld,
  at: { stage: number; partition: number },
  { truth, next }: { truth: OracleResult; next: number },
): string | undefined {
  const { states, timers, meta } = world.contents(at);
  if (meta === undefined) return next === 0 ? undefined : 'nothing was committed';
  return (
    firstDifference('state', states, truth.states) ??
    firstDifference('timer', timers, truth.timers) ??
    firstDifference(
      'meta',
      {
        next: meta.next,
        ordinal: meta.ordinal,
        logTimeMs: meta.logTimeMs,
        inForce: meta.inForce,
        restoring: meta.restoring,
      },
      { next, ordinal: 0, logTimeMs: truth.logTimeMs, inForce: truth.inForce, restoring: undefined },
    )
  );
}

function compareOutputs(published: readonly LogRecord[], truth: readonly OutgoingRecord[]): string | undefined {
  const toLine = (record: OutgoingRecord) => `${record.topic}/${record.partition} ${toContent(record)}`;
  const seen = new Set(published.map(toLine));
  const owed = new Set(truth.map(toLine));
  const missing = [...owed].find((line) => !seen.has(line));
  if (missing !== undefined) return `never published: ${missing}`;
  const extra = [...seen].find((line) => !owed.has(line));
  return extra === undefined ? undefined : `published, but not owed: ${extra}`;
}

function publishedBySource(world: RestingWorld): Map<string, LogRecord[]> {
  const bySource = new Map<string, LogRecord[]>();
  for (const topic of [...world.topics, world.deadLetterTopic]) {
    for (let partition = 0; partition < world.partitions; partition++) {
      for (const record of world.records({ topic, partition })) {
        if (isForged(record) && topic !== world.deadLetterTopic) continue;
        const source = parsePosition(record.headers[HEADERS.position])?.source;
        if (source === undefined) continue;
        const known = bySource.get(source);
        if (known === undefined) bySource.set(source, [record]);
        else known.push(record);
      }
    }
  }
  return bySource;
}

function toMachine(record: LogRecord): Array<[position: string, machine: number]> {
  if (record.key === null || record.headers[HEADERS.origin] !== undefined) return [];
  const { machine } = JSON.parse(String(record.value)) as Partial<ToyOutput>;
  return machine === undefined ? [] : [[record.headers[HEADERS.position] ?? '', machine]];
}

/** The criterion of a reader that keeps the highest position of each source. */
function dropRepeats(records: readonly LogRecord[]): LogRecord[] {
  const highest = new Map<string, { offset: number; ordinal: number }>();
  return records.filter(({ headers }) => {
    const position = parsePosition(headers[HEADERS.position]);
    if (position === undefined) return true;
    const last = highest.get(position.source);
    if (last !== undefined && !isAfter(position, last)) return false;
    highest.set(position.source, position);
    return true;
  });
}

function toContent({ key, value, headers }: OutgoingRecord): string {
  return `${key} ${value} ${JSON.stringify(headers)}`;
}

function firstDifference(what: string, got: object, wanted: object): string | undefined {
  const found = new Map(Object.entries(got));
  const truth = new Map(Object.entries(wanted));
  for (const name of new Set([...truth.keys(), ...found.keys()])) {
    const [a, b] = [found.get(name), truth.get(name)].map((value) => JSON.stringify(value));
    if (a !== b) return `${what} ${name} is ${a}, but without faults ${b}`;
  }
  return undefined;
}
