/**
 * What a sample shows of one column. Values stay in here: what leaves are counts, names of formats, shapes, and those
 * few values that are repeated so often that they are codes rather than anybody's data.
 */
import type { Data, Field } from 'apache-arrow';
import { formats } from '../../contracts/formats/index.ts';
import { type CellImage, cellImage } from '../../contracts/image.ts';

export interface ColumnProfile {
  name: string;
  rows: number;
  nulls: number;
  /** Cells of a float column that are no number (NaN, infinities). */
  specials: number;
  /** More than this many are not counted. */
  distinct: number | 'many';
  /** Of texts: by format, how many cells are such; formats that too many cells are not are left out. */
  formats: Map<string, number>;
  /** Of ASCII texts that all have one shape: its pattern. */
  pattern?: string;
  /** Of numbers. */
  range?: { low: number; high: number };
  /** Values that each occur often; absent where there are others. */
  repeated?: string[];
  /** The share of texts that look like a person's name. */
  nameShare: number;
  /** One number for each row, equal for equal cells; NaN for null. Undefined for nested columns. */
  hashes?: Float64Array;
}

const DISTINCT_MAX = 32;
/** A value that occurs less often may be somebody's. */
const REPEATED_MIN = 5;
const REPEATED_CHARACTERS_MAX = 40;
/** Tried on texts, in this order; a format that fails more often than one cell in `FORMAT_MISS_SHARE` is given up. */
const TRIED = [
  'resident-id',
  'social-credit-code',
  'mobile-number',
  'uuid',
  'date',
  'date-time',
  'local-date-time',
  'email',
  'ipv4',
  'division-code',
] as const;
const FORMAT_MISS_SHARE = 0.02;

/** Profiles one column, batch by batch. */
export class ColumnProfiler {
  private readonly name: string;
  private readonly image: CellImage | null;
  private readonly isNested: boolean;
  private readonly hashes: Float64Array;
  private rows = 0;
  private nulls = 0;
  private specials = 0;
  private counts: Map<string, number> | undefined = new Map();
  private readonly formatHits = new Map<string, number>(TRIED.map((name) => [name, 0]));
  private texts = 0;
  private names = 0;
  private shape: string | null | undefined;
  private low = Number.POSITIVE_INFINITY;
  private high = Number.NEGATIVE_INFINITY;

  constructor(field: Field, rowsMax: number) {
    this.name = field.name;
    this.image = cellImage(field);
    this.isNested = this.image === null || this.image.jsonType === 'array' || this.image.jsonType === 'object';
    this.hashes = new Float64Array(this.isNested ? 0 : rowsMax);
  }

  take(data: Data): void {
    for (let row = 0; row < data.length; row++) {
      const at = this.rows++;
      if (!data.getValid(row) || this.image === null) {
        this.nulls++;
        if (!this.isNested) this.hashes[at] = Number.NaN;
      } else if (!this.isNested) this.cell(at, this.image.text(data, row));
    }
  }

  private cell(at: number, json: string): void {
    this.hashes[at] = hashOf(json);
    this.count(json);
    if (this.image?.jsonType === 'string') this.text(JSON.parse(json));
    else if (json.startsWith('"')) this.specials++;
    else if (this.image?.jsonType !== 'boolean') this.number(json);
  }

  private count(json: string): void {
    if (this.counts === undefined) return;
    this.counts.set(json, (this.counts.get(json) ?? 0) + 1);
    if (this.counts.size > DISTINCT_MAX) this.counts = undefined;
  }

  private text(value: string): void {
    this.texts++;
    if (isNameLike(value)) this.names++;
    for (const [name, hits] of this.formatHits) {
      const misses = this.texts - hits;
      if (formats.get(name)?.text(value)) this.formatHits.set(name, hits + 1);
      else if (misses > 10 && misses > this.texts * FORMAT_MISS_SHARE) this.formatHits.delete(name);
    }
    const shape = this.shape === null ? null : shapeOf(value);
    this.shape = this.shape === undefined || this.shape === shape ? shape : null;
  }

  private number(json: string): void {
    const value = Number(json);
    if (value < this.low) this.low = value;
    if (value > this.high) this.high = value;
    // A mobile number may be kept as a number.
    if (/^1\d{10}$/.test(json)) this.formatHits.set('mobile-number', (this.formatHits.get('mobile-number') ?? 0) + 1);
  }

  end(): ColumnProfile {
    const { counts } = this;
    const cells = this.rows - this.nulls;
    const repeated = counts !== undefined && counts.size > 0 && [...counts.values()].every((n) => n >= REPEATED_MIN);
    const short = [...(counts?.keys() ?? [])].every((json) => json.length <= REPEATED_CHARACTERS_MAX);
    const enough = ([, hits]: [string, number]) => hits > 0 && cells - hits <= cells * FORMAT_MISS_SHARE;
    return {
      name: this.name,
      rows: this.rows,
      nulls: this.nulls,
      specials: this.specials,
      distinct: counts?.size ?? 'many',
      formats: new Map([...this.formatHits].filter(enough)),
      nameShare: this.texts === 0 ? 0 : this.names / this.texts,
      ...(this.shape ? { pattern: this.shape } : {}),
      ...(this.high >= this.low ? { range: { low: this.low, high: this.high } } : {}),
      ...(repeated && short ? { repeated: [...counts.keys()].sort() } : {}),
      ...(this.isNested ? {} : { hashes: this.hashes.subarray(0, this.rows) }),
    };
  }
}

/** 53 bits. A collision makes two cells look equal: a key is then overlooked, never claimed. */
function hashOf(text: string): number {
  let high = 0x811c9dc5;
  let low = 0x9e3779b9;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    high = Math.imul(high ^ unit, 0x01000193);
    low = Math.imul(low + unit, 0x85ebca6b) ^ (low >>> 13);
  }
  return (high >>> 0) * 0x200000 + (low >>> 11);
}

/** Runs of digits and letters become classes with their length; null for text that is not plain ASCII, or is long. */
function shapeOf(text: string): string | null {
  if (text.length === 0 || text.length > 40 || !/^[\x20-\x7e]+$/.test(text)) return null;
  const runs = text.match(/\d+|[A-Z]+|[a-z]+|[^0-9A-Za-z]/g) ?? [];
  if (runs.length > 9) return null;
  return `^${runs.map(runPattern).join('')}$`;
}

function runPattern(run: string): string {
  const length = run.length === 1 ? '' : `{${run.length}}`;
  if (/\d/.test(run)) return `[0-9]${length}`;
  if (/[A-Z]/.test(run)) return `[A-Z]${length}`;
  if (/[a-z]/.test(run)) return `[a-z]${length}`;
  return run.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
}

/** The hundred surnames that four in five people in China have. */
const SURNAMES =
  '王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文';
const chineseName = new RegExp(`^(?:[${SURNAMES}]|欧阳|司马|上官|诸葛)\\p{Script=Han}{1,2}$`, 'u');
const latinName = /^\p{Lu}[\p{Ll}'-]+(?: \p{Lu}\.)?(?: \p{Lu}[\p{Ll}'-]+)+$/u;

function isNameLike(text: string): boolean {
  return chineseName.test(text) || latinName.test(text);
}
