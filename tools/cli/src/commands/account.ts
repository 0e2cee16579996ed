import type { Platform } from '@perennial/launcher';
import { Command } from 'commander';
import { createNamespaceOption } from '../options.js';
import { line, lines, type Printable, printJson, printLine, toTable } from '../output.js';
import { toFeatureTable, toTraitTable } from '../profile/known-tables.js';
import { requirePlatform } from './sources.js';

interface AccountOptions {
  readonly namespace: string;
  readonly json?: boolean;
}

/** Finds the running platform of a namespace; throws `not_found` where there is none. */
type FindPlatform = (namespace: string) => Pick<Platform, 'client'>;

type Account = Awaited<ReturnType<typeof loadAccount>>;

/** Tests replace `findPlatform`. */
export function createAccountCommand(findPlatform: FindPlatform = requirePlatform): Command {
  return new Command('account').addCommand(
    new Command('show')
      .description('print what is known of an account: traits, members, features of what all its members did')
      .argument('<id>', 'id of the group, as events name it')
      .addOption(createNamespaceOption())
      .option('--json', 'print the answer of GET /v1/accounts/{groupId}')
      .addHelpText('after', '\nExamples:\n  ./perennial account show acme\n  ./perennial account show acme --json')
      .action(async (groupId: string, { namespace, json }: AccountOptions) => {
        const account = await loadAccount(findPlatform(namespace).client, groupId);
        if (json) printJson(account);
        else printLine(formatAccount(account));
      }),
  );
}

function loadAccount(client: Platform['client'], groupId: string) {
  return client.call('getAccount', { path: { groupId } });
}

function formatAccount(account: Account): Printable {
  const { groupId, known, accountKey, asOf, lastEventAt, members, events } = account;
  if (!known) {
    return line`${groupId} is not known: no member has had an event since the feature spec declares accounts`;
  }
  const { count, cutOff, reportedAt } = members;
  return lines(
    line`${groupId}  (account ${accountKey}, as of ${asOf})`,
    toTable([
      ['last event', lastEventAt ?? 'none'],
      ['members', cutOff === 0 ? String(count) : `${count}, and ${cutOff} events of further ones`],
      ['last report', reportedAt ?? 'not yet'],
    ]),
    ...section('traits', toTraitTable(account)),
    ...section('features', toFeatureTable(account)),
    ...section('last events', [
      toTable(events.map(({ at, type, name }) => (name === '' ? [at, type] : [at, type, name]))),
    ]),
  );
}

function section(title: string, content: readonly Printable[]): Printable[] {
  return [line``, line`${title}:`, ...content];
}
