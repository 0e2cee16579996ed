import type { FuzzTarget } from './target.js';
import { artifacts } from './targets/artifacts.js';
import { csv } from './targets/csv.js';
import { events } from './targets/events/events.js';
import { identities } from './targets/identities/identities.js';
import { kafka } from './targets/kafka.js';
import { reports } from './targets/reports/reports.js';

/** Every kind of input that others make, by name. */
export const TARGETS = { events, csv, kafka, artifacts, identities, reports } satisfies Readonly<
  Record<string, FuzzTarget>
>;
