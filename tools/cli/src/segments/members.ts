import type { ApiClient } from '@perennial/client';
import { stringify } from 'csv-stringify/sync';

/** Members read by one call: a page of the service. */
const PAGE_MEMBERS = 500;

export interface Member {
  readonly profileKey: string;
  readonly userId: string | null;
  readonly since: string;
  readonly tags: readonly string[];
}

/** The members of a segment, page by page; at most `limit` of them. */
export async function* readMembers(
  client: Pick<ApiClient, 'call'>,
  { segment, limit = Number.POSITIVE_INFINITY }: { readonly segment: string; readonly limit?: number },
): AsyncGenerator<readonly Member[]> {
  let left = limit;
  for (let cursor: string | undefined; left > 0; ) {
    const query = { limit: Math.min(PAGE_MEMBERS, left), ...(cursor === undefined ? {} : { cursor }) };
    const { members, next } = await client.call('listMembers', { path: { segment }, query });
    yield members;
    left -= members.length;
    if (next === null) return;
    cursor = next;
  }
}

/**
 * Lines of a CSV file. A cell that a spreadsheet would take for a formula begins with an apostrophe: ids are chosen by
 * whoever sends events.
 */
export function toCsv(members: readonly Member[], { header }: { readonly header: boolean }): string {
  return stringify(
    members.map(({ tags, ...member }) => ({ ...member, tags: tags.join(' ') })),
    {
      header,
      columns: [
        { key: 'userId', header: 'user_id' },
        { key: 'profileKey', header: 'profile_key' },
        { key: 'since', header: 'since' },
        { key: 'tags', header: 'tags' },
      ],
      escape_formulas: true,
    },
  );
}

/** One JSON object a line, every id as it is. */
export function toJsonLines(members: readonly Member[]): string {
  return members.map((member) => `${JSON.stringify(member)}\n`).join('');
}
