import { userInfo } from 'node:os';
import { AppError, toMessage } from '@perennial/kernel';
import type { Platform } from '@perennial/launcher';
import { Command } from 'commander';
import { createNamespaceOption } from '../options.js';
import { line, printJson, printLine, toTable } from '../output.js';
import { readTagFile, type TagRow } from '../tags/read-tag-file.js';
import { requirePlatform } from './sources.js';

/** Changes sent by one call: as many as the service takes. */
const CHANGES_AT_ONCE = 1_000;

interface Options {
  readonly namespace: string;
  readonly json?: boolean;
}

interface OwnerOptions extends Options {
  readonly owner: string;
}

/** Finds the running platform of a namespace; throws `not_found` where there is none. */
type FindPlatform = (namespace: string) => Pick<Platform, 'client'>;

type Client = Platform['client'];

/** Tests replace `findPlatform`. */
export function createTagsCommand(findPlatform: FindPlatform = requirePlatform): Command {
  return new Command('tags')
    .addCommand(createListCommand(findPlatform))
    .addCommand(createAddCommand(findPlatform))
    .addCommand(createRemoveCommand(findPlatform))
    .addCommand(createImportCommand(findPlatform))
    .addCommand(createHistoryCommand(findPlatform));
}

function createListCommand(findPlatform: FindPlatform): Command {
  return withOptions(
    new Command('list').description(
      'list the tags in force with kind, owner and members, or those that a user was given',
    ),
  )
    .argument('[id]', 'a user id')
    .addHelpText('after', '\nExamples:\n  ./perennial tags list\n  ./perennial tags list anna')
    .action(async (userId: string | undefined, { namespace, json }: Options) => {
      const { client } = findPlatform(namespace);
      if (userId !== undefined) return listOfUser(client, userId, json);
      const tags = await listDeclared(client);
      if (json) return printJson({ tags });
      if (tags.length === 0) return printLine('the segments in force declare no tags');
      return printLine(toTable(tags.map(({ name, kind, owner, members }) => [name, kind, owner || '-', members])));
    });
}

async function listOfUser(client: Client, userId: string, json: boolean | undefined): Promise<void> {
  const { tags } = await client.call('getTags', { path: { userId } });
  if (json) return printJson({ userId, tags });
  if (tags.length === 0) return printLine(line`${userId} was given no tags`);
  return printLine(toTable(tags.map(({ name, kind, owner, since }) => [name, kind, owner || '-', `since ${since}`])));
}

function createAddCommand(findPlatform: FindPlatform): Command {
  return withOwner(
    new Command('add').description('give a user a tag that the segments in force declare with kind manual'),
  )
    .argument('<id>', 'a user id')
    .argument('<tag>', 'its name')
    .addHelpText('after', '\nExample:\n  ./perennial tags add anna vip --owner sales')
    .action(async (userId: string, tag: string, { namespace, owner, json }: OwnerOptions) => {
      const { client } = findPlatform(namespace);
      const result = await client.call('addTag', { path: { userId }, body: { tag, owner } });
      if (json) return printJson(result);
      if (!result.changed) return printLine(line`${userId} has the tag ${tag} already`);
      return printLine(line`${userId} has the tag ${tag}${toWait(result)}`);
    });
}

/** What a line about a change ends with where the profile does not have it yet. */
function toWait({ applied }: { readonly applied: boolean }): string {
  return applied ? '' : ' soon: it is written, and not taken yet';
}

function createRemoveCommand(findPlatform: FindPlatform): Command {
  return withOwner(new Command('remove').description('take a tag from a user that was given by hand or by a list'))
    .argument('<id>', 'a user id')
    .argument('<tag>', 'its name')
    .addHelpText('after', '\nExample:\n  ./perennial tags remove anna vip')
    .action(async (userId: string, tag: string, { namespace, owner, json }: OwnerOptions) => {
      const { client } = findPlatform(namespace);
      const result = await client.call('removeTag', { path: { userId, tag }, query: { owner } });
      if (json) return printJson(result);
      if (!result.changed) return printLine(line`${userId} does not have the tag ${tag}`);
      return printLine(line`${userId} no longer has the tag ${tag}${toWait(result)}`);
    });
}

