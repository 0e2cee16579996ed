import type { History, RowId, SegmentTrack } from '@perennial/history';
import { ID_BYTES, type RowLedger } from './row-ledger.js';

/** The events of a file that are still to be sent, numbered anew in the same order of time. */
export interface Remaining {
  readonly length: number;
  timestampMs(index: number): number;
  userNumber(index: number): number;
  event(index: number): SegmentTrack;
  line(index: number): number;
  rowId(index: number): RowId;
}

export interface Sent {
  /** By the event's index in the file: 1 when an earlier run has sent it. */
  readonly flags: Uint8Array;
  readonly events: number;
  readonly rows: number;
  /** Time of the latest of them. */
  readonly lastMs: number | undefined;
}

/** Which events of the file the ledger knows. Its ids are streamed through the file's: memory depends on the file only. */
export async function findSent(history: History, ledger: Pick<RowLedger, 'read'>): Promise<Uint8Array> {
  const flags = new Uint8Array(history.length);
  for await (const ids of ledger.read()) {
    for (let at = 0; at + ID_BYTES <= ids.length; at += ID_BYTES) {
      const index = history.find({ high: ids.readUInt32BE(at), low: ids.readUInt32BE(at + 4) });
      if (index >= 0) flags[index] = 1;
    }
  }
  return flags;
}

export function summarizeSent(history: History, flags: Uint8Array): Sent {
  let events = 0;
  let rows = 0;
  let lastMs: number | undefined;
  for (let index = 0; index < history.length; index++) {
    if (flags[index] !== 1) continue;
    events++;
    rows += history.rowCount(index);
    lastMs = history.timestampMs(index);
  }
  return { flags, events, rows, lastMs };
}

export function toRemaining(history: History, flags: Uint8Array): Remaining {
  const indexes = new Uint32Array(flags.reduce((count, flag) => count + (flag === 1 ? 0 : 1), 0));
  let length = 0;
  for (let index = 0; index < flags.length; index++) if (flags[index] !== 1) indexes[length++] = index;
  const at = (index: number) => indexes[index] as number;
  return {
    length,
    timestampMs: (index) => history.timestampMs(at(index)),
    userNumber: (index) => history.userNumber(at(index)),
    event: (index) => history.event(at(index)),
    line: (index) => history.line(at(index)),
    rowId: (index) => history.rowId(at(index)),
  };
}

/** Ids as the ledger keeps them. */
export function encodeIds(ids: readonly RowId[]): Buffer {
  const bytes = Buffer.allocUnsafe(ids.length * ID_BYTES);
  for (const [index, { high, low }] of ids.entries()) {
    bytes.writeUInt32BE(high, index * ID_BYTES);
    bytes.writeUInt32BE(low, index * ID_BYTES + 4);
  }
  return bytes;
}
