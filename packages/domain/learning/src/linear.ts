const { sqrt } = Math;

/** The lower triangle L of a positive definite A = L L', of which only the lower triangle is read (Cholesky). */
export function decompose(matrix: readonly Float64Array[]): readonly Float64Array[] {
  const lower = matrix.map((line) => line.slice());
  for (let row = 0; row < lower.length; row += 1) {
    const line = lower[row] as Float64Array;
    for (let column = 0; column <= row; column += 1) {
      const other = lower[column] as Float64Array;
      let rest = line[column] as number;
      for (let k = 0; k < column; k += 1) rest -= (line[k] as number) * (other[k] as number);
      line[column] = row === column ? sqrt(rest) : rest / (other[column] as number);
    }
  }
  return lower;
}

/** x of L x = b. */
export function solveLower(lower: readonly Float64Array[], right: Float64Array): Float64Array {
  const x = right.slice();
  for (let row = 0; row < x.length; row += 1) {
    const line = lower[row] as Float64Array;
    let rest = x[row] as number;
    for (let k = 0; k < row; k += 1) rest -= (line[k] as number) * (x[k] as number);
    x[row] = rest / (line[row] as number);
  }
  return x;
}

/** x of L' x = b. */
export function solveUpper(lower: readonly Float64Array[], right: Float64Array): Float64Array {
  const x = right.slice();
  for (let row = x.length - 1; row >= 0; row -= 1) {
    const line = lower[row] as Float64Array;
    const value = (x[row] as number) / (line[row] as number);
    x[row] = value;
    for (let k = 0; k < row; k += 1) x[k] = (x[k] as number) - (line[k] as number) * value;
  }
  return x;
}
