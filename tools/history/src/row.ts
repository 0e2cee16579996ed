import type { ColumnPositions, HistoryColumn } from './columns.js';
import type { TimestampProblem } from './timestamp.js';
import { parseTimestamp } from './timestamp.js';

/** One row of a history file; `undefined` where a field is empty. */
export interface HistoryRow {
  readonly userId: string;
  readonly timestampMs: number;
  readonly eventType: string;
  readonly itemId: string | undefined;
  readonly sessionId: string | undefined;
  readonly quantity: number | undefined;
  readonly value: number | undefined;
  readonly extra: string | undefined;
}

export interface TimeBounds {
  readonly earliestMs: number;
  readonly latestMs: number;
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** The fields of a record as a row, or the reason why it is invalid. */
export function parseRow(fields: readonly string[], columns: ColumnPositions, bounds: TimeBounds): HistoryRow | string {
  if (fields.length !== columns.width) return `has ${fields.length} columns, the header has ${columns.width}`;
  const field = (column: HistoryColumn): string => {
    const at = columns[column];
    return at === undefined ? '' : (fields[at] ?? '').trim();
  };
  const userId = field('user_id');
  if (userId === '') return 'has no user_id';
  const eventType = field('event_type');
  if (eventType === '') return 'has no event_type';
  const timestampMs = parseTimestampOnce(field('ts'));
  if (typeof timestampMs === 'string') return `ts ${quote(field('ts'))} ${timestampMs}`;
  if (timestampMs < bounds.earliestMs) return `ts ${quote(field('ts'))} is before ${toDay(bounds.earliestMs)}`;
  if (timestampMs > bounds.latestMs) return `ts ${quote(field('ts'))} is in the future`;
  const quantity = parseNumber(field('quantity'));
  if (quantity === 'bad') return `quantity ${quote(field('quantity'))} is not a finite number`;
  const value = parseNumber(field('value'));
  if (value === 'bad') return `value ${quote(field('value'))} is not a finite number`;
  // A broken encoding would map several ids to one: U+FFFD stands for bytes that are not UTF-8.
  if (fields.some((text) => text.includes('\uFFFD'))) return 'is not valid UTF-8';
  return {
    userId,
    timestampMs,
    eventType,
    itemId: field('item_id') || undefined,
    sessionId: field('session_id') || undefined,
    quantity,
    value,
    extra: field('extra') || undefined,
  };
}

/** Files are mostly in order of time, so a row often has the same text as the previous one. */
let lastText = '';
let lastTime: number | TimestampProblem = parseTimestamp('');

function parseTimestampOnce(text: string): number | TimestampProblem {
  if (text !== lastText) {
    lastTime = parseTimestamp(text);
    lastText = text;
  }
  return lastTime;
}

function parseNumber(text: string): number | undefined | 'bad' {
  if (text === '') return undefined;
  const number = NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(number) ? number : 'bad';
}

function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text);
}

function toDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
