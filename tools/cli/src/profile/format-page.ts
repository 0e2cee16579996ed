import type { ProfilePage } from '@perennial/client';
import { line, lines, type Printable, toTable } from '../output.js';
import { toFeatureTable, toTraitTable } from './known-tables.js';

/** The page for people: who it is, what is known, what was done, and what happens next. A part that is missing is said last. */
export function formatProfilePage(page: ProfilePage): Printable {
  const { userId, known, problems } = page;
  if (known?.known === false) {
    const notKnown = line`${userId} is not known: no event of this id has come`;
    return lines(notKnown, ...formatTags(page), ...toNotes(problems));
  }
  return lines(
    ...formatWho(page),
    ...section('traits', known === null ? [UNKNOWN] : toTraitTable(known)),
    ...section('stage', formatStage(page)),
    ...section('segments', formatSegments(page)),
    ...formatTags(page),
    ...section('scores', formatScores(page)),
    ...section('features', known === null ? [UNKNOWN] : toFeatureTable(known)),
    ...formatTops(page),
    ...section('last events', formatEvents(page)),
    ...formatOutliers(page),
    ...section('actions', formatActions(page)),
    ...section('what happens next', formatNext(page)),
    ...toNotes(problems),
  );
}

/** Its service did not answer: the reason stands at the end of the page. */
const UNKNOWN = line`unknown`;

function formatWho({ userId, known, identity }: ProfilePage): Printable[] {
  if (known === null) return [line`${userId}`, toTable([formatIds(identity)])];
  const { profileKey, asOf, lastEventAt, timeZone, account, reported } = known;
  return [
    line`${userId}  (profile ${profileKey}, as of ${asOf})`,
    toTable([
      formatIds(identity),
      ['last event', lastEventAt ?? 'none'],
      ['time zone', timeZone || 'unknown'],
      ['account', account === null ? 'none' : `${account.id}, since ${account.since}`],
      ...Object.entries(reported?.values ?? {}).map(([name, value]) => [name, String(value ?? 'no value')]),
    ]),
  ];
}

function formatIds(identity: ProfilePage['identity']): string[] {
  if (identity === null) return ['ids', 'unknown'];
  const { joined, members, cutOff } = identity;
  const root = joined.at(-1);
  const isOne =
    root === undefined ? 'its own' : `one with ${root.kind} ${root.id ?? root.profileKey} since ${root.since}`;
  const others = members.filter((member) => member.joined).length;
  return ['ids', `${isOne}, ${others} joined it${cutOff === 0 ? '' : `, ${cutOff} cut off`}`];
}

function formatStage({ standing, transitions }: ProfilePage): Printable[] {
  if (standing === null && transitions === null) return [UNKNOWN];
  const rows = (transitions ?? []).map(({ at, from, to, cause, reasons }) => [
    at,
    `${from ?? '(first seen)'} -> ${to}`,
    cause,
    reasons.join('; '),
  ]);
  return [
    standing === null ? UNKNOWN : line`${standing.stage ?? 'none yet'}, since ${standing.since ?? 'never'}`,
    ...(rows.length === 0 ? [] : [toTable(rows)]),
  ];
}

/** Those that it is in, then entries and exits with their reasons. */
function formatSegments({ standing, segmentChanges }: ProfilePage): Printable[] {
  if (standing === null && segmentChanges === null) return [UNKNOWN];
  const now = (standing?.segments ?? []).map(({ name, since }) => ['in', name, `since ${since}`]);
  const changes = (segmentChanges ?? []).map(({ at, segment, change, reasons }) => [
    at,
    segment,
    `${change}: ${reasons.join('; ')}`,
  ]);
  const rows = [...now, ...changes];
  return rows.length === 0 ? [line`none`] : [toTable(rows)];
}

/** Those that somebody gave it, then who gave and took them: of those that follow from rules the segments tell. */
function formatTags({ known, tagChanges }: ProfilePage): Printable[] {
  const now = (known?.tags ?? []).map(({ name, kind, owner, since }) => [
    name,
    kind,
    `by ${owner || '-'}`,
    `since ${since}`,
  ]);
  const changes = (tagChanges ?? []).map(({ at, tag, change, owner }) => [at, tag, `${change} by ${owner || '-'}`]);
  const tables = [now, changes].filter((rows) => rows.length > 0).map(toTable);
  return tables.length === 0 ? [] : section('tags', tables);
}

/** A score's reason is the condition that it was read by, in the newest change of stage. */
function formatScores({ standing, transitions }: ProfilePage): Printable[] {
  if (standing === null) return [UNKNOWN];
  const scores = Object.entries(standing.scores ?? {});
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
  if (known === null) return [UNKNOWN];
  if (known.events.length === 0) return [line`none since events are kept here`];
  return [toTable(known.events.map(({ at, type, name }) => (name === '' ? [at, type] : [at, type, name])))];
}

/** Only where the spec has features of frequencies. */
function formatTops({ known }: ProfilePage): Printable[] {
  const rows = Object.entries(known?.tops ?? {}).flatMap(([feature, ids]) =>
    ids.length === 0 ? [] : [[feature, ids.map(({ id, count }) => `${id} (${count})`).join(', ')]],
  );
  return rows.length === 0 ? [] : section('most frequent', [toTable(rows)]);
}

/** Most profiles have none. */
function formatOutliers({ known }: ProfilePage): Printable[] {
  const rows = (known?.outliers ?? []).flatMap(({ event, property, flagged, median }) =>
    flagged === 0
      ? []
      : [[`${event} ${property}`, `${flagged} far from its history`, `usually ${median ?? 'unknown'}`]],
  );
  return rows.length === 0 ? [] : section('outliers', [toTable(rows)]);
}

function formatActions({ actions }: ProfilePage): Printable[] {
  if (actions === null) return [UNKNOWN];
  if (actions.length === 0) return [line`none`];
  const rows = actions.map(({ decidedAt, strategy, channel, template, reasons }) => [
    decidedAt,
    strategy,
    `${channel} ${template}`,
    reasons.join('; '),
  ]);
  return [toTable(rows)];
}

/** All that has a time to come, in the order of the times. */
function formatNext({ standing, actions, contacts, known }: ProfilePage): Printable[] {
  const nextCheck = standing?.nextCheckAt ?? null;
  const asOf = known?.asOf ?? standing?.asOf ?? '';
  const rows = [
    ...(nextCheck === null ? [] : [[nextCheck, 'its stage and segments are checked again']]),
    ...(contacts?.waiting ?? []).map(({ dueAt, strategy }) => [
      dueAt,
      `${strategy}, which waits for the end of quiet hours, is decided again`,
    ]),
    ...(actions ?? [])
      .filter(({ expiresAt }) => expiresAt > asOf)
      .map(({ expiresAt, strategy }) => [expiresAt, `the action of ${strategy} expires`]),
  ].sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
  return rows.length === 0 ? [line`no timer is pending, nothing waits`] : [toTable(rows)];
}

function section(title: string, content: readonly Printable[]): Printable[] {
  return [line``, line`${title}:`, ...content];
}

function toNotes(problems: readonly string[]): Printable[] {
  return problems.length === 0 ? [] : [line``, ...problems.map((problem) => line`${problem}`)];
}
