import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiClient } from '@perennial/client';
import { type Clock, systemClock } from '@perennial/kernel';
import { readArms } from '../experiments/read-exposures.js';
import { type FullReport, makeReport, readReportOptions } from '../experiments/report.js';
import type { ArchiveCopy } from './archive-copy.js';
import { TRIAL, TRIAL_OPTIONS } from './demo-policy.js';

const LOOKS_MAX = 20;
const LOOK_INTERVAL_MS = 250;

interface TrialSource {
  readonly client: Pick<ApiClient, 'call'>;
  readonly copy: Pick<ArchiveCopy, 'writeTo'>;
  readonly namespace: string;
  readonly clock?: Clock;
}

/** The report of the demo's experiment; undefined where the policy has another one or none. */
export async function reportTrial({
  client,
  copy,
  namespace,
  clock = systemClock,
}: TrialSource): Promise<FullReport | undefined> {
  let found = await readArms(client);
  // Exposures become rows a moment after they are decided; what is still missing then, the report says.
  for (let look = 1; found.lag > 0 && look < LOOKS_MAX; look++) {
    await clock.wait(LOOK_INTERVAL_MS);
    found = await readArms(client);
  }
  if (!found.arms.some(({ experiment }) => experiment === TRIAL)) return undefined;
  const archive = await mkdtemp(join(tmpdir(), 'perennial-demo-'));
  try {
    await copy.writeTo(archive, namespace);
    return await makeReport(TRIAL, readReportOptions(TRIAL_OPTIONS), { client, source: { archive, namespace } });
  } finally {
    await rm(archive, { recursive: true, force: true });
  }
}
