import type { ReadStates } from '@perennial/keyed-processor';
import { type ModelManifest, toNamedScores } from '@perennial/model-manifest';
import type { Pseudonymizer } from '@perennial/privacy';
import { parseUserId } from '@perennial/privacy';
import { addOperation, type FastifyInstance, readPage } from '@perennial/service-host';
import type { SegmentStore } from '../adapters/segment-store.js';
import { TRANSITION_PAGES, type TransitionStore } from '../adapters/transition-store.js';
import type { ScoringArtifacts } from '../artifacts.js';
import type { ScoringState } from '../domain/state.js';
import { countStages, getProfile, listTransitions } from './operations.js';
import { addSegmentRoutes } from './segment-routes.js';

/** Queries for profiles (from Redis, current) and for transitions (from PostgreSQL, behind by the sink's lag). */
export function addScoringRoutes(
  server: FastifyInstance,
  deps: {
    pseudonymizer: Pseudonymizer;
    readStates: ReadStates<ScoringState>;
    /** The manifest of a model, which names the scores. */
    loadManifest: (modelHash: string) => Promise<ModelManifest>;
    transitions: TransitionStore;
    lag: () => number | undefined;
    segments: SegmentStore;
    segmentLag: () => number | undefined;
    loadSegments: ScoringArtifacts['segmentsInForce'];
    loadPopulation: ScoringArtifacts['population'];
  },
): void {
  const { pseudonymizer, transitions } = deps;

  addOperation(server, getProfile, async ({ path }) => {
    const userId = parseUserId(path.userId);
    const [stored] = await deps.readStates([pseudonymizer.toProfileKey({ userId })]);
    const state = stored?.state;
    const manifest = state?.scores && (await deps.loadManifest(state.scores.modelHash));
    return toProfile(userId, state, manifest);
  });

  addOperation(server, countStages, async () => {
    const stages = await transitions.countStages();
    const profiles = Object.values(stages).reduce((sum, count) => sum + count, 0);
    return { profiles, stages, transitionsNotYetCounted: deps.lag() ?? null };
  });

  addOperation(server, listTransitions, async ({ query }) => {
    const userId = parseUserId(query.userId);
    const profileKey = pseudonymizer.toProfileKey({ userId });
    const { items, next } = await readPage(TRANSITION_PAGES, query, {
      read: (range) => transitions.list(profileKey, range),
      toPosition: ({ number }) => number,
    });
    return { userId, transitions: items, next };
  });

  addSegmentRoutes(server, deps);
}

/** The public form of a state; a profile never seen is `known: false`. */
function toProfile(userId: string, state: ScoringState | undefined, manifest: ModelManifest | undefined) {
  return {
    userId,
    known: state !== undefined,
    asOf: state === undefined ? null : toTime(state.asOfMs),
    stage: state?.stage?.stage ?? null,
    since: state?.stage === undefined ? null : toTime(state.stage.sinceMs),
    transitionNumber: state?.stage?.number ?? 0,
    nextCheckAt: state?.nextCheckAtMs === undefined ? null : toTime(state.nextCheckAtMs),
    scores: state?.scores && manifest ? toNamedScores(manifest, state.scores.values) : null,
    segments: (state?.segments?.members ?? []).map(({ name, sinceMs }) => ({ name, since: toTime(sinceMs) })),
  };
}

function toTime(atMs: number): string {
  return new Date(atMs).toISOString();
}
