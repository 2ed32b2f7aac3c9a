/** The one switch from codec to loop; the builder is the one that `types.arrowTypeOf` the mapping asks for. */
import type {
  BoolBuilder,
  BytesBuilder,
  ColumnBuilder,
  Decimal128Builder,
  FixedSizeBinaryBuilder,
  Int64Builder,
  NumberBuilder,
} from '../../columnar/builders/index.ts';
import { fillBytes, fillText, fillUuids, type PieceWriter, pieceWriter } from './fill-bytes.ts';
import type { Fill, Report } from './fill-each.ts';
import * as numbers from './fill-numbers.ts';
import * as times from './fill-times.ts';
import type { Codec, Mapping } from './types.ts';

export interface Filler {
  fill: Fill;
  /** Where cells can be larger than the window. */
  pieces?: PieceWriter;
}

/** Bytes of a cell on the wire; 0: counted. */
const widths: Partial<Record<Codec, number>> = {
  tinyint: 1,
  smallint: 2,
  year: 2,
  int: 4,
  float: 4,
  bigint: 8,
  double: 8,
};

export function widthOf({ codec }: Mapping): number {
  return widths[codec] ?? 0;
}

export function fillerOf(mapping: Mapping, builder: ColumnBuilder, report: Report): Filler {
  switch (mapping.codec) {
    case 'text':
      return {
        fill: fillText(builder as BytesBuilder, report),
        pieces: pieceWriter(builder as BytesBuilder, report),
      };
    case 'bytes':
      return { fill: fillBytes(builder as BytesBuilder), pieces: pieceWriter(builder as BytesBuilder) };
    default:
      return { fill: fillOf(mapping, builder, report) };
  }
}

function fillOf(mapping: Mapping, builder: ColumnBuilder, report: Report): Fill {
  switch (mapping.codec) {
    case 'tinyint':
      return numbers.fillSmall(builder as NumberBuilder, 1);
    case 'smallint':
    case 'year':
      return numbers.fillSmall(builder as NumberBuilder, 2);
    case 'int':
    case 'float':
      return numbers.fillWords(builder, 1, () => (builder as NumberBuilder).values);
    case 'double':
      return numbers.fillWords(builder, 2, () => (builder as NumberBuilder).values);
    case 'bigint':
      return numbers.fillWords(builder, 2, () => (builder as Int64Builder).words);
    case 'bit':
      return numbers.fillBit(builder as BoolBuilder);
    case 'bits':
      return numbers.fillBits(builder as Int64Builder);
    case 'decimal':
      return mapping.isNarrow
        ? numbers.fillNarrowDecimals(builder as Decimal128Builder, report)
        : numbers.fillDecimals(builder as Decimal128Builder);
    case 'date':
      return times.fillDates(builder as NumberBuilder, report);
    case 'datetime':
    case 'timestamp':
      return times.fillTimestamps(builder as Int64Builder, report);
    case 'uuid':
      return fillUuids(builder as FixedSizeBinaryBuilder);
    default:
      throw new Error(`no loop fills the codec ${mapping.codec}`);
  }
}
