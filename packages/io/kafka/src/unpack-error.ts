/** A batch whose records take more than the limit allows. */
export class UnpackedTooLarge extends Error {
  override readonly name = 'UnpackedTooLarge';

  /** @param bytes size if it is known */
  constructor(bytes: number | undefined, bytesMax: number, otherwise?: string) {
    const size = bytes === undefined ? `more than ${bytesMax} bytes` : `${bytes} bytes, ${bytesMax} at most`;
    super(`it unpacks to ${size}${otherwise === undefined ? '' : `, ${otherwise}`}`);
  }
}
