import type { ApiClient } from '@perennial/client';
import { AppError } from '@perennial/kernel';

type Client = Pick<ApiClient, 'call'>;
export type ArmTotals = Awaited<ReturnType<typeof readArms>>['arms'][number];

/** Most per page that the service gives. */
const PAGE = 500;
/** An arm of one of these names is the control, unless one is named: exposures do not say which it is in the policy. */
const CONTROL_NAMES = ['control', 'usual'];

export async function readArms(client: Client) {
  return client.call('listExperiments');
}

/**
 * Arms of one experiment, the control first. Throws `not_found` for an unknown experiment, `config_invalid` for an unknown arm, and
 * where no control is named and no arm has the name of one.
 */
export function findArms(arms: readonly ArmTotals[], name: string, control?: string): readonly ArmTotals[] {
  const own = arms.filter(({ experiment }) => experiment === name);
  if (own.length === 0) {
    const known = [...new Set(arms.map(({ experiment }) => experiment))].join(', ') || 'none';
    throw new AppError('not_found', `nobody was exposed to an experiment ${name}; there are exposures to: ${known}`);
  }
  const first = own.find((one) => (control === undefined ? isCalledControl(one) : one.arm === control));
  if (first === undefined) {
    const what =
      control === undefined
        ? 'is missing, and needed unless an arm is called control or usual;'
        : `is "${control}" but`;
    throw new AppError('config_invalid', `--control ${what} arms are ${own.map(({ arm }) => arm).join(', ')}`);
  }
  return [first, ...own.filter((arm) => arm !== first)];
}

export function isCalledControl({ arm }: ArmTotals): boolean {
  return CONTROL_NAMES.includes(arm);
}

/** Everybody exposed, in the order of exposure. */
export async function readExposures(client: Client, name: string) {
  const found: Array<{ readonly profileKey: string; readonly group: string; readonly atMs: number }> = [];
  for (let cursor: string | undefined; ; ) {
    const query = { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) };
    const { exposures, next } = await client.call('listExposures', { path: { name }, query });
    for (const { profileKey, arm, firstAt } of exposures) {
      found.push({ profileKey, group: arm, atMs: Date.parse(firstAt) });
    }
    if (next === null) return found;
    cursor = next;
  }
}
