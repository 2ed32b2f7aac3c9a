/**
 * The guard of every request that a kind makes over HTTP: addresses are resolved once, checked, and it is a checked
 * address that is connected to. A name whose answer changes between check and connection (DNS rebinding) gains nothing.
 */
import { lookup as resolve } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { addressBlocked } from '../lib/addresses.ts';
import { HuitongError } from '../lib/errors.ts';

export type ResolvedAddress = { address: string; family: number };

/** How names are resolved; the system's way unless a test says otherwise. */
export type Resolve = (host: string) => Promise<ResolvedAddress[]>;

const resolveBySystem: Resolve = (host) => resolve(host, { all: true });

/** Addresses of the hosts that one client talks to. Each name is resolved once. */
export class AddressBook {
  private readonly loopbackAllowed: boolean;
  private readonly resolve: Resolve;
  private readonly known = new Map<string, Promise<ResolvedAddress[]>>();

  constructor(loopbackAllowed: boolean, resolve: Resolve = resolveBySystem) {
    this.loopbackAllowed = loopbackAllowed;
    this.resolve = resolve;
  }

  /** Throws SSRF_BLOCKED where any address of the host may not be a source, and what the resolver throws. */
  async admit(host: string): Promise<ResolvedAddress[]> {
    const name = host.replace(/^\[(.*)\]$/, '$1');
    let addresses = this.known.get(name);
    if (addresses === undefined) {
      addresses = isIP(name) ? Promise.resolve([{ address: name, family: isIP(name) }]) : this.resolve(name);
      this.known.set(name, addresses);
      // A name that failed to resolve may resolve at the next attempt.
      addresses.catch(() => this.known.delete(name));
    }
    const resolved = await addresses;
    for (const { address } of resolved) {
      const what = addressBlocked(address, this.loopbackAllowed);
      if (what !== undefined) throw new HuitongError('SSRF_BLOCKED', `${name} is ${what}`, { at: name });
    }
    return resolved;
  }

  /** For `net.connect`: gives what `admit` let through, and never asks the resolver again. */
  readonly lookup: LookupFunction = (host, options, done) => {
    this.admit(host).then(
      (addresses) => {
        const wanted = addresses.filter(({ family }) => !options.family || family === options.family);
        const [first] = wanted;
        if (first === undefined) done(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), '');
        else if (options.all) done(null, wanted);
        else done(null, first.address, first.family);
      },
      (cause: NodeJS.ErrnoException) => done(cause, ''),
    );
  };
}
