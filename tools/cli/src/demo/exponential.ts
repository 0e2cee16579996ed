/** An exponential draw with this mean. */
export function drawExponential(random: () => number, mean: number): number {
  return -Math.log(1 - random()) * mean;
}
