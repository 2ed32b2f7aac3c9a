/**
 * Sign-in by OpenID Connect Core 1.0 with any issuer: authorization code, PKCE (RFC 7636), state and nonce. The library
 * checks the ID token, its signature by the issuer's published keys too; what is ours is who may come (a person that an administrator has registered) and that each
 * sign-in serves once.
 */
import { createHash } from 'node:crypto';
import * as client from 'openid-client';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Access } from '../access/access.ts';
import type { PersonRow } from './people.ts';
import { openSession, refused, type Session } from './sign-in.ts';

export interface OidcSettings {
  issuer: string;
  clientId: string;
  clientSecret?: string;
  /** The claim that is a person's login: `preferred_username`, `email` (only where the issuer has verified it), `sub`. */
  loginClaim: string;
  /** The exchange's own URL: people may be sent back below it, besides to their own machine. */
  publicUrl: string;
}

/** Where the person is to be sent, and what the program that sends them must find again in what comes back. */
export interface StartedSignIn {
  authorizationUrl: string;
  state: string;
}

interface SignInRow {
  state_hash: Buffer;
  verifier: string;
  nonce: string;
  redirect_uri: string;
  expires_at: Date;
}

export class IdentityProvider {
  readonly #settings: OidcSettings;
  #discovered: Promise<client.Configuration> | undefined;

  constructor(settings: OidcSettings) {
    this.#settings = settings;
  }

  /**
   * @param redirectUri below the exchange's own URL, or `http://127.0.0.1:<port>/…` of a program on the person's machine
   *   (RFC 8252, section 7.3); the issuer must know it too
   * @throws REQUEST_INVALID for any other; SIGN_IN_UNAVAILABLE where the issuer does not answer
   */
  async start({ publication: { catalog } }: Access, redirectUri: string): Promise<StartedSignIn> {
    this.#requireRedirect(redirectUri);
    const configuration = await this.#configuration();
    const state = client.randomState();
    const verifier = client.randomPKCECodeVerifier();
    const nonce = client.randomNonce();
    const expires_at = new Date(Date.now() + limits.oidcSignInMs);
    await catalog('oidc_sign_in').where('expires_at', '<', catalog.fn.now()).delete();
    await catalog('oidc_sign_in').insert({
      state_hash: hashOf(state),
      verifier,
      nonce,
      redirect_uri: redirectUri,
      expires_at,
    });
    const url = client.buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri,
      scope: 'openid profile email',
      state,
      nonce,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    return { authorizationUrl: url.href, state };
  }

  /**
   * @param callbackUrl what the issuer sent the person back to, whole: redirect URI, code, state, iss
   * @throws SIGN_IN_FAILED for what is no answer to a sign-in of ours, and for a person that nobody has registered
   * @throws SIGN_IN_UNAVAILABLE where the issuer does not answer
   */
  async finish(access: Access, callbackUrl: string): Promise<Session> {
    const row = await takeSignIn(access, callbackUrl);
    if (row === undefined) throw await refused(access, '', 'oidc');
    const claims = await this.#exchange(callbackUrl, row);
    const login = claims === undefined ? undefined : loginOf(claims, this.#settings.loginClaim);
    const person = claims === undefined ? undefined : await findPerson(access, claims, login);
    if (person === undefined) throw await refused(access, login ?? claims?.sub ?? '', 'oidc');
    return openSession(access, person, 'oidc');
  }

  /** Undefined for a code or an ID token that the library refuses. */
  async #exchange(callbackUrl: string, row: SignInRow): Promise<client.IDToken | undefined> {
    const configuration = await this.#configuration();
    const url = new URL(callbackUrl);
    try {
      const tokens = await client.authorizationCodeGrant(configuration, url, {
        pkceCodeVerifier: row.verifier,
        expectedState: url.searchParams.get('state') ?? '',
        expectedNonce: row.nonce,
        idTokenExpected: true,
      });
      return tokens.claims();
    } catch (cause: unknown) {
      if (isUnreachable(cause)) throw this.#unavailable(cause);
      return undefined;
    }
  }

