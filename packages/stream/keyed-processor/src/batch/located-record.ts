import { HEADERS, type Position, parsePosition, parseSource } from '@perennial/contracts';
import type { LogRecord } from '@perennial/kafka';
import type { ProcessorDefinition } from '../definition.js';

/** Before the name of the processor whose dead letters were redriven, in the position of such a record. */
export const REDRIVEN_PREFIX = 'redrive:';

/** A record with the log that its position names, or the reason why it can name none. */
export type LocatedRecord = { readonly record: LogRecord } & (
  | { readonly origin: 'outside' }
  | { readonly origin: 'forged'; readonly cause: string }
  | {
      readonly origin: 'source';
      readonly position: Position;
      /** The log whose offset the position names. */
      readonly topic: string;
      readonly partition: number;
      /** Where the record itself says how far that log can reach at most: it names its own partition. */
      readonly below: number | undefined;
    }
);

type Sources = Pick<ProcessorDefinition<never, never, never>, 'name' | 'inputTopic' | 'sources'>;

/**
 * Reads a record's position. Whoever may write to the topic can make one up, so it has to name a declared source and
 * its right partition. A cause depends on the record alone: the same record processed again gives the same dead letter.
 */
export function locateRecord(definition: Sources, record: LogRecord): LocatedRecord {
  const header = record.headers[HEADERS.position];
  if (header === undefined) return { record, origin: 'outside' };
  const forged = (cause: string): LocatedRecord => ({ record, origin: 'forged', cause: toForgedCause(header, cause) });
  const position = parsePosition(header);
  const named = position && parseSource(position.source);
  if (position === undefined || named === undefined)
    return forged('it is not of the form <processor>/<partition>:<offset>:<ordinal>');
  const source = findSource(definition, named.processor);
  if (source === undefined) return forged(`${definition.inputTopic} has no such source`);
  const isOwn = named.partition === record.partition;
  if (!isOwn && source.partition !== 'any')
    return forged(`its partition is not that of the record, which is ${record.partition}`);
  const below = isOwn && source.topic === definition.inputTopic ? record.offset : undefined;
  return { record, origin: 'source', position, topic: source.topic, partition: named.partition, below };
}

/** The cause of a dead letter whose position names an offset that its source's log does not have. */
export function toBeyondCause({ record, topic, partition }: LocatedRecord & { origin: 'source' }): string {
  const header = record.headers[HEADERS.position] ?? '';
  return toForgedCause(header, `partition ${partition} of ${topic} has no such offset`);
}

function findSource({ name, inputTopic, sources }: Sources, processor: string) {
  if (processor === `${REDRIVEN_PREFIX}${name}`) return { topic: inputTopic, partition: 'same' as const };
  return sources.find((source) => source.processor === processor);
}

const SHOWN_CHARACTERS_MAX = 100;

function toForgedCause(header: string, cause: string): string {
  return `the position ${JSON.stringify(header.slice(0, SHOWN_CHARACTERS_MAX))} cannot be true: ${cause}`;
}
