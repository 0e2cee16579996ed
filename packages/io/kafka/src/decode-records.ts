import type { Batch, IHeaders } from 'kafkajs';
import type { LogRecord } from './log.js';

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/** kafkajs's messages as records: one object each, headers as UTF-8 text; of a repeated header the first value. */
export function toLogRecords({ topic, partition, messages }: Batch): LogRecord[] {
  const records = new Array<LogRecord>(messages.length);
  let index = 0;
  for (const { offset, timestamp, key, value, headers } of messages) {
    records[index++] = {
      topic,
      partition,
      offset: Number(offset),
      timestampMs: Number(timestamp),
      key,
      value,
      headers: toTextHeaders(headers),
    };
  }
  return records;
}

function toTextHeaders(headers: IHeaders | undefined): Readonly<Record<string, string>> {
  let text: Record<string, string> | undefined;
  for (const name in headers) {
    const given = headers[name];
    const value = Array.isArray(given) ? given[0] : given;
    if (value === undefined || value === null) continue;
    text ??= {};
    text[name] = typeof value === 'string' ? value : value.toString('utf8');
  }
  return text ?? NO_HEADERS;
}
