/**
 * Look-ups: single rows by their whole key, under a grant for it. Whatever a key is, the same is done for it; what is
 * not there and what the grant does not give are one answer. Nothing is answered before its leaf is in the log under a
 * signed head, and that leaf names keys by their keyed hashes only.
 *
 * Glossary
 *   image     one row of a version as bytes (columnar/row-image.ts)
 *   index     beside a version: the images of its rows, and where each key's is (slots.ts)
 *   stand-in  the row that is read and decoded for a key that no row has
 *   gate      what each call asks the catalog: does the grant hold, is there quota, is there a newer version (gate.ts)
 */
import { HuitongError, isHuitongError } from '../../../lib/errors.ts';
import type { LeafInput } from '../../audit/leaf.ts';
import { toReceipt } from '../../audit/receipt.ts';
import type { Receipt } from '../../audit/verify/receipt.ts';
import { type Access, actorOf, recordDenial } from '../access.ts';
import { notFound } from '../decision.ts';
import { keyedHasher } from '../policy/keyed-hash.ts';
import { type Decided, Decisions, type LookupScope } from './decisions.ts';
import { type Gate, type GateAnswer, openGate } from './gate.ts';
import type { KeyDocument } from './key.ts';
import type { OpenIndex } from './open-index.ts';
import { IndexShelf } from './shelf.ts';
import { answerOf, columnsAsked, verificationOf } from './verification.ts';

export interface LookupRequest extends Omit<LookupScope, 'mode'> {
  keys: KeyDocument[];
  /** The case for which it is asked. */
  matter: string;
}

export interface VerifyRequest extends Omit<LookupScope, 'mode' | 'columns'> {
  key: KeyDocument;
  matter: string;
  /** By its name in the dataset's definition. */
  verification: string;
  /** The values that the verification asks for besides the key. */
  matching: KeyDocument;
}

/** What both answers say of where they come from. */
interface Answered {
  version: number;
  grant: string;
  receipt: Receipt;
}

export interface LookupAnswer extends Answered {
  /** For each key, the record as JSON text; null where there is none to be seen. */
  records: (string | null)[];
}

export interface VerifyAnswer extends Answered {
  result: 'yes' | 'no';
}

export interface LookupsOptions {
  /** For copies of index objects. */
  directory: string;
  /** Indexes that could not be made or opened. */
  onFailure(dataset: string, error: unknown): void;
}

type Action = 'dataset.lookup' | 'dataset.verify';

/** What is refused, and stands in the log by its code. */
const denials = [
  'COLUMN_NOT_GRANTED',
  'GRANT_NOT_USABLE',
  'POLICY_INVALID',
  'PURPOSE_SCOPE',
  'QUOTA_EXCEEDED',
  'VERSION_RECALLED',
] as const;

export class Lookups {
  readonly shelf: IndexShelf;
  readonly #access: Access;
  readonly #decisions: Decisions;
  readonly #gate: Gate;
  readonly #hashOf: (message: Uint8Array) => string;

  constructor(access: Access, { directory, onFailure }: LookupsOptions) {
    const { publication, subjectKey } = access;
    this.#access = access;
    this.shelf = new IndexShelf({ publication, subjectKey, directory, onFailure });
    this.#decisions = new Decisions(access);
    this.#gate = openGate(publication.catalog, this.shelf.keyedBy);
    this.#hashOf = keyedHasher(subjectKey);
  }

