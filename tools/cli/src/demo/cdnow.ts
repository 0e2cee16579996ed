import { AppError } from '@perennial/kernel';

const LINE = /^\s*(\d+)\s+\d+\s+(\d{4})(\d{2})(\d{2})\s+(\d+)\s+(\d+(?:\.\d+)?)\s*$/;

/** Header of a history file. */
export const HISTORY_HEADER = 'user_id,ts,event_type,item_id,session_id,quantity,value,extra';

/**
 * The CDNOW sample (columns: customer, number in the sample, yyyymmdd, CDs, dollars) as a history file. Every line must
 * have this form: any other file is invalid, and nothing is guessed.
 */
export function toHistoryCsv(cdnow: string): string {
  const rows = cdnow
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line, index) => {
      const match = LINE.exec(line);
      if (match === null) throw new AppError('contract_violation', `line ${index + 1} is not of the CDNOW sample`);
      const [, customer, year, month, day, quantity, value] = match;
      return `${customer},${year}-${month}-${day},purchase,,,${quantity},${value},`;
    });
  return `${HISTORY_HEADER}\n${rows.join('\n')}\n`;
}
