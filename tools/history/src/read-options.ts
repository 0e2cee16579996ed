import type { TimeOptions } from '@perennial/time-text';
import type { ColumnMap, RowFilter } from './column-map.js';
import type { Decimal } from './numbers.js';
import type { Preset } from './presets.js';

/** How a history file is read; all of it is found by default, or named in an error when it cannot be. */
export interface ReadOptions {
  readonly preset?: Preset | undefined;
  readonly map?: ColumnMap | undefined;
  readonly where?: RowFilter | undefined;
  /** Types by how the file writes them. */
  readonly types?: ReadonlyMap<string, string> | undefined;
  /** A label of the Encoding Standard. */
  readonly encoding?: string | undefined;
  /** One character. */
  readonly separator?: string | undefined;
  readonly decimal?: Decimal | undefined;
  /** What times do not say themselves: their zone, the order of day and month, that numbers are of a spreadsheet. */
  readonly time?: TimeOptions | undefined;
  /** Base name of the file, for messages. Default: that of the path. */
  readonly fileName?: string | undefined;
  /** Rows later than this are bad; default: no bound. */
  readonly latestMs?: number | undefined;
  readonly rowsMax?: number | undefined;
}
