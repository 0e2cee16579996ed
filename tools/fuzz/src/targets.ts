import type { FuzzTarget } from './target.js';
import { artifacts } from './targets/artifacts.js';

/** Every kind of input that others make, by name. */
export const TARGETS = { artifacts } satisfies Readonly<Record<string, FuzzTarget>>;
