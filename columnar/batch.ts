/**
 * The words that everything columnar shares. A batch is apache-arrow's own `RecordBatch`: its `Data` objects hold plain
 * typed arrays (values, offsets, validity bitmap), so our loops work on them without any object a row.
 */

/** A cell that the source holds and its Arrow type cannot (NaN in a numeric, an infinite date, a year above 9999). */
export interface UnrepresentableCell {
  /** Row and column within the batch. */
  row: number;
  column: number;
  code: UnrepresentableCode;
}

export type UnrepresentableCode =
  | 'NOT_A_NUMBER'
  | 'INFINITE'
  | 'OUT_OF_RANGE'
  /** Not text in its encoding, or text that is not of the type that was stated. */
  | 'INVALID_TEXT'
  /** A spreadsheet's number of more digits than a spreadsheet keeps. */
  | 'DIGITS_LOST'
  /** Each cell of a record that is not as its file's format demands (too few cells, a quote in the middle). */
  | 'ROW_MALFORMED'
  /** Each cell of a JSON object that has a member twice. */
  | 'JSON_AMBIGUOUS';
