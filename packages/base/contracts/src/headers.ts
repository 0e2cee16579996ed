/** Kafka header names used between services. */
export const HEADERS = {
  /** Position of a processor's output: `<processor>/<partition>:<offset>:<ordinal>`. */
  position: 'pn-position',
  /** W3C trace context, forwarded. */
  traceparent: 'traceparent',
  deadLetterCause: 'pn-cause',
  deadLetterProcessor: 'pn-processor',
  /** `<topic>/<partition>:<offset>` of a dead-lettered or rejected record. */
  origin: 'pn-origin',
  /** The position header of the dead-lettered record: which input record of the previous processor caused it. */
  originPosition: 'pn-origin-position',
  /** What a dead letter stands for: the same for each copy of it, and for each letter of one record that was written twice. */
  letterId: 'pn-letter-id',
  /** On a dead letter without the record's content, because it was too large: bytes of its key, value and headers. */
  omittedBytes: 'pn-omitted-bytes',
  /** On a republished record: `<topic>/<partition>:<offset>` of its dead letter or rejection. */
  redrivenFrom: 'pn-redriven-from',
} as const;

/** The position of an output: which input record caused it, and which of its outputs it is. */
export interface Position {
  /** `<processor>/<partition>`: one ordered source. */
  readonly source: string;
  readonly offset: number;
  readonly ordinal: number;
}

export function encodePosition(position: Position): string {
  return `${position.source}:${position.offset}:${position.ordinal}`;
}

const POSITION_HEADER = /^(.+):(\d{1,16}):(\d{1,16})$/;

/** Reads a position header; undefined when it is not one (records of other producers have none). */
export function parsePosition(header: string | undefined): Position | undefined {
  if (header === undefined) return undefined;
  const match = POSITION_HEADER.exec(header);
  if (match === null) return undefined;
  const position = { source: match[1] as string, offset: Number(match[2]), ordinal: Number(match[3]) };
  // Larger numbers are not exact, and would be compared wrongly.
  return Number.isSafeInteger(position.offset) && Number.isSafeInteger(position.ordinal) ? position : undefined;
}

/** The processor and the partition that a position's source names; undefined when it names none. */
export function parseSource(source: string): { processor: string; partition: number } | undefined {
  const match = /^(.+)\/(0|[1-9]\d{0,8})$/.exec(source);
  return match === null ? undefined : { processor: match[1] as string, partition: Number(match[2]) };
}

/** True when `a` comes after `b` within one source. */
export function isAfter(a: { offset: number; ordinal: number }, b: { offset: number; ordinal: number }): boolean {
  return a.offset > b.offset || (a.offset === b.offset && a.ordinal > b.ordinal);
}

/** Where a record is stored, or was stored before it was removed. */
export interface LogPosition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export function encodeLogPosition({ topic, partition, offset }: LogPosition): string {
  return `${topic}/${partition}:${offset}`;
}

/** Reads what `encodeLogPosition` wrote; undefined for any other text. */
export function parseLogPosition(text: string | undefined): LogPosition | undefined {
  const match = /^(.+)\/(\d+):(\d+)$/.exec(text ?? '');
  if (match === null) return undefined;
  return { topic: match[1] as string, partition: Number(match[2]), offset: Number(match[3]) };
}

/** CloudEvents 1.0 attributes of an edge record; in Kafka's binary mode each is a header `ce_<name>`. */
export interface CloudEventAttributes {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  /** RFC 3339. */
  readonly time?: string;
}

/** CloudEvents attributes as Kafka headers (binary content mode, JSON data). */
export function toCloudEventHeaders(attributes: CloudEventAttributes): Record<string, string> {
  const { id, source, type, subject, time } = attributes;
  const headers: Record<string, string> = {
    ce_specversion: '1.0',
    'content-type': 'application/json',
    ce_id: id,
    ce_source: source,
    ce_type: type,
  };
  if (subject !== undefined) headers.ce_subject = subject;
  if (time !== undefined) headers.ce_time = time;
  return headers;
}
