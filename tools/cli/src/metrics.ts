const METRICS_TIMEOUT_MS = 5_000;

/** A service whose `/metrics` are read; the token is needed where METRICS_ACCESS requires one. */
export interface MetricsSource {
  readonly url: string;
  readonly token: string;
}

/** A counter of a service summed over its labels, read from `/metrics`; undefined where it cannot be read. */
export async function readCounter(source: MetricsSource, name: string): Promise<number | undefined> {
  const lines = await readLines(source);
  const samples = lines?.filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  if (samples === undefined || samples.length === 0) return undefined;
  return samples.reduce((sum, line) => sum + toValue(line), 0);
}

/** A counter by the values of one of its labels; those at zero are left out. */
export async function readCounterBy(
  source: MetricsSource,
  name: string,
  label: string,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const line of (await readLines(source)) ?? []) {
    if (!line.startsWith(`${name}{`)) continue;
    const value = new RegExp(`[{,]${label}="([^"]*)"`).exec(line)?.[1];
    const count = toValue(line);
    if (value !== undefined && count > 0) counts[value] = (counts[value] ?? 0) + count;
  }
  return counts;
}

async function readLines({ url, token }: MetricsSource): Promise<string[] | undefined> {
  try {
    const response = await fetch(new URL('/metrics', url), {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(METRICS_TIMEOUT_MS),
    });
    return response.ok ? (await response.text()).split('\n') : undefined;
  } catch {
    // A service that is briefly unavailable: the caller shows the value as unknown.
    return undefined;
  }
}

function toValue(line: string): number {
  return Number(line.slice(line.lastIndexOf(' ') + 1)) || 0;
}
