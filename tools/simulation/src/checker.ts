import { HEADERS, isAfter, parsePosition } from '@perennial/contracts';
import type { LogRecord, OutgoingRecord } from '@perennial/kafka';
import { foldLog, type OracleResult } from './oracle.js';
import { isForged } from './source.js';
import type { RestingWorld } from './subject.js';

/** Checks a world once it is at rest; returns the first violation, or undefined. */
export async function findViolation(world: RestingWorld): Promise<string | undefined> {
  const { subject } = world;
  const topics = [...world.topics, world.deadLetterTopic];
  for (const topic of topics) {
    for (let partition = 0; partition < world.partitions; partition++) {
      const found = checkTopic(world, { topic, partition });
      if (found !== undefined) return `${topic}/${partition}: ${found}`;
    }
  }
  const misjoined = subject.checkAll?.(world);
  if (misjoined !== undefined) return misjoined;
  const published = publishedBySource(world);
  for (let stage = 0; stage < world.stages; stage++) {
    for (let partition = 0; partition < world.partitions; partition++) {
      const found = await checkPartition(world, { stage, partition }, published);
      if (found !== undefined) return `stage ${stage}, partition ${partition}: ${found}`;
    }
  }
  return undefined;
}

/** Checks for readers who drop repeats: one content for each position, and what the subject promises them. */
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
  return at.topic === world.topics[0] || at.topic === world.deadLetterTopic
    ? undefined
    : world.subject.checkTopic?.(seen, records);
}

/** Checks that states, timers, meta and outputs equal those of the fault-free run over the same log. */
async function checkPartition(
  world: RestingWorld,
  at: { stage: number; partition: number },
  publishedBy: ReadonlyMap<string, readonly LogRecord[]>,
): Promise<string | undefined> {
  const { subject } = world;
  const input = world.records({ topic: world.topics[at.stage] as string, partition: at.partition });
  const definition = subject.define({ stage: at.stage, number: 0 });
  const source = `${definition.name}/${at.partition}`;
  const published = publishedBy.get(source) ?? [];
  const truth = await foldLog(input, {
    definition,
    partition: at.partition,
    partitions: world.partitions,
    deadLetterTopic: world.deadLetterTopic,
    toEvidence: subject.toEvidence(published),
    findForgery: (record) => subject.findForgery(world, definition, record),
  });
  return compareOutputs(published, truth.outputs) ?? compareStore(world, at, { truth, next: input.length });
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
  if (missing !== undefined) return `never published: ${toPrintable(missing)}`;
  const extra = [...seen].find((line) => !owed.has(line));
  return extra === undefined ? undefined : `published, but not owed: ${toPrintable(extra)}`;
}

/** Values are no text where they are of the platform's contracts. */
function toPrintable(line: string): string {
  return line.replace(/[^\x20-\x7e]+/g, '.');
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
