/** The first four bytes of a spec's hash as a number: names the spec in states, where 32 bytes would be too many. */
export function toSpecTag(specHash: string): number {
  return Number.parseInt(specHash.slice(0, 8), 16);
}
