/** A counter of a service summed over its labels, read from `/metrics`; undefined where it cannot be read. */
export async function readCounter(url: string, name: string): Promise<number | undefined> {
  const lines = await readLines(url);
  const samples = lines?.filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  if (samples === undefined || samples.length === 0) return undefined;
  return samples.reduce((sum, line) => sum + toValue(line), 0);
}

/** A counter by the values of one of its labels; those at zero are left out. */
export async function readCounterBy(url: string, name: string, label: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const line of (await readLines(url)) ?? []) {
    if (!line.startsWith(`${name}{`)) continue;
    const value = new RegExp(`[{,]${label}="([^"]*)"`).exec(line)?.[1];
    const count = toValue(line);
    if (value !== undefined && count > 0) counts[value] = (counts[value] ?? 0) + count;
  }
  return counts;
}

async function readLines(url: string): Promise<string[] | undefined> {
  try {
    const response = await fetch(new URL('/metrics', url), { signal: AbortSignal.timeout(5_000) });
    return response.ok ? (await response.text()).split('\n') : undefined;
  } catch {
    // A service that is away for a moment: the caller shows that it does not know.
    return undefined;
  }
}

function toValue(line: string): number {
  return Number(line.slice(line.lastIndexOf(' ') + 1)) || 0;
}
