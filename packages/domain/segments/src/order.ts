import type { Condition } from '@perennial/expressions';

/** A segment as its file has it: what its conditions may read of others. */
export interface ReadingSegment {
  readonly name: string;
  readonly when: Condition | undefined;
  readonly leave: Condition | undefined;
}

/** `segments.vip` and `tags.vip` are the same. */
const MEMBERSHIP = /^(?:segments|tags)\.(.+)$/;

/** Names of the segments that the conditions of one read. */
function listRead({ when, leave }: Pick<ReadingSegment, 'when' | 'leave'>): readonly string[] {
  const reads = [...(when?.reads ?? []), ...(leave?.reads ?? [])];
  return reads.flatMap((read) => MEMBERSHIP.exec(read)?.[1] ?? []);
}

/** False where every segment can be evaluated by itself. */
export function readsOthers(segments: Iterable<ReadingSegment>): boolean {
  return [...segments].some((segment) => listRead(segment).length > 0);
}

/**
 * Names in an order of evaluation: those that are read before those that read them, else as they stand. `circles` has each
 * way from a segment back to itself, such as `a, b, a`; for these there is no order.
 */
export function toOrder(segments: readonly ReadingSegment[]): {
  readonly order: readonly string[];
  readonly circles: ReadonlyArray<readonly string[]>;
} {
  const byName = new Map(segments.map((segment) => [segment.name, segment]));
  const order = new Set<string>();
  const circles: string[][] = [];
  const path: string[] = [];
  const visit = (segment: ReadingSegment): void => {
    if (order.has(segment.name)) return;
    const begin = path.indexOf(segment.name);
    if (begin !== -1) {
      circles.push([...path.slice(begin), segment.name]);
      return;
    }
    path.push(segment.name);
    for (const name of listRead(segment)) {
      const read = byName.get(name);
      if (read !== undefined) visit(read);
    }
    path.pop();
    order.add(segment.name);
  };
  for (const segment of segments) visit(segment);
  return { order: [...order], circles };
}
