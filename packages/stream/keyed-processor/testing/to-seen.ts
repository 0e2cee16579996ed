import { HEADERS, isAfter, parsePosition } from '@perennial/contracts';
import type { OutgoingRecord } from '@perennial/kafka';

/** What a reader sees that drops everything not above the highest position; throws when a position has two contents. */
export function toSeen(written: readonly OutgoingRecord[]): string[] {
  const byPosition = new Map<string, string>();
  const last = new Map<string, { offset: number; ordinal: number }>();
  const seen: string[] = [];
  for (const record of written) {
    const header = record.headers[HEADERS.position] ?? '';
    const content = `${record.topic} ${record.key} ${record.value}`;
    const known = byPosition.get(header);
    if (known !== undefined && known !== content)
      throw new Error(`position ${header} has two contents: ${known} and ${content}`);
    byPosition.set(header, content);
    const position = parsePosition(header);
    if (position === undefined) throw new Error(`no position on ${content}`);
    const before = last.get(position.source);
    if (before !== undefined && !isAfter(position, before)) continue;
    last.set(position.source, position);
    seen.push(`${header} ${content}`);
  }
  return seen;
}
