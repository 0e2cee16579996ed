import { AppError } from '@perennial/kernel';
import type { Platform } from '@perennial/launcher';
import { Command } from 'commander';
import { createNamespaceOption } from '../options.js';
import { line, lines, printJson, printLine, toTable } from '../output.js';
import { requirePlatform } from './sources.js';

interface Options {
  readonly namespace: string;
  readonly entered?: boolean;
  readonly json?: boolean;
}

type Client = Platform['client'];
type Explanation = Awaited<ReturnType<typeof explain>>;

/** Finds the running platform of a namespace; throws `not_found` where there is none. */
type FindPlatform = (namespace: string) => Pick<Platform, 'client'>;

/** Tests replace `findPlatform`. */
export function createExplainCommand(findPlatform: FindPlatform = requirePlatform): Command {
  return new Command('explain')
    .description(
      'what the policy in force would do for a user now, step by step, and why nothing else; changes nothing',
    )
    .argument('<id>', "the user's id, as events name it")
    .option('--entered', 'as if the user had entered the stage just now')
    .addOption(createNamespaceOption())
    .option('--json', 'print {userId, policyVersion, at, result, action, nothing, steps: [{step, dropped}]}')
    .addHelpText('after', '\nExamples:\n  ./perennial explain user-42\n  ./perennial explain user-42 --entered --json')
    .action(async (id: string, { namespace, entered, json }: Options) => {
      const explanation = await explain(findPlatform(namespace).client, id, entered === true);
      if (json) printJson(explanation);
      else printExplanation(explanation);
    });
}

/** Action keeps contacts only: stage, scores and features are asked of the services that own them. */
async function explain(client: Client, userId: string, entered: boolean) {
  const path = { userId };
  const [known, standing] = await Promise.all([
    client.call('getKnownProfile', { path }),
    client.call('getProfile', { path }),
  ]);
  if (standing.stage === null) throw new AppError('not_found', `${userId} has no stage yet: nothing is decided before`);
  const traits = known.traits.map(({ name, type, value }) => {
    return [`traits.${name}`, type === 'time' && typeof value === 'string' ? Date.parse(value) : value] as const;
  });
  return client.call('explainDecision', {
    path,
    body: {
      stage: standing.stage,
      entered,
      stageSince: standing.since,
      lastEventAt: known.lastEventAt,
      timeZone: known.timeZone,
      features: known.features,
      attributes: { ...known.reported?.values, ...Object.fromEntries(traits) },
      scores: standing.scores,
      segments: standing.segments.map(({ name }) => name),
    },
  });
}

function printExplanation({ userId, policyVersion, at, action, nothing, steps }: Explanation): void {
  const due = action === null || action.dueAt === null ? 'now' : `at ${action.dueAt}, after quiet hours`;
  const what =
    action === null
      ? line`${userId}: nothing, because of ${nothing?.reason ?? 'no_strategy'} (${nothing?.step ?? 'candidates'})`
      : line`${userId}: ${action.strategy} ${due}, since it ${action.reasons.join(', ')}`;
  const rows = steps.flatMap(({ step, dropped }) => dropped.map(({ strategy, reason }) => [step, strategy, reason]));
  printLine(lines(what, line`policy ${policyVersion}, as of ${at}`, ...(rows.length === 0 ? [] : ['', toTable(rows)])));
}
