import { line, lines, type Printable, toTable } from '../output.js';
import { toFeatureTable, toTraitTable } from './known-tables.js';
import type { ProfilePage } from './load-page.js';

/** The page for people: who it is, what is known, what was done, and what happens next. */
export function formatProfilePage(page: ProfilePage): Printable {
  const { known, problems } = page;
  if (!known.known)
    return lines(line`${known.userId} is not known: no event of this id has come`, ...toNotes(problems));
  return lines(
    ...formatWho(page),
    ...section('traits', toTraitTable(known)),
    ...section('stage', formatStage(page)),
    ...section('scores', formatScores(page)),
    ...section('features', toFeatureTable(known)),
    ...section('last events', formatEvents(page)),
    ...section('actions', formatActions(page)),
    ...section('what happens next', formatNext(page)),
    ...toNotes(problems),
  );
}

function formatWho({ known }: ProfilePage): Printable[] {
  const { userId, profileKey, asOf, lastEventAt, timeZone, account } = known;
  return [
    line`${userId}  (profile ${profileKey}, as of ${asOf})`,
    toTable([
      ['last event', lastEventAt ?? 'none'],
      ['time zone', timeZone || 'unknown'],
      ['account', account === null ? 'none' : `${account.id}, since ${account.since}`],
    ]),
  ];
}

function formatStage({ standing, transitions }: ProfilePage): Printable[] {
  if (standing === null) return [line`unknown`];
  const segments = standing.segments.map(({ name, since }) => `${name} since ${since}`).join(', ');
  const rows = (transitions ?? []).map(({ at, from, to, cause, reasons }) => [
    at,
    `${from ?? '(first seen)'} -> ${to}`,
    cause,
    reasons.join('; '),
  ]);
  return [
    line`${standing.stage ?? 'none yet'}, since ${standing.since ?? 'never'}`,
    ...(segments === '' ? [] : [line`segments: ${segments}`]),
    ...(rows.length === 0 ? [] : [toTable(rows)]),
  ];
}

/** A score's reason is the condition that it was read by, in the newest change of stage. */
function formatScores({ standing, transitions }: ProfilePage): Printable[] {
  const scores = Object.entries(standing?.scores ?? {});
  if (scores.length === 0) return [line`none: no model has scored this profile`];
  const evidence = transitions?.[0]?.evidence ?? {};
  return [
    toTable(
      scores.map(([head, score]) => {
        const read = evidence[`scores.${head}`];
        return [
          head,
          score.toFixed(4),
          ...(read == null ? [] : [`was ${read.toFixed(4)} when the stage changed last`]),
        ];
      }),
    ),
  ];
}

function formatEvents({ known }: ProfilePage): Printable[] {
  if (known.events.length === 0) return [line`none since events are kept here`];
  return [toTable(known.events.map(({ at, type, name }) => (name === '' ? [at, type] : [at, type, name])))];
}

function formatActions({ actions }: ProfilePage): Printable[] {
  if (actions === null) return [line`unknown`];
  if (actions.length === 0) return [line`none`];
  const rows = actions.map(({ decidedAt, strategy, channel, template, reasons }) => [
    decidedAt,
    strategy,
    `${channel} ${template}`,
    reasons.join('; '),
  ]);
  return [toTable(rows)];
}

function formatNext({ standing, actions, known }: ProfilePage): Printable[] {
  const nextCheck = standing?.nextCheckAt ?? null;
  const open = (actions ?? []).filter(({ expiresAt }) => expiresAt > known.asOf);
  return [
    nextCheck === null ? line`no timer of its stage is pending` : line`${nextCheck}  its stage is checked again`,
    ...open.map(({ expiresAt, strategy }) => line`${expiresAt}  the action of ${strategy} expires`),
  ];
}

function section(title: string, content: readonly Printable[]): Printable[] {
  return [line``, line`${title}:`, ...content];
}

function toNotes(problems: readonly string[]): Printable[] {
  return problems.length === 0 ? [] : [line``, ...problems.map((problem) => line`${problem}`)];
}
