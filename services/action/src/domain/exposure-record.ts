import { type ExperimentAssigned, toCloudEventHeaders } from '@perennial/contracts';
import { toDeterministicId } from '@perennial/kernel';
import type { Exposure } from '@perennial/policy';
import { toCause } from './step.js';

const TYPE = 'experiment.assigned';

/** Makes edge records of exposures: JSON with CloudEvents headers. The id is the same whenever the record is written again. */
export function createExposureWriter(namespace: string) {
  const source = `/perennial/${namespace}/action`;
  return (exposure: Exposure, profileKey: string, policyVersion: number) => {
    const { experiment, layer, arm, propensity, causeId, atMs } = exposure;
    const at = new Date(atMs).toISOString();
    const cause = toCause(exposure);
    const data: ExperimentAssigned = { profileKey, experiment, layer, arm, propensity, cause, policyVersion, at };
    const headers = toCloudEventHeaders({
      id: toDeterministicId(TYPE, namespace, profileKey, experiment, causeId),
      source,
      type: `lifecycle.${TYPE}.v1`,
      subject: profileKey,
      time: at,
    });
    return { value: Buffer.from(JSON.stringify(data)), headers };
  };
}
