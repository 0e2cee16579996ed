import type { Pseudonymizer } from '@perennial/privacy';
import { parseUserId } from '@perennial/privacy';
import type { FastifyInstance } from '@perennial/service-host';
import type { ScoringState } from '../domain/state.js';
import type { ReadProfile } from '../profile-reader.js';
import type { TransitionStore } from '../transition-store.js';
import { TRANSITIONS_LISTED_MAX } from '../transition-store.js';

/** Questions about profiles (from Redis, current) and about transitions (from PostgreSQL, behind by the sink's lag). */
export function addScoringRoutes(
  server: FastifyInstance,
  deps: {
    pseudonymizer: Pseudonymizer;
    readProfile: ReadProfile;
    transitions: TransitionStore;
    lag: () => number | undefined;
  },
): void {
  const config = { access: 'read' } as const;
  server.get<{ Params: { userId: string } }>('/v1/profiles/:userId', { config }, async ({ params }) => {
    const userId = parseUserId(params.userId);
    return toProfile(userId, await deps.readProfile(deps.pseudonymizer.toProfileKey({ userId })));
  });

  server.get('/v1/stages', { config }, async () => {
    const stages = await deps.transitions.countStages();
    const profiles = Object.values(stages).reduce((sum, count) => sum + count, 0);
    return { profiles, stages, transitionsNotYetCounted: deps.lag() ?? null };
  });

  server.get<{ Querystring: { userId?: string; limit: number } }>(
    '/v1/transitions',
    {
      config,
      schema: {
        querystring: {
          type: 'object',
          properties: {
            limit: { type: 'integer', minimum: 1, maximum: TRANSITIONS_LISTED_MAX, default: 100 },
          },
        },
      },
    },
    async ({ query: { limit, ...query } }) => {
      const userId = parseUserId(query.userId);
      const profileKey = deps.pseudonymizer.toProfileKey({ userId });
      return { userId, transitions: await deps.transitions.list(profileKey, limit) };
    },
  );
}

/** What the outside is told of a state; a profile never seen is `known: false`. */
function toProfile(userId: string, state: ScoringState | undefined) {
  return {
    userId,
    known: state !== undefined,
    asOf: state === undefined ? null : toTime(state.asOfMs),
    stage: state?.stage?.stage ?? null,
    since: state?.stage === undefined ? null : toTime(state.stage.sinceMs),
    transitionNumber: state?.stage?.number ?? 0,
    nextCheckAt: state?.nextCheckAtMs === undefined ? null : toTime(state.nextCheckAtMs),
    scores: state?.scores ?? null,
  };
}

function toTime(atMs: number): string {
  return new Date(atMs).toISOString();
}
