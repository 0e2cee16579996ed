/** Location of a number: the slot, and the index in that slot's numbers. */
export interface Place {
  readonly slot: number;
  readonly index: number;
}
