import { checkKey, checkPrefix, type StreamingBlobStore } from '@perennial/blob-store';
import { AppError } from '@perennial/kernel';

/** Objects in memory, for unit tests; it can be made to fail, and its objects can be damaged. */
export class MemoryBlobStore implements StreamingBlobStore {
  readonly objects = new Map<string, Buffer>();
  /** Called before each operation; what it throws is thrown to the caller. */
  onCall: (operation: 'put' | 'get' | 'list' | 'delete', key: string) => Promise<void> | void = () => {};

  async put(key: string, bytes: Buffer): Promise<void> {
    checkKey(key);
    await this.onCall('put', key);
    this.objects.set(key, Buffer.from(bytes));
  }

  async get(key: string): Promise<Buffer | undefined> {
    checkKey(key);
    await this.onCall('get', key);
    const bytes = this.objects.get(key);
    return bytes === undefined ? undefined : Buffer.from(bytes);
  }

  async read(key: string): Promise<AsyncIterable<Buffer> | undefined> {
    const bytes = await this.get(key);
    return bytes && readPieces(bytes);
  }

  async list(prefix: string): Promise<string[]> {
    checkPrefix(prefix);
    await this.onCall('list', prefix);
    return [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  async delete(key: string): Promise<void> {
    checkKey(key);
    await this.onCall('delete', key);
    this.objects.delete(key);
  }

  /** Flips one bit in the middle of an object. */
  damage(key: string): void {
    const bytes = this.objects.get(key);
    if (bytes === undefined) throw new AppError('not_found', `no object ${key}`);
    const at = Math.floor(bytes.length / 2);
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  }
}

async function* readPieces(bytes: Buffer): AsyncGenerator<Buffer> {
  const middle = Math.floor(bytes.length / 2);
  yield bytes.subarray(0, middle);
  yield bytes.subarray(middle);
}