  /**
   * @throws NOT_FOUND, GRANT_NOT_USABLE, PURPOSE_SCOPE, QUOTA_EXCEEDED, COLUMN_NOT_GRANTED, POLICY_INVALID: refused,
   * and in the log; REQUEST_INVALID, ID_MUST_BE_STRING for keys; LOOKUP_NOT_READY, LOOKUP_UNSUPPORTED, AUDIT_UNAVAILABLE
   */
  lookUp(request: LookupRequest): Promise<LookupAnswer> {
    const scope: LookupScope = { ...request, mode: 'lookup' };
    return this.#refusing('dataset.lookup', scope, async () => {
      const textsOf = (index: OpenIndex) =>
        request.keys.map((key, i) => index.keys.ofDocument(key, request.keys.length === 1 ? '/keys' : `/keys/${i}`));
      const { decided, index } = await this.#enter(scope, request.keys.length, textsOf);
      const texts = textsOf(index);
      const records = index.shown(index.rows(texts), decided.policy, decided.maskKey);
      const answered = await this.#record(request, decided, index, {
        action: 'dataset.lookup',
        keyHashes: texts.map((text) => this.#hash(text)),
        rows: records.reduce((rows, record) => (record === null ? rows : rows + 1), 0),
        ...(request.columns === undefined ? {} : { columns: request.columns }),
      });
      return { ...answered, records };
    });
  }

  /** Throws as `lookUp` does; NOT_FOUND also for a verification that there is not, or that the grant does not name. */
  verify(request: VerifyRequest): Promise<VerifyAnswer> {
    const scope: LookupScope = { ...request, mode: 'verify' };
    return this.#refusing('dataset.verify', scope, async () => {
      const verificationIn = ({ dataset, grant }: Decided) => verificationOf(dataset, grant, request.verification);
      const asked = (index: OpenIndex, decided: Decided) => ({
        text: index.keys.ofDocument(request.key, '/key'),
        given: columnsAsked(verificationIn(decided), index.schema, request.matching),
      });
      const { decided, index } = await this.#enter(scope, 1, asked);
      const { text, given } = asked(index, decided);
      const yes = answerOf(index, { text, given, verification: verificationIn(decided), policy: decided.policy });
      const answered = await this.#record(request, decided, index, {
        action: 'dataset.verify',
        keyHashes: [text, ...given.values()].map((value) => this.#hash(value)),
        detail: { verification: request.verification },
      });
      return { ...answered, result: yes ? 'yes' : 'no' };
    });
  }

  close(): Promise<void> {
    return this.shelf.close();
  }

  /**
   * The grant and the index to answer from, once the gate has let the call pass.
   * @param check of what was asked, against an index: what is asked wrongly is not counted
   */
  async #enter(
    scope: LookupScope,
    count: number,
    check: (index: OpenIndex, decided: Decided) => unknown,
  ): Promise<{ decided: Decided; index: OpenIndex }> {
    let decided = await this.#decisions.of(scope);
    const index = await this.shelf.newest(scope.dataset);
    check(index, decided);
    let answer = await this.#ask(decided, count);
    if (!answer.usable) {
      // Chosen some seconds ago, and changed since: what holds now is used, or its refusal is told.
      decided = await this.#decisions.afresh(scope);
      check(index, decided);
      answer = await this.#ask(decided, count);
      if (!answer.usable)
        throw new HuitongError('GRANT_NOT_USABLE', '授权刚刚终止 · the grant has just ended', { at: decided.grant.id });
    }
    if (answer.recalled) {
      throw new HuitongError('VERSION_RECALLED', '提供部门已撤回该版本 · the provider has recalled the version', {
        at: scope.dataset,
      });
    }
    return { decided, index: await this.shelf.following(index, answer) };
  }

  #ask({ grant }: Decided, count: number): Promise<GateAnswer> {
    return this.#gate({ grant: grant.id, epoch: grant.epoch ?? 0, count, most: grant.quota.lookupsPerDay });
  }

  async #record(
    request: LookupRequest | VerifyRequest,
    { grant }: Decided,
    { version }: OpenIndex,
    leaf: Omit<LeafInput, 'actor' | 'object' | 'decision'>,
  ): Promise<Answered> {
    const appended = await this.#access.audit
      .append({
        ...actorOf(this.#access, request.principal),
        object: `dataset/${version.dataset}/version/${version.number}`,
        grant: grant.id,
        purpose: request.purpose,
        matter: request.matter,
        versionDigest: version.manifestDigest,
        decision: 'allow',
        ...leaf,
      })
      .catch((e: unknown) => {
        if (!isHuitongError(e, 'AUDIT_LEAF_INVALID') || e.pointer !== '/matter') throw e;
        throw new HuitongError('REQUEST_INVALID', '事项编号不得是个人证件号 · a matter id is no person’s number', {
          pointer: '/matter',
        });
      });
    return { version: version.number, grant: grant.id, receipt: toReceipt(appended) };
  }

  async #refusing<T>(action: Action, { principal, dataset }: LookupScope, answer: () => Promise<T>): Promise<T> {
    try {
      return await answer();
    } catch (e: unknown) {
      const absent = isHuitongError(e, 'NOT_FOUND');
      const rule = absent ? 'NOT_FOUND' : denials.find((code) => isHuitongError(e, code));
      if (rule === undefined) throw e;
      const { catalog } = this.#access.publication;
      // What is not there is a stranger's text, and stays out of the log.
      const known = await catalog('dataset').where({ code: dataset }).first('code');
      const object = `dataset/${known === undefined ? '(unknown)' : dataset}`;
      await recordDenial(this.#access, principal, { action, object, rule });
      throw absent ? notFound() : e;
    }
  }

  #hash(text: string): string {
    return `hmac-sha256:${this.#hashOf(Buffer.from(text))}`;
  }
}
