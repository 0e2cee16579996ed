import { line, type Printable, toTable } from '../output.js';

interface Known {
  readonly traits: ReadonlyArray<{
    readonly name: string;
    readonly value: string | number | boolean | null;
    readonly at: string;
    readonly before: ReadonlyArray<{ readonly value: string | number | boolean | null }>;
  }>;
  readonly features: Readonly<Record<string, number | null>>;
  readonly units: Readonly<Record<string, string>>;
  readonly inexact: readonly string[];
}

export function toTraitTable({ traits }: Pick<Known, 'traits'>): Printable[] {
  if (traits.length === 0) return [line`none that is declared not to be personal`];
  const rows = traits.map(({ name, value, at, before }) => [
    name,
    String(value),
    `since ${at}`,
    // No empty last cell: the line would end in blanks.
    ...(before.length === 0 ? [] : [`before: ${before.map(({ value: old }) => String(old ?? 'removed')).join(', ')}`]),
  ]);
  return [toTable(rows)];
}

/** Features with a value, how many have none, and which still have an event that was taken back. */
export function toFeatureTable({
  features,
  units,
  inexact,
}: Pick<Known, 'features' | 'units' | 'inexact'>): Printable[] {
  const all = Object.entries(features);
  const rows = all.flatMap(([name, value]) => (value === null ? [] : [[name, toShort(value), units[name] ?? '']]));
  const empty = all.length - rows.length;
  return [
    ...(rows.length === 0 ? [] : [toTable(rows)]),
    ...(empty === 0 ? [] : [line`${empty} have no value yet`]),
    ...(inexact.length === 0 ? [] : [line`these still have an event that was taken back: ${inexact.join(', ')}`]),
  ];
}

function toShort(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(6);
}
