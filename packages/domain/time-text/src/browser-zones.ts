/**
 * What browsers call a time zone in English (`Date.toString`, long names of Intl; Unicode's CLDR), where Windows calls it
 * otherwise: in lower case, of winter. Only names that mean one zone all year: `Australian Eastern Standard Time` is Sydney
 * or Brisbane, `Eastern European Standard Time` Bucharest or Cairo.
 */
export const BROWSER_ZONES: Readonly<Record<string, string>> = {
  'brasilia standard time': 'America/Sao_Paulo',
  'british summer time': 'Europe/London',
  'coordinated universal time': 'UTC',
  'gulf standard time': 'Asia/Dubai',
  'hong kong standard time': 'Asia/Hong_Kong',
  'indochina time': 'Asia/Bangkok',
  'irish standard time': 'Europe/Dublin',
  'japan standard time': 'Asia/Tokyo',
  'korean standard time': 'Asia/Seoul',
  'moscow standard time': 'Europe/Moscow',
  'nepal time': 'Asia/Kathmandu',
  'philippine standard time': 'Asia/Manila',
  'western indonesia time': 'Asia/Jakarta',
};
