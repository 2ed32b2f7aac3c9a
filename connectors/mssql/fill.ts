/** The one switch from codec to loop; the builder is the one that `arrowTypeOf` the mapping asks for. */
import type {
  BoolBuilder,
  BytesBuilder,
  ColumnBuilder,
  Decimal128Builder,
  FixedSizeBinaryBuilder,
  Int64Builder,
  NumberBuilder,
  StructBuilder,
} from '../../columnar/builders/index.ts';
import { fillCells, fillRowversions, fillUuids, finisher, type Report } from './fill-bytes.ts';
import type { Fill, Lead } from './fill-numbers.ts';
import * as numbers from './fill-numbers.ts';
import * as times from './fill-times.ts';
import { fillVariants } from './fill-variants.ts';
import { type CellWriter, CodePageWriter, RawWriter, Utf8Writer, Utf16Writer } from './text.ts';
import type { Mapping } from './types.ts';
import { framings } from './wire-types.ts';

export interface Filler {
  fill: Fill;
  /** Where cells can be larger than the window: takes one in pieces, which `finish` ends. */
  writer?: CellWriter;
  finish?: () => void;
}

export function fillerOf(mapping: Mapping, builder: ColumnBuilder, framing: number, report: Report): Filler {
  const writer = writerOf(mapping, builder);
  if (writer !== undefined) {
    const finish = finisher(builder, writer, report);
    return { fill: fillCells(framing, builder, writer, finish), writer, finish };
  }
  const lead: Lead = framing >= framings.fixed ? 0 : 1;
  return { fill: numberFill(mapping, builder, lead) ?? otherFill(mapping, builder, lead, report) };
}

function writerOf(mapping: Mapping, builder: ColumnBuilder): CellWriter | undefined {
  switch (mapping.codec) {
    case 'bytes':
      return new RawWriter(builder as BytesBuilder);
    case 'nchar':
      return new Utf16Writer(builder as BytesBuilder);
    case 'char':
      return mapping.encoding === 'utf-8'
        ? new Utf8Writer(builder as BytesBuilder)
        : new CodePageWriter(builder as BytesBuilder, mapping.encoding ?? '');
    default:
      return undefined;
  }
}

function numberFill(mapping: Mapping, builder: ColumnBuilder, lead: Lead): Fill | undefined {
  switch (mapping.codec) {
    case 'bit':
      return numbers.fillBits(builder as BoolBuilder, lead);
    case 'tinyint':
      return numbers.fillSmall(builder as NumberBuilder, lead, 1);
    case 'smallint':
      return numbers.fillSmall(builder as NumberBuilder, lead, 2);
    case 'int':
    case 'real':
      return numbers.fillWords(builder, lead, 1, () => (builder as NumberBuilder).values);
    case 'float':
      return numbers.fillWords(builder, lead, 2, () => (builder as NumberBuilder).values);
    case 'bigint':
      return numbers.fillWords(builder, lead, 2, () => (builder as Int64Builder).words);
    case 'decimal':
      return numbers.fillDecimals(builder as Decimal128Builder);
    case 'money':
      return numbers.fillMoney(builder as Decimal128Builder, lead);
    case 'smallmoney':
      return numbers.fillSmallMoney(builder as Decimal128Builder, lead);
    default:
      return undefined;
  }
}

function otherFill(mapping: Mapping, builder: ColumnBuilder, lead: Lead, report: Report): Fill {
  const scale = mapping.scale ?? 0;
  switch (mapping.codec) {
    case 'date':
      return times.fillDates(builder as NumberBuilder);
    case 'time':
      return times.fillTimes(builder as Int64Builder, scale);
    case 'datetime2':
      return times.fillTimestamps(builder as Int64Builder, scale);
    case 'hundreds':
      return times.fillHundreds(builder as NumberBuilder);
    case 'datetimeoffset':
      return times.fillOffsetTimestamps(builder as StructBuilder, scale);
    case 'datetime':
      return times.fillDatetimes(builder as Int64Builder, lead);
    case 'smalldatetime':
      return times.fillSmallDatetimes(builder as Int64Builder, lead);
    case 'uniqueidentifier':
      return fillUuids(builder as FixedSizeBinaryBuilder);
    case 'rowversion':
      return fillRowversions(builder as FixedSizeBinaryBuilder);
    case 'sql_variant':
      return fillVariants(builder as StructBuilder, report);
    default:
      throw new Error(`no loop fills the codec ${mapping.codec}`);
  }
}
