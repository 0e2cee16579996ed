import type { ColumnMap, HistoryColumn } from './column-map.js';

/** Names that exports use for a column, the likelier ones first, in lower case without blanks and punctuation. */
const USUAL_NAMES: Readonly<Partial<Record<HistoryColumn, readonly string[]>>> = {
  user_id: [
    'customerid',
    'userid',
    'clientid',
    'memberid',
    'accountid',
    'customer',
    'user',
    'client',
    'customeremail',
    'billingemail',
    'email',
    'visitorid',
    'uid',
  ],
  ts: [
    'timestamp',
    'timestamptz',
    'createdat',
    'orderedat',
    'orderdate',
    'invoicedate',
    'purchasedate',
    'paidat',
    'eventtime',
    'datetime',
    'occurredat',
    'createddateutc',
    'created',
    'date',
    'time',
    'when',
  ],
  event_type: ['eventtype', 'eventname', 'event', 'action', 'activity', 'type'],
};

/** What to pass for columns that a header lacks, with the names that it has, as far as they can be guessed. */
export function suggestMap(names: readonly string[], missing: readonly string[], map: ColumnMap): string {
  const pairs: string[] = [];
  for (const column of ['user_id', 'ts', 'event_type'] as const) {
    if (!missing.includes(column) || map[column] !== undefined) continue;
    const found = USUAL_NAMES[column]
      ?.map((usual) => names.find((name) => name.toLowerCase().replace(/[^a-z0-9]/g, '') === usual))
      .find((name) => name !== undefined);
    if (found !== undefined) pairs.push(`${column}=${quoteName(found)}`);
    else if (column === 'event_type') pairs.push("event_type='purchase'");
  }
  const example = pairs.length > 0 ? `--map "${pairs.join(',')}"` : '--map "column=name,..."';
  const constant = pairs.some((pair) => pair.startsWith("event_type='")) ? ' (if every row is a purchase)' : '';
  return `Perhaps: ${example}${constant}, or a --preset.`;
}

function quoteName(name: string): string {
  return /[,|'"]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
}
