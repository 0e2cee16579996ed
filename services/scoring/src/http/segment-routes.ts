import { POPULATION_ROLLOUT_KIND } from '@perennial/contracts';
import { must } from '@perennial/kernel';
import type { ReadStates } from '@perennial/keyed-processor';
import type { Pseudonymizer } from '@perennial/privacy';
import { parseUserId, unsealUserId } from '@perennial/privacy';
import { type Segment, type Segments, toThresholds } from '@perennial/segments';
import { addOperation, type FastifyInstance, readPage } from '@perennial/service-host';
import { MEMBER_PAGES, SEGMENT_CHANGE_PAGES, type SegmentStore } from '../adapters/segment-store.js';
import type { ScoringArtifacts } from '../artifacts.js';
import type { ScoringState } from '../domain/state.js';
import { listMembers, listSegmentChanges, listSegments } from './operations.js';

/** Partitions differ in what is in force only during a rollout, so that of any key will do. */
const ANY_KEY = '';

/**
 * Queries for segments, from PostgreSQL (behind by the sink's lag). Ids of users are not stored there: a page of members
 * reads them from the states of its profiles.
 */
export function addSegmentRoutes(
  server: FastifyInstance,
  deps: {
    pseudonymizer: Pseudonymizer;
    readStates: ReadStates<ScoringState>;
    segments: SegmentStore;
    segmentLag: () => number | undefined;
    loadSegments: ScoringArtifacts['segmentsInForce'];
    loadPopulation: ScoringArtifacts['population'];
  },
): void {
  const { pseudonymizer, segments } = deps;

  addOperation(server, listSegments, async () => {
    const [counts, [any]] = await Promise.all([segments.countMembers(), deps.readStates([ANY_KEY])]);
    const rollouts = must(any, 'what is in force').inForce;
    const inForce = await deps.loadSegments(rollouts);
    const population = rollouts.get(POPULATION_ROLLOUT_KIND);
    return {
      version: inForce?.number ?? null,
      segments: describeSegments(inForce?.rules.segments ?? new Map(), counts),
      population: population?.number ?? null,
      thresholds:
        inForce === undefined
          ? {}
          : toThresholds(inForce.rules, population && (await deps.loadPopulation(population.hash))),
      changesNotYetCounted: deps.segmentLag() ?? null,
    };
  });

  addOperation(server, listMembers, async ({ path: { segment }, query }) => {
    const { items, next } = await readPage(MEMBER_PAGES, query, {
      read: (range) => segments.listMembers(segment, range),
      toPosition: ({ profileKey }) => profileKey,
    });
    const states = await deps.readStates(items.map(({ profileKey }) => profileKey));
    const rules = states[0] && (await deps.loadSegments(states[0].inForce))?.rules;
    const members = items.map(({ profileKey, since }, index) => {
      const { state } = must(states[index], 'the state of a member');
      const userId = state === undefined ? null : unsealUserId(pseudonymizer, { profileKey, subject: state.subject });
      return { profileKey, userId, since, tags: listTags(state, rules) };
    });
    return { segment, members, next };
  });

  addOperation(server, listSegmentChanges, async ({ query }) => {
    const userId = parseUserId(query.userId);
    const profileKey = pseudonymizer.toProfileKey({ userId });
    const { items, next } = await readPage(SEGMENT_CHANGE_PAGES, query, {
      read: (range) => segments.listChanges(profileKey, range),
      toPosition: ({ number }) => number,
    });
    return { userId, changes: items, next };
  });
}

const TAG_KINDS: readonly string[] = ['rule', 'score', 'rank', 'manual', 'imported'];

/** Names of the tags that a profile has: a tag is a segment, too. */
function listTags(state: ScoringState | undefined, rules: Segments | undefined): string[] {
  return (state?.segments?.members ?? []).flatMap(({ name }) => {
    const kind = rules?.segments.get(name)?.kind;
    return kind !== undefined && TAG_KINDS.includes(kind) ? [name] : [];
  });
}

/** Those in force, then those that are not and still have members. */
function describeSegments(inForce: ReadonlyMap<string, Segment>, counts: Readonly<Record<string, number>>) {
  const current = [...inForce.values()].map((segment) => ({
    name: segment.name,
    members: counts[segment.name] ?? 0,
    definition: toDefinition(segment),
  }));
  const former = Object.entries(counts)
    .filter(([name, members]) => members > 0 && !inForce.has(name))
    .map(([name, members]) => ({ name, members, definition: null }));
  return [...current, ...former];
}

function toDefinition({ kind, owner, description, when, leave, sequence, minStayMs, maxStayMs }: Segment) {
  return {
    kind,
    owner,
    description,
    when: when?.source ?? null,
    leave: leave?.source ?? null,
    sequence: sequence === undefined ? null : toSequence(sequence),
    minStayMs,
    maxStayMs: maxStayMs ?? null,
  };
}

function toSequence({ did, butNot, withinMs }: NonNullable<Segment['sequence']>) {
  const toPattern = ({ type, name }: typeof did) => ({ type, name: name ?? null });
  return { did: toPattern(did), butNot: toPattern(butNot), withinMs };
}
