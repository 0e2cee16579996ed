export { type CsvDialect, drawDialect, writeCsv, writeNumber } from './csv-dialect.js';
export { encodeText } from './encode-text.js';
