/**
 * The second phase of decoding, and the one switch in it: from a codec to the loop that fills a column. The binary form
 * of a cell is what its type's `*_send` function in src/backend/utils/adt writes, behind its length in four bytes.
 */
import type {
  BoolBuilder,
  BytesBuilder,
  ColumnBuilder,
  Decimal128Builder,
  FixedSizeBinaryBuilder,
  Int64Builder,
  ListBuilder,
  NumberBuilder,
} from '../../columnar/builders/index.ts';
import type { Fill, Report } from './cells.ts';
import { fillBytes, fillLists, fillUuids } from './fill-bytes.ts';
import { fillBools, fillDoubleWords, fillInt2, fillMoney, fillNumerics, fillWords } from './fill-numbers.ts';
import { fillDates, fillTimes, fillTimestamps } from './fill-times.ts';
import { elementOf, type Mapping } from './types.ts';

/** The builder is the one that `arrowTypeOf` the mapping asks for. */
export function fillOf(mapping: Mapping, builder: ColumnBuilder, report: Report): Fill {
  switch (mapping.codec) {
    case 'bool':
      return fillBools(builder as BoolBuilder);
    case 'int2':
      return fillInt2(builder as NumberBuilder);
    case 'int4':
    case 'oid':
    case 'float4':
      return fillWords(builder as NumberBuilder);
    case 'int8':
      return fillDoubleWords(builder, () => (builder as Int64Builder).words);
    case 'float8':
      return fillDoubleWords(builder, () => (builder as NumberBuilder).values);
    case 'money':
      return fillMoney(builder as Decimal128Builder);
    case 'numeric':
      return fillNumerics(builder as Decimal128Builder, report);
    case 'text':
    case 'bytes':
      return fillBytes(builder as BytesBuilder, 0);
    case 'jsonb':
      // jsonb_send: a version byte, then the text.
      return fillBytes(builder as BytesBuilder, 1);
    case 'date':
      return fillDates(builder as NumberBuilder, report);
    case 'time':
      return fillTimes(builder as Int64Builder, report);
    case 'timestamp':
    case 'timestamptz':
      return fillTimestamps(builder as Int64Builder, report);
    case 'uuid':
      return fillUuids(builder as FixedSizeBinaryBuilder);
    case 'list':
      return fillLists(builder as ListBuilder, listElement(mapping, builder as ListBuilder), report);
  }
}

/** Fills a list's elements; an unrepresentable one is told to `report`. */
function listElement(mapping: Mapping, builder: ListBuilder): (report: Report) => Fill {
  return (report) => fillOf(elementOf(mapping), builder.elements, report);
}
