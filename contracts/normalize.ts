/**
 * A contract document as one plain schema: local `$ref` written out (with its siblings, as 2020-12 says), annotations
 * gone, unknown keywords, formats and patterns found. Everything after this works on the plain schema only.
 */
import type { Problem } from '../lib/errors.ts';
import type { ContractDocument } from './contract.ts';
import { formats } from './formats/index.ts';
import {
  annotations,
  applicators,
  contractMembers,
  formatLimits,
  isAssertion,
  type SchemaNode,
  type SchemaObject,
} from './keywords.ts';
import { pointerTo } from './pointer.ts';
import { PatternRefused } from './regex/parse.ts';
import { compilePattern } from './regex/pattern.ts';

/** References written out may repeat a definition; this bounds the whole. */
const nodesMax = 20_000;
const orderedFormats = new Set(['date', 'date-time', 'local-date-time']);

export interface NormalContract {
  root: SchemaNode;
  problems: Problem[];
  /** Where a node of `root` stands in the document. */
  pointerOf(node: SchemaNode, fallback: string): string;
}

/** Never throws: every finding is a problem. The document has passed `unsafeFindings` and the meta-schema. */
export function normalize(document: ContractDocument): NormalContract {
  return new Normalizer(document).run();
}

class Normalizer {
  private readonly document: ContractDocument;
  private readonly problems: Problem[] = [];
  private readonly pointers = new Map<object, string>();
  private nodes = 0;

  constructor(document: ContractDocument) {
    this.document = document;
  }

  run(): NormalContract {
    const root = this.node(this.document, '', []);
    return {
      root,
      problems: this.problems,
      pointerOf: (node, fallback) => (typeof node === 'object' ? (this.pointers.get(node) ?? fallback) : fallback),
    };
  }

  private problem(code: Problem['code'], pointer: string, message: string): void {
    if (!this.problems.some((p) => p.pointer === pointer && p.message === message)) {
      this.problems.push({ code, pointer, message });
    }
  }

  private node(schema: unknown, pointer: string, references: string[]): SchemaNode {
    if (typeof schema !== 'object' || schema === null) {
      return schema !== false;
    }
    if (++this.nodes > nodesMax) {
      this.problem('SCHEMA_UNSAFE', '', `references written out give more than ${nodesMax} schemas`);
      return true;
    }
    const out: SchemaObject = {};
    this.pointers.set(out, pointer);
    for (const [keyword, value] of Object.entries(schema)) {
      this.keyword(out, keyword, value, pointer, references);
    }
    this.formatLimits(out, pointer);
    return out;
  }

  /** A limit that is no date would never refuse anything. */
  private formatLimits(node: SchemaObject, pointer: string): void {
    const format = String(node.format);
    for (const keyword of [...formatLimits].filter((name) => name in node)) {
      const at = pointer + pointerTo(keyword);
      if (!orderedFormats.has(format)) {
        this.problem('CONTRACT_INVALID', at, `needs beside it a format of ${[...orderedFormats].join(', ')}`);
      } else if (typeof node[keyword] !== 'string' || !formats.get(format)?.text(node[keyword])) {
        this.problem('CONTRACT_INVALID', at, `not a ${format}`);
      }
    }
  }

  private keyword(out: SchemaObject, keyword: string, value: unknown, pointer: string, references: string[]): void {
    const at = pointer + pointerTo(keyword);
    if (keyword === '$ref') {
      const target = this.reference(String(value), at, references);
      out.allOf = [...((out.allOf as SchemaNode[] | undefined) ?? []), target];
      return;
    }
    if (annotations.has(keyword) || keyword.startsWith('x-') || (pointer === '' && contractMembers.has(keyword))) {
      return;
    }
    if (!isAssertion(keyword)) {
      this.problem('CONTRACT_INVALID', at, 'not a keyword of contracts');
      return;
    }
    const child = (member: unknown, ...tokens: (string | number)[]) =>
      this.node(member, at + pointerTo(...tokens), references);
    switch (applicators[keyword]) {
      case 'schema':
        out[keyword] = child(value);
        break;
      case 'list': {
        const items = (value as unknown[]).map((member, i) => child(member, i));
        out[keyword] = keyword === 'allOf' ? [...((out.allOf as SchemaNode[] | undefined) ?? []), ...items] : items;
        break;
      }
      case 'map':
        out[keyword] = Object.fromEntries(
          Object.entries(value as object).map(([name, member]) => [name, child(member, name)]),
        );
        if (keyword === 'patternProperties') {
          for (const name of Object.keys(value as object)) {
            this.pattern(name, at + pointerTo(name));
          }
        }
        break;
      case undefined:
        out[keyword] = value;
        this.assertion(keyword, value, at);
    }
  }

  private assertion(keyword: string, value: unknown, at: string): void {
    if (keyword === 'pattern') {
      this.pattern(String(value), at);
    } else if (keyword === 'format' && !formats.has(String(value))) {
      this.problem('CONTRACT_INVALID', at, `unknown format; known are ${[...formats.keys()].sort().join(', ')}`);
    }
  }

  private pattern(pattern: string, at: string): void {
    try {
      compilePattern(pattern);
    } catch (e) {
      if (e instanceof PatternRefused) {
        this.problem('SCHEMA_UNSAFE', at, `${e.message} does not run in linear time here`);
      } else if (e instanceof SyntaxError) {
        this.problem('CONTRACT_INVALID', at, 'not a regular expression (ECMA-262 with the u flag)');
      } else {
        throw e;
      }
    }
  }

  private reference(reference: string, at: string, references: string[]): SchemaNode {
    if (references.includes(reference)) {
      this.problem('SCHEMA_UNSAFE', at, 'a reference to itself: a row has no depth to follow it');
      return true;
    }
    const tokens = decodeURIComponent(reference.slice(2)).split('/');
    let target: unknown = this.document;
    for (const token of tokens) {
      const name = token.replaceAll('~1', '/').replaceAll('~0', '~');
      target =
        typeof target === 'object' && target !== null && Object.hasOwn(target, name)
          ? Reflect.get(target, name)
          : undefined;
    }
    if (typeof target !== 'boolean' && (typeof target !== 'object' || target === null)) {
      this.problem('CONTRACT_INVALID', at, 'the reference points at nothing');
      return true;
    }
    return this.node(target, reference.slice(1), [...references, reference]);
  }
}
