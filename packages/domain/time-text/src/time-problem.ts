/** Why a value is no time: a closed set. */
export type TimeProblem =
  | 'empty'
  | 'unknown_form'
  | 'no_such_day'
  | 'no_such_time'
  | 'wrong_weekday'
  | 'invalid_zone'
  | 'no_zone'
  | 'in_gap'
  | 'ambiguous_order'
  | 'spreadsheet_serial'
  | 'number_out_of_range';

const DESCRIPTIONS: Readonly<Record<TimeProblem, string>> = {
  empty: 'is empty',
  unknown_form: 'is not a time in a known form (such as 2024-03-01T10:00:00Z)',
  no_such_day: 'is a day that does not exist',
  no_such_time: 'is a time of day that does not exist (00:00:00 to 23:59:59)',
  wrong_weekday: 'names a weekday that the day is not',
  invalid_zone: 'has a time zone that is unknown, or an offset beyond 14:00',
  no_zone: 'has no time zone (end it with Z or an offset)',
  in_gap: 'is a local time that its zone skips when clocks go forward',
  ambiguous_order: 'is ambiguous: day or month may come first, and the order is not declared',
  spreadsheet_serial: 'looks like the serial number of a spreadsheet, and that form is not declared',
  number_out_of_range: 'is no epoch time between 1973 and 2100 in seconds, milliseconds, microseconds or nanoseconds',
};

/** The problem as the end of a sentence that begins with the field and its value. */
export function describeTimeProblem(problem: TimeProblem): string {
  return DESCRIPTIONS[problem];
}
