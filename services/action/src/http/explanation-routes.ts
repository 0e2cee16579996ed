import { type AttributeValue, type CompiledFeatures, toConditionValues } from '@perennial/feature-engine';
import { AppError } from '@perennial/kernel';
import { type DecisionResult, EMPTY_HISTORY, explainActions, STEP_NAMES, STEP_OF_REASON } from '@perennial/policy';
import { parseUserId } from '@perennial/privacy';
import { addOperation, type FastifyInstance } from '@perennial/service-host';
import type { ActionArtifacts } from '../artifacts.js';
import type { ContactRouteDeps } from './contact-routes.js';
import { explainDecision } from './operations.js';
import { readProfile } from './read-profile.js';

interface ExplanationRouteDeps extends ContactRouteDeps {
  readonly namespace: string;
  readonly artifacts: Pick<ActionArtifacts, 'spec' | 'policy'>;
}

/** What is known of the profile elsewhere: action keeps only contacts, so the asker brings the rest. */
interface Standing {
  readonly stage: string;
  readonly stageSince: string | null;
  readonly lastEventAt: string | null;
  readonly timeZone: string;
  readonly features: Readonly<Record<string, number | null>>;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly scores: Readonly<Record<string, number>> | null;
  readonly segments: readonly string[] | null;
}

/** Decides as for a score of this instant, with the history that is stored, and stores nothing. */
export function addExplanationRoutes(server: FastifyInstance, deps: ExplanationRouteDeps): void {
  const { readStates, pseudonymizer, artifacts, namespace } = deps;
  addOperation(server, explainDecision, async ({ path, body }) => {
    const userId = parseUserId(path.userId);
    const read = await readProfile(readStates, pseudonymizer.toProfileKey({ userId }));
    const rollout = read.inForce.get('policy');
    if (rollout === undefined) throw new AppError('not_found', 'no policy is in force');
    const spec = await artifacts.spec(read.inForce);
    const policy = await artifacts.policy(rollout.hash, spec);
    const nowMs = Math.max(read.logTimeMs, toMs(body.lastEventAt));
    const causeId = `explanation:${nowMs}`;
    const result = explainActions(policy, {
      namespace,
      profileKey: read.profileKey,
      history: read.profile?.history ?? EMPTY_HISTORY,
      permissions: read.profile?.permissions,
      nowMs,
      causeId,
      transition: body.entered === true ? { from: '' } : undefined,
      ...toFacts(body, spec, nowMs),
    });
    return { userId, policyVersion: rollout.number, at: toTime(nowMs), ...toAnswer(result, causeId) };
  });
}

function toFacts(body: Standing, spec: CompiledFeatures, nowMs: number) {
  const scores = Object.entries(body.scores ?? {});
  const slots = new Map(scores.map(([head], slot) => [head, slot]));
  const attributes = spec.attributes.map(({ name }) => body.attributes[name] ?? null);
  return {
    stage: body.stage,
    timeZone: body.timeZone,
    stageSinceMs: toMs(body.stageSince),
    lastEventAtMs: toMs(body.lastEventAt),
    features: spec.names.map((name) => body.features[name] ?? null),
    attributes: toConditionValues(spec.attributes, attributes, nowMs),
    scores: body.scores === null ? undefined : { slots, values: scores.map(([, score]) => score) },
    segments: body.segments === null ? undefined : new Set(body.segments),
  };
}

function toAnswer(result: DecisionResult, causeId: string) {
  const { status, nothing, suppressed } = result;
  const [decision] = result.decisions;
  const waiting =
    status === 'deferred' ? result.history.pending.find((pending) => pending.causeId === causeId) : undefined;
  const chosen = decision ?? waiting;
  return {
    result: status,
    action:
      chosen === undefined
        ? null
        : {
            strategy: chosen.strategy,
            reasons: [...chosen.reasons],
            dueAt: waiting === undefined ? null : toTime(waiting.dueAtMs),
            expiresAt: toTime(chosen.expiresAtMs),
          },
    nothing: nothing === undefined ? null : { step: nothing.step, reason: nothing.reason },
    steps: STEP_NAMES.map((step) => ({
      step,
      dropped: suppressed
        .filter(({ reason }) => STEP_OF_REASON[reason] === step)
        .map(({ strategy, reason }) => ({ strategy, reason })),
    })),
  };
}

function toMs(time: string | null): number {
  return time === null ? 0 : Date.parse(time);
}

function toTime(atMs: number): string {
  return new Date(atMs).toISOString();
}
