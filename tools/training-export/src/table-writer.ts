import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { fileWriter, ParquetWriter } from 'hyparquet-writer';
import { EXPORT_LIMITS } from './limits.js';

type Kind = 'text' | 'time' | 'int' | 'double' | 'boolean';

export interface Column {
  readonly name: string;
  readonly kind: Kind;
  readonly required?: boolean;
}

export type Value = string | number | boolean | Date | null;

export interface WrittenFile {
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
}

const TYPES = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  time: { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' },
  int: { type: 'INT32' },
  double: { type: 'DOUBLE' },
  boolean: { type: 'BOOLEAN' },
} as const;

/** A Parquet file of rows; memory holds one row group. */
export class TableWriter {
  readonly #path: string;
  readonly #columns: readonly Column[];
  readonly #writer: ParquetWriter;
  #data: Value[][];
  #pending = 0;
  #rows = 0;

  constructor(path: string, columns: readonly Column[]) {
    this.#path = path;
    this.#columns = columns;
    this.#data = columns.map(() => []);
    const schema = columns.map(({ name, kind, required = false }) => ({
      name,
      repetition_type: required ? ('REQUIRED' as const) : ('OPTIONAL' as const),
      ...TYPES[kind],
    }));
    this.#writer = new ParquetWriter({
      writer: fileWriter(path),
      schema: [{ name: 'root', num_children: schema.length }, ...schema],
    });
  }

  /** Values in the order of the columns. */
  add(row: readonly Value[]): void {
    for (const [index, column] of this.#data.entries()) column.push(row[index] ?? null);
    this.#pending += 1;
    this.#rows += 1;
    if (this.#pending === EXPORT_LIMITS.rowGroupRows) this.#flush();
  }

  /** Completes the file. */
  async finish(): Promise<WrittenFile> {
    if (this.#pending > 0) this.#flush();
    await this.#writer.finish();
    const hash = createHash('sha256');
    for await (const bytes of createReadStream(this.#path)) hash.update(bytes as Buffer);
    return { rows: this.#rows, bytes: statSync(this.#path).size, sha256: hash.digest('hex') };
  }

  #flush(): void {
    const columnData = this.#columns.map(({ name }, index) => ({ name, data: this.#data[index] ?? [] }));
    // Returns a promise only for writers that wait; that of a file does not.
    void this.#writer.write({ columnData, rowGroupSize: this.#pending });
    this.#data = this.#columns.map(() => []);
    this.#pending = 0;
  }
}
