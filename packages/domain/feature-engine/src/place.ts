/** Where a number stands: in which slot's reading, and where in that. */
export interface Place {
  readonly slot: number;
  readonly index: number;
}
