/**
 * The words that everything columnar shares. A batch is apache-arrow's own `RecordBatch`: its `Data` objects hold plain
 * typed arrays (values, offsets, validity bitmap), so our loops work on them without any object a row.
 */

/** A cell that the source holds and its Arrow type cannot (NaN in a numeric, an infinite date, a year above 9999). */
export interface UnrepresentableCell {
  /** Row and column within the batch. */
  row: number;
  column: number;
  code: 'NOT_A_NUMBER' | 'INFINITE' | 'OUT_OF_RANGE' | 'INVALID_TEXT';
}
