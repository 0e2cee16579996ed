import { AppError, must, toTextBytes } from '@perennial/kernel';
import type { OutgoingRecord } from './log.js';

/** One request: what is sent at once. */
export interface Request {
  readonly byTopic: ReadonlyMap<string, OutgoingRecord[]>;
  /** Resolves the sends whose last record is in this request. */
  succeed(): void;
  /** Every send with a record in this request fails with `error`; the later ones fail as retriable. */
  fail(error: AppError): void;
}

/** Waiting sends, in order. */
export interface SendQueue {
  /** Bytes that wait, without the request in flight. */
  readonly bytes: number;
  push(records: readonly OutgoingRecord[], bytes: number): Promise<void>;
  /** The next request; undefined when no send waits. */
  take(): Request | undefined;
}

interface Send {
  readonly records: readonly OutgoingRecord[];
  /** Index of the first record that is in no request yet, and the bytes from it to the end. */
  next: number;
  bytesLeft: number;
  readonly resolve: () => void;
  readonly reject: (error: AppError) => void;
}

/** Upper bound for lengths, sequence deltas and timestamps of one record on the wire. */
const RECORD_OVERHEAD_BYTES = 32;
const HEADER_OVERHEAD_BYTES = 4;

/** An upper bound of a record's bytes on the wire. */
export function sizeOfRecord({ key, value, headers }: OutgoingRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  for (const name in headers) bytes += HEADER_OVERHEAD_BYTES + toTextBytes(name) + toTextBytes(headers[name] ?? '');
  return bytes;
}

/**
 * A queue that cuts requests at the limits; one send may span several requests, and one request may hold several sends.
 */
export function createSendQueue(limits: { requestBytesMax: number; requestRecordsMax: number }): SendQueue {
  let waiting: Send[] = [];
  let bytesWaiting = 0;

  return {
    get bytes() {
      return bytesWaiting;
    },
    push: (records, bytes) =>
      new Promise((resolve, reject) => {
        waiting.push({ records, next: 0, bytesLeft: bytes, resolve, reject });
        bytesWaiting += bytes;
      }),
    take() {
      if (waiting.length === 0) return undefined;
      const byTopic = new Map<string, OutgoingRecord[]>();
      const room = { bytes: limits.requestBytesMax, records: limits.requestRecordsMax };
      let complete = 0;
      for (const send of waiting) {
        bytesWaiting -= fillRequest(send, byTopic, room);
        if (send.next < send.records.length) break;
        complete++;
        if (room.bytes <= 0 || room.records <= 0) break;
      }
      const done = waiting.splice(0, complete);
      const partial = waiting[0] !== undefined && waiting[0].next > 0 ? waiting[0] : undefined;
      return {
        byTopic,
        succeed() {
          for (const send of done) send.resolve();
        },
        fail(error) {
          const behind = waiting;
          waiting = [];
          bytesWaiting = 0;
          for (const send of done) send.reject(error);
          for (const send of behind) send.reject(send === partial ? error : toFailedBefore(error));
        },
      };
    },
  };
}

interface Room {
  bytes: number;
  records: number;
}

/** Moves as many records of `send` into the request as fit; returns their bytes. */
function fillRequest(send: Send, byTopic: Map<string, OutgoingRecord[]>, room: Room): number {
  const fitsWhole = send.bytesLeft <= room.bytes && send.records.length - send.next <= room.records;
  const bytesBefore = send.bytesLeft;
  let topic: string | undefined;
  let list: OutgoingRecord[] = [];
  while (send.next < send.records.length && (fitsWhole || room.records > 0)) {
    const record = must(send.records[send.next], 'record');
    if (!fitsWhole) {
      const size = sizeOfRecord(record);
      if (size > room.bytes) return bytesBefore - send.bytesLeft;
      room.bytes -= size;
      room.records--;
      send.bytesLeft -= size;
    }
    if (record.topic !== topic) {
      topic = record.topic;
      list = byTopic.get(topic) ?? [];
      byTopic.set(topic, list);
    }
    list.push(record);
    send.next++;
  }
  if (fitsWhole) {
    room.bytes -= send.bytesLeft;
    room.records -= send.records.length;
    send.bytesLeft = 0;
  }
  return bytesBefore - send.bytesLeft;
}

function toFailedBefore(cause: AppError): AppError {
  return new AppError('dependency_unavailable', `not sent, because an earlier request failed: ${cause.message}`, {
    retriable: true,
    cause,
  });
}
