/** The first four bytes of a spec's hash as a number: names the spec in states, where 32 bytes would be too many. */
export function toSpecTag(specHash: string): number {
  if (specHash !== last.specHash) last = { specHash, tag: Number.parseInt(specHash.slice(0, 8), 16) };
  return last.tag;
}

/** Nearly all states and vectors of a process name one spec. */
let last = { specHash: '', tag: Number.NaN };
