/** What becomes of each type that a column may have. */
import { Bool, type DataType, DateDay, Decimal, Int64, Utf8 } from 'apache-arrow';
import type { TypeTable, TypeWish } from '../../index.ts';

const typeNames = ['boolean', 'date', 'decimal', 'integer', 'text'] as const;
type TypeName = (typeof typeNames)[number];

/** A type as the first line of a file spells it: `integer`, `decimal(10,2)`. */
export interface SourceType {
  name: string;
  precision?: number;
  scale?: number;
}

/** Plain data, kept in the plan. */
export type Mapping = SourceType & { name: TypeName };

const PRECISION_MAX = 38;

export const types: TypeTable<SourceType, Mapping> = {
  mappingOf: (type) => {
    const name = typeNames.find((known) => known === type.name);
    return name === undefined || (name === 'decimal' && !isDecimal(type)) ? undefined : { ...type, name };
  },
  overridden: (_type, _natural, wish) => wishedFor(wish),
  arrowTypeOf,
  // A cell that is no number or no date is null, and reported; text is text.
  canBeUnrepresentable: ({ name }) => name !== 'text',
};

function isDecimal({ precision, scale }: Omit<SourceType, 'name'>): boolean {
  return precision !== undefined && scale !== undefined && precision <= PRECISION_MAX && scale <= precision;
}

/** Every cell is text in its file, so everything can be had as text, and tried as a decimal. */
function wishedFor(wish: TypeWish): Mapping | undefined {
  if (wish.as === 'text') return { name: 'text' };
  const { precision, scale } = wish;
  return isDecimal({ precision, scale }) ? { name: 'decimal', precision, scale } : undefined;
}

/** A name without a line here does not compile. */
function arrowTypeOf({ name, precision = PRECISION_MAX, scale = 0 }: Mapping): DataType {
  switch (name) {
    case 'boolean':
      return new Bool();
    case 'date':
      return new DateDay();
    case 'decimal':
      return new Decimal(scale, precision, 128);
    case 'integer':
      return new Int64();
    case 'text':
      return new Utf8();
  }
}