  /** Discovered once; a failure is not remembered. */
  #configuration(): Promise<client.Configuration> {
    const { issuer, clientId, clientSecret } = this.#settings;
    const url = new URL(issuer);
    // The library leaves the ID token's signature unread where it came over TLS from the issuer itself (Core 1.0,
    // section 3.1.3.7, point 6). Ours is read all the same: whoever ends the TLS in between signs nobody in (0216).
    // Only an issuer on this very machine is spoken with in clear; the settings' schema refuses any other.
    const insecure = url.protocol === 'http:' ? [client.allowInsecureRequests] : [];
    const execute = [client.enableNonRepudiationChecks, ...insecure];
    this.#discovered ??= client.discovery(url, clientId, clientSecret, undefined, { execute }).catch((cause) => {
      this.#discovered = undefined;
      throw this.#unavailable(cause);
    });
    return this.#discovered;
  }

  #unavailable(cause: unknown): HuitongError {
    return new HuitongError(
      'SIGN_IN_UNAVAILABLE',
      '统一身份认证的答复无效 · the identity provider does not answer as one does',
      {
        at: this.#settings.issuer,
        cause,
      },
    );
  }

  #requireRedirect(text: string): void {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const own = new URL(this.#settings.publicUrl);
    const isOwn = url?.origin === own.origin;
    const isLoopback = url?.protocol === 'http:' && ['127.0.0.1', '[::1]'].includes(url.hostname);
    if ((isOwn || isLoopback) && url?.hash === '' && url.search === '') return;
    throw new HuitongError('REQUEST_INVALID', '不允许返回该地址 · nobody is sent back to there', {
      pointer: '/redirectUri',
    });
  }
}

/** The sign-in that this is the answer to, once. */
async function takeSignIn({ publication: { catalog } }: Access, callbackUrl: string): Promise<SignInRow | undefined> {
  if (!URL.canParse(callbackUrl)) return undefined;
  const url = new URL(callbackUrl);
  const [row] = await catalog<SignInRow>('oidc_sign_in')
    .where({ state_hash: hashOf(url.searchParams.get('state') ?? '') })
    .delete()
    .returning('*');
  const isAnswer = row?.redirect_uri === `${url.origin}${url.pathname}` && row.expires_at.getTime() > Date.now();
  return isAnswer ? row : undefined;
}

/** By what the issuer calls them; at the first sign-in by login, which then belongs to that identity for good. */
async function findPerson(
  { publication: { catalog } }: Access,
  { iss, sub }: client.IDToken,
  login: string | undefined,
): Promise<PersonRow | undefined> {
  const identity = { issuer: iss, issuer_subject: sub };
  const bound = await catalog<PersonRow>('person').where(identity).first();
  const row =
    bound ??
    (login === undefined
      ? undefined
      : (await catalog<PersonRow>('person').where({ login, issuer: null }).update(identity).returning('*'))[0]);
  return row?.disabled_at === null ? row : undefined;
}

function loginOf(claims: client.IDToken, claim: string): string | undefined {
  const value = claims[claim];
  // An address that anybody may have typed in is nobody's name.
  if (claim === 'email' && claims.email_verified !== true) return undefined;
  return typeof value === 'string' && value !== '' ? value.trim().toLowerCase() : undefined;
}

/** Fetch fails with a TypeError, a slow answer with a TimeoutError; a refusal has a class of the library's. */
function isUnreachable(cause: unknown): boolean {
  return (
    cause instanceof TypeError ||
    (cause instanceof Error && cause.name === 'TimeoutError') ||
    (cause instanceof client.ClientError && ['OAUTH_TIMEOUT', 'OAUTH_ABORT'].includes(cause.code ?? '')) ||
    (cause instanceof client.ResponseBodyError && cause.status >= 500)
  );
}

function hashOf(state: string): Buffer {
  return createHash('sha256').update(state).digest();
}
