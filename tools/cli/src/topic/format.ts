import type { LogRecord } from '@perennial/kafka';
import { line, lines, type Printable, toBody } from '../output.js';
import type { Decoded } from './decode.js';

/** A record as one JSON object. */
export function toObject(record: LogRecord, { kind, value }: Decoded) {
  const { partition, offset, timestampMs, key, headers } = record;
  return {
    partition,
    offset,
    time: new Date(timestampMs).toISOString(),
    key: key?.toString('utf8') ?? null,
    headers,
    kind,
    value,
  };
}

/** A record for people: its position, time, key and kind in a line, then headers and value. */
export function formatRecord(record: LogRecord, decoded: Decoded): Printable {
  const { partition, offset, time, key, headers, kind, value } = toObject(record, decoded);
  return lines(
    line`${partition}:${offset}  ${time}  ${key ?? '(no key)'}  ${kind}`,
    ...Object.entries(headers).map(([name, text]) => line`    ${name}: ${text}`),
    toBody(value, { indent: '  ' }),
  );
}
