/** Loops that fill columns of bytes: text, UUIDs, and lists of anything. */
import type { BytesBuilder, FixedSizeBinaryBuilder, ListBuilder } from '../../columnar/builders/index.ts';
import { type Fill, LENGTH_BYTES, NULL_LENGTH, type Report } from './cells.ts';

/** Text and bytes behind `lead` bytes that are not theirs. */
export function fillBytes(builder: BytesBuilder, lead: 0 | 1): Fill {
  return ({ source, offsets, first, count }) => {
    const { view } = source;
    for (let i = 0; i < count; i++) {
      const at = offsets[first + i]!;
      const length = view.getInt32(at);
      if (length === NULL_LENGTH) builder.appendNull();
      else builder.append(source, at + LENGTH_BYTES + lead, length - lead);
    }
  };
}

export function fillUuids(builder: FixedSizeBinaryBuilder): Fill {
  return ({ source, offsets, first, count }) => {
    const { view } = source;
    builder.reserve(count);
    const { length } = builder;
    const words = new Int32Array(builder.values.buffer);
    let to = 4 * length;
    for (let i = 0; i < count; i++, to += 4) {
      const at = offsets[first + i]!;
      const isNull = view.getInt32(at) === NULL_LENGTH;
      if (isNull) builder.setNull(length + i);
      for (let word = 0; word < 4; word++) {
        words[to + word] = isNull ? 0 : view.getInt32(at + LENGTH_BYTES + 4 * word, true);
      }
    }
    builder.advance(count);
  };
}

/** array_send, behind the length: dimensions, a flag, the element's type, then a size and a lower bound a dimension. */
const SIZE = LENGTH_BYTES + 12;
const LOWER_BOUND = SIZE + 4;
const DIMENSION_BYTES = 8;

/** A list with an unrepresentable element is unrepresentable itself, for the same reason. */
export function fillLists(builder: ListBuilder, elementFill: (report: Report) => Fill, report: Report): Fill {
  let problem: Parameters<Report>[1] | undefined;
  const fillElements = elementFill((_row, code) => {
    problem ??= code;
  });
  let elements = new Int32Array(256);
  return ({ source, offsets, first, count }) => {
    const { view } = source;
    for (let i = 0; i < count; i++) {
      const at = offsets[first + i]!;
      if (view.getInt32(at) === NULL_LENGTH) {
        builder.appendNull();
        continue;
      }
      const dimensions = view.getInt32(at + LENGTH_BYTES);
      problem =
        dimensions > 1 || (dimensions === 1 && view.getInt32(at + LOWER_BOUND) !== 1) ? 'OUT_OF_RANGE' : undefined;
      const size = problem === undefined && dimensions === 1 ? view.getInt32(at + SIZE) : 0;
      if (size > elements.length) elements = new Int32Array(2 * size);
      let element = at + SIZE + DIMENSION_BYTES;
      for (let j = 0; j < size; j++) {
        elements[j] = element;
        element += LENGTH_BYTES + Math.max(0, view.getInt32(element));
      }
      if (size > 0) fillElements({ source, offsets: elements, first: 0, count: size });
      if (problem === undefined) builder.appendList();
      else {
        builder.abandonList();
        report(builder.length, problem);
        builder.appendNull();
      }
    }
  };
}
