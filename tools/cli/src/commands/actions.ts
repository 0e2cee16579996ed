import type { Platform } from '@perennial/launcher';
import { Command } from 'commander';
import { createNamespaceOption, parseWhole } from '../options.js';
import { line, lines, type Printable, printJson, printLine, toBody, toTable } from '../output.js';
import { requirePlatform } from './sources.js';

/** Most per page that the service gives. */
const PAGE = 500;
const LISTED = 20;
const LISTED_MAX = 100_000;

type Client = Platform['client'];
type Action = Awaited<ReturnType<typeof readActions>>[number];

/** Finds the running platform of a namespace; throws `not_found` where there is none. */
type FindPlatform = (namespace: string) => Pick<Platform, 'client'>;

interface Common {
  readonly namespace: string;
  readonly json?: boolean;
}

/** Tests replace `findPlatform`. */
export function createActionsCommand(findPlatform: FindPlatform = requirePlatform): Command {
  return new Command('actions').addCommand(createListCommand(findPlatform)).addCommand(createShowCommand(findPlatform));
}

function createListCommand(findPlatform: FindPlatform): Command {
  return new Command('list')
    .description('actions of a user, newest first, each with the state of its life')
    .argument('<id>', "the user's id, as events name it")
    .option('--limit <n>', 'the newest ones', (text) => parseWhole(text, { min: 1, max: LISTED_MAX }), LISTED)
    .addOption(createNamespaceOption())
    .option('--json', 'print {userId, actions}')
    .addHelpText('after', '\nExample:\n  ./perennial actions list user-42')
    .action(async (userId: string, { namespace, limit, json }: Common & { readonly limit: number }) => {
      const actions = await readActions(findPlatform(namespace).client, userId, limit);
      if (json) printJson({ userId, actions });
      else printLine(formatList(userId, actions));
    });
}

function createShowCommand(findPlatform: FindPlatform): Command {
  return new Command('show')
    .description('one action: why it was decided, and what was reported of it')
    .argument('<action-id>', 'as `actions list` and records of action.decided have it')
    .addOption(createNamespaceOption())
    .option('--json', 'print the action as the ledger has it')
    .addHelpText('after', '\nExample:\n  ./perennial actions show 5f2d0c1e9b7a4e38')
    .action(async (actionId: string, { namespace, json }: Common) => {
      const action = await findPlatform(namespace).client.call('getAction', { path: { actionId } });
      if (json) printJson(action);
      else printLine(formatAction(action));
    });
}

async function readActions(client: Client, userId: string, limit: number) {
  const first = await client.call('listActions', { query: { userId, limit: Math.min(limit, PAGE) } });
  const found = [...first.actions];
  for (let cursor = first.next; cursor !== null && found.length < limit; ) {
    const query = { userId, limit: Math.min(limit - found.length, PAGE), cursor };
    const page = await client.call('listActions', { query });
    found.push(...page.actions);
    cursor = page.next;
  }
  return found;
}

function formatList(userId: string, actions: readonly Action[]): Printable {
  if (actions.length === 0) return line`${userId}: no action in the ledger`;
  const rows = actions.map(({ decidedAt, state, strategy, channel, actionId }) => {
    return [decidedAt, state, strategy, channel, actionId];
  });
  return toTable([['decided', 'state', 'strategy', 'channel', 'action'], ...rows]);
}

function formatAction(action: Action): Printable {
  const { cause, reasons, outcomes, parameters } = action;
  const rows = [
    ['profile', action.profileKey],
    ['channel', `${action.channel}, template ${action.template}`],
    ['decided', `${action.decidedAt}, in stage ${action.stage}, by policy ${action.policyVersion}`],
    ['cause', `${cause.kind} ${cause.id}`],
    ['reasons', reasons.join(', ')],
    ['expires', action.expiresAt],
    ['cost', action.cost],
  ];
  const reported = outcomes.map(({ at, outcome, channel, value }) => [at, outcome, channel, value ?? '']);
  return lines(
    line`${action.actionId}: ${action.strategy}, ${action.state}`,
    toTable(rows),
    line`parameters ${toBody(parameters)}`,
    ...(reported.length === 0 ? ['nothing was reported of it'] : ['', toTable(reported)]),
  );
}