function createHistoryCommand(findPlatform: FindPlatform): Command {
  return withOptions(
    new Command('history').description('list the newest four changes of each tag that a user was given'),
  )
    .argument('<id>', 'a user id')
    .addHelpText('after', '\nExample:\n  ./perennial tags history anna')
    .action(async (userId: string, { namespace, json }: Options) => {
      const { history } = await findPlatform(namespace).client.call('getTags', { path: { userId } });
      if (json) return printJson({ userId, history });
      if (history.length === 0) return printLine(line`${userId} was given no tags`);
      const rows = history.map(({ at, tag, change, kind, owner }) => [at, tag, change, kind, `by ${owner || '-'}`]);
      return printLine(toTable(rows));
    });
}

function createImportCommand(findPlatform: FindPlatform): Command {
  return withOwner(new Command('import').description('give and take tags of kind imported, as a CSV file says'))
    .argument('<file>', 'CSV with a header: user_id, tag, and if need be action (add or remove) and owner')
    .option('--tag <name>', 'the tag of every row, for a file without that column')
    .addHelpText(
      'after',
      '\nThe file is read whole before anything is sent. The same file again changes nothing: repeat an import that was interrupted.' +
        '\nExample:\n  ./perennial tags import wholesalers.csv --tag wholesale --owner crm',
    )
    .action(async (file: string, { namespace, owner, tag, json }: OwnerOptions & { tag?: string }) => {
      const { client } = findPlatform(namespace);
      const declared = (await listDeclared(client)).flatMap(({ name, kind }) => (kind === 'imported' ? [name] : []));
      const rows = await readTagFile(file, { owner, tag, declared });
      const { changed, unchanged } = await sendAll(client, file, rows);
      if (json) return printJson({ rows: rows.length, changed, unchanged });
      return printLine(line`${rows.length} rows: ${changed} changed, ${unchanged} were so already`);
    });
}

/** In their order. The profiles may lag behind, so that the numbers are of what was seen of them. */
async function sendAll(client: Client, file: string, rows: readonly TagRow[]) {
  const sum = { changed: 0, unchanged: 0 };
  for (let from = 0; from < rows.length; from += CHANGES_AT_ONCE) {
    const some = rows.slice(from, from + CHANGES_AT_ONCE);
    const changes = some.map(({ userId, tag, given, owner }) => ({ userId, tag, given, owner }));
    try {
      const { changed, unchanged } = await client.call('importTags', { body: { changes } });
      sum.changed += changed;
      sum.unchanged += unchanged;
    } catch (error) {
      const { code, retriable } = error instanceof AppError ? error : { code: 'timeout' as const, retriable: false };
      const done = `${file}: the rows before line ${some[0]?.line} are in`;
      throw new AppError(code, `${done}; repeat the import for the others: ${toMessage(error)}`, {
        retriable,
        cause: error,
      });
    }
  }
  return sum;
}

const TAG_KINDS = ['rule', 'score', 'rank', 'manual', 'imported'];

async function listDeclared(client: Client) {
  const { segments } = await client.call('listSegments');
  return segments.flatMap(({ name, members, definition }) => {
    if (definition === null || !TAG_KINDS.includes(definition.kind)) return [];
    const { kind, owner, description } = definition;
    return [{ name, kind, owner, description, members }];
  });
}

function withOwner(command: Command): Command {
  return withOptions(command).option('--owner <name>', 'who does it, for the history', userInfo().username);
}

function withOptions(command: Command): Command {
  return command.addOption(createNamespaceOption()).option('--json', 'print JSON');
}
