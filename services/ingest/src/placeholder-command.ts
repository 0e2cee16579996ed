import { parseArgs } from 'node:util';
import { AppError } from '@perennial/kernel';
import type { PlaceholderRepository, PlaceholderRule } from './adapters/placeholder-repository.js';
import { createPlaceholderIds, PLACEHOLDER_CHARS_MAX } from './domain/placeholder-ids.js';

/** Changes a namespace can have: each costs memory in every instance, and who needs more has another problem. */
const CHANGES_MAX = 1_000;

const RULES: Readonly<Record<string, PlaceholderRule>> = { add: 'placeholder', allow: 'id', reset: 'built-in' };

/** `placeholders list|add|allow|reset ID`: which ids stand for nobody in this namespace. */
export async function runPlaceholderCommand(
  args: readonly string[],
  { store, print }: { readonly store: PlaceholderRepository; readonly print: (line: string) => void },
): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false } },
  });
  const [action = '', ...ids] = positionals;
  if (action === 'list') return list(store, { print, json: values.json });
  const rule = Object.hasOwn(RULES, action) ? RULES[action] : undefined;
  if (rule === undefined) {
    throw usage(`placeholders ${JSON.stringify(action)} is unknown; there are: list, add, allow, reset`);
  }
  const [id] = ids;
  if (id === undefined || ids.length > 1) throw usage(`placeholders ${action} takes one id`);
  const key = parsePlaceholder(id);
  await checkRoom(store, key, rule);
  await store.set(key, rule);
  const stands = createPlaceholderIds(await store.loadChanges()).has(key) ? 'a placeholder' : 'an id';
  print(values.json ? JSON.stringify({ id: key, rule }) : `${JSON.stringify(key)} is ${stands} within ten seconds`);
}

/** Only a further change needs room: one that is there can be taken back, or changed to its opposite. */
async function checkRoom(store: PlaceholderRepository, key: string, rule: PlaceholderRule): Promise<void> {
  const { added, allowed } = await store.loadChanges();
  const changed = [...added, ...allowed];
  if (rule === 'built-in' || changed.includes(key) || changed.length < CHANGES_MAX) return;
  throw usage(`there are ${CHANGES_MAX} changes, the most there can be`);
}

async function list(
  store: PlaceholderRepository,
  { print, json }: { readonly print: (line: string) => void; readonly json: boolean },
): Promise<void> {
  const changes = await store.loadChanges();
  if (json) return print(JSON.stringify(changes));
  for (const id of changes.added) print(`${JSON.stringify(id)}  placeholder`);
  for (const id of changes.allowed) print(`${JSON.stringify(id)}  id`);
  print('and the built-in ones (services/ingest/README.md)');
}

function parsePlaceholder(id: string): string {
  const text = id.trim().toLowerCase();
  if (text !== '' && text.length <= PLACEHOLDER_CHARS_MAX && !/\p{Cc}/u.test(text)) return text;
  throw usage(`a placeholder has 1 to ${PLACEHOLDER_CHARS_MAX} characters and no control character`);
}

function usage(message: string): AppError {
  return new AppError('config_invalid', message);
}
