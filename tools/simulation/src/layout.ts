import { PROCESSORS, toTopic } from '@perennial/contracts';
import { SOURCE, toToyName, toToyTopic } from './toy.js';

export const NAMESPACE = 'simulated';

const FEATURE_STORE = 'feature-store';

/** `sums`: small processors that use all features of the heart. `joins`: profiles that join and part, as the feature-store has them. */
export type WorldKind = 'sums' | 'joins';

export interface Layout {
  /** Of the processors, by stage. */
  readonly names: readonly string[];
  /** Input topics of the stages, in order, and the last one's output. */
  readonly topics: readonly string[];
  /** Logs beside them, in which the causes of the first stage's records stand. */
  readonly otherTopics: readonly string[];
}

/** What stands where in a world of a kind. */
export function toLayout({ kind, stages }: { readonly kind: WorldKind; readonly stages: number }): Layout {
  if (kind === 'joins') {
    return {
      names: [FEATURE_STORE],
      topics: [toTopic(NAMESPACE, PROCESSORS[FEATURE_STORE].input), toTopic(NAMESPACE, 'featureUpdated')],
      otherTopics: [],
    };
  }
  const range = (length: number) => Array.from({ length }, (_, stage) => stage);
  return {
    names: range(stages).map(toToyName),
    topics: range(stages + 1).map(toToyTopic),
    otherTopics: [SOURCE.topic],
  };
}
