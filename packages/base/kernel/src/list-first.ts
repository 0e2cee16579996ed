/** The first lines of many, and the number of the others. */
export function listFirst(lines: readonly string[], linesMax: number): string[] {
  if (lines.length <= linesMax) return [...lines];
  return [...lines.slice(0, linesMax), `and ${(lines.length - linesMax).toLocaleString('en-US')} more`];
}
