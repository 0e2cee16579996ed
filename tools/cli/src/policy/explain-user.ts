import { AppError } from '@perennial/kernel';
import type { Platform } from '@perennial/launcher';
import { line, lines, type Printable, toTable } from '../output.js';

type Client = Pick<Platform['client'], 'call'>;

/** What the policy in force would do for a user now, and what each step dropped. */
export type Explanation = Awaited<ReturnType<typeof explainUser>>;

/**
 * Action keeps contacts only: stage, scores and features are asked of the services that own them. Throws `not_found` for a user
 * without a stage.
 */
export async function explainUser(client: Client, id: string, entered: boolean) {
  const path = { userId: id };
  const [known, standing] = await Promise.all([
    client.call('getKnownProfile', { path }),
    client.call('getProfile', { path }),
  ]);
  if (standing.stage === null) throw new AppError('not_found', `${id} has no stage yet: nothing is decided before`);
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

export function formatExplanation(explanation: Explanation): Printable {
  const { policyVersion, at, steps } = explanation;
  const rows = steps.flatMap(({ step, dropped }) => dropped.map(({ strategy, reason }) => [step, strategy, reason]));
  return lines(
    formatOutcome(explanation),
    line`policy ${policyVersion}, as of ${at}`,
    ...(rows.length === 0 ? [] : ['', toTable(rows)]),
  );
}

/** The action and why, or why there is none. */
export function formatOutcome({ userId, action, nothing }: Explanation): Printable {
  if (action === null) {
    return line`${userId}: nothing, because of ${nothing?.reason ?? 'no_strategy'} (${nothing?.step ?? 'candidates'})`;
  }
  const due = action.dueAt === null ? 'now' : `at ${action.dueAt}, after quiet hours`;
  return line`${userId}: ${action.strategy} ${due}, since it ${action.reasons.join(', ')}`;
}
