import {
  type ColumnMap,
  PRESET_NAMES,
  type Preset,
  parseColumnMap,
  parseEventTypes,
  parsePreset,
  parseRowFilter,
  parseSeparator,
  type ReadOptions,
  type RowFilter,
} from '@perennial/history';
import { AppError, toMessage } from '@perennial/kernel';
import { parseZone } from '@perennial/time-text';
import { type Command, InvalidArgumentError, Option } from 'commander';

/** How a history file is to be read, as options of a command. */
export interface ReadingOptions {
  readonly preset?: Preset;
  readonly map?: ColumnMap;
  readonly id?: string;
  readonly where?: RowFilter;
  readonly types?: ReadonlyMap<string, string>;
  readonly encoding?: string;
  readonly separator?: string;
  readonly decimal?: '.' | ',';
  readonly zone?: string;
  readonly dates?: 'mdy' | 'dmy';
  readonly serial?: true | '1900' | '1904';
}

/** Adds the options with which a history file is read; all are found in the file where they are not given. */
export function addReadingOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--preset <name>', `columns of an export: ${PRESET_NAMES.join(', ')}`).argParser(parsing(parsePreset)),
    )
    .addOption(
      new Option('--map <column=name,...>', 'where columns are read from; see below').argParser(
        parsing(parseColumnMap),
      ),
    )
    .addOption(new Option('--id <column>', 'the column that makes a row the same row in every file'))
    .addOption(
      new Option('--where <column=value|value>', 'only rows with one of these values').argParser(
        parsing(parseRowFilter),
      ),
    )
    .addOption(
      new Option('--types <written=type,...>', 'what the event types of the file mean').argParser(
        parsing(parseEventTypes),
      ),
    )
    .addOption(new Option('--encoding <name>', 'such as windows-1252, gbk; found by default if UTF-8 or UTF-16'))
    .addOption(
      new Option('--separator <character>', 'comma, semicolon, tab, pipe or any one character').argParser(
        parsing(parseSeparator),
      ),
    )
    .addOption(new Option('--decimal <character>', 'the character before decimals').choices(['.', ',']))
    .addOption(new Option('--zone <zone>', 'of times without one, such as Europe/Berlin').argParser(parsing(toZone)))
    .addOption(new Option('--dates <order>', 'of dates such as 12/1/2010').choices(['mdy', 'dmy']))
    .addOption(new Option('--serial [system]', 'times are numbers of a spreadsheet').choices(['1900', '1904']));
}

export const MAP_HELP = `
Columns are user_id, ts, event_type (needed), item_id, session_id, order_id, quantity, value, price, order_total, currency,
refund_total, refund_ts, extra. --map says where each is read from:
  user_id=Customer           the column Customer; "Customer, Name" in double quotes where the name has a comma
  user_id=Customer|Email     the first of these that is not empty
  event_type='purchase'      the same in every row
  event_type=sign(Quantity)  purchase, or return where the number is negative
  value=Amount               the total of a row            price=Unit        the price of one: quantity x price is the total
  order_total=Total          the total of an order, counted once, on whichever of its rows it stands
Rows with one order_id, or else with one user and session_id, form one order. With order_id, what is empty in a row (user,
time, type, currency) is that of the order's first row.`;

/** The options as the reader takes them; `--id` is the mapping of the column `id`. */
export function toReadOptions({ id, map, zone, dates, serial, ...options }: ReadingOptions): ReadOptions {
  const { preset, where, types, encoding, separator, decimal } = options;
  const whole = id === undefined ? map : { ...map, id };
  const time = {
    ...(zone === undefined ? {} : { zone }),
    ...(dates === undefined ? {} : { dateOrder: dates }),
    ...(serial === undefined ? {} : { serial: serial === true ? '1900' : serial, zone: zone ?? 'UTC' }),
  } as const;
  return { preset, map: whole, where, types, encoding, separator, decimal, time };
}

function toZone(text: string): string {
  const zone = parseZone(text);
  if (zone !== undefined) return zone;
  throw new AppError('config_invalid', `${JSON.stringify(text)} is no time zone, such as Europe/Berlin, UTC or +09:00`);
}

function parsing<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError(toMessage(error));
    }
  };
}
