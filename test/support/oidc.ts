/** A real OpenID Connect issuer, and a person's browser that signs in there. */
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';

export interface TestIssuer {
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** Goes through login and consent as `account`; gives the URL to which the browser is sent back. */
  signIn(authorizationUrl: string, account: string): Promise<string>;
  close(): Promise<void>;
}

const CLIENT = { clientId: 'huitong', clientSecret: 'a secret of the client, for tests only' };

/** `claims`: by account, what the ID token says besides the subject, which is the account's own name. */
export async function openIssuer(
  redirectUris: string[],
  claims: Record<string, Record<string, unknown>>,
): Promise<TestIssuer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT.clientId,
        client_secret: CLIENT.clientSecret,
        redirect_uris: redirectUris,
        // A native application's loopback address is the same at every port (RFC 8252, section 7.3).
        application_type: 'native',
        id_token_signed_response_alg: 'ES256',
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', kid: 'test' }] },
    cookies: { keys: ['only for tests'] },
    claims: { openid: ['sub'], profile: ['preferred_username'], email: ['email', 'email_verified'] },
    // So that the ID token itself carries the claims, as issuers of governments do.
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: true } },
    findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id, ...claims[id] }) }),
    ttl: { Session: 60, Grant: 60, Interaction: 60, AccessToken: 60, IdToken: 60 },
  });
  server.on('request', provider.callback());
  return {
    issuer,
    ...CLIENT,
    signIn: signInAs,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Follows redirects with a cookie jar, and fills in the forms of the issuer's development pages. */
async function signInAs(start: string, account: string): Promise<string> {
  const back = new URL(start).searchParams.get('redirect_uri');
  const cookies = new Map<string, string>();
  let url = start;
  let form: URLSearchParams | undefined;
  for (let step = 0; step < 20; step++) {
    const response = await fetch(url, {
      method: form ? 'POST' : 'GET',
      body: form,
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location !== null) {
      url = new URL(location, url).href;
      form = undefined;
      if (url.startsWith(`${back}?`)) return url;
      continue;
    }
    const page = await response.text();
    const action = /action="([^"]+)"/.exec(page)?.[1];
    const prompt = /name="prompt" value="([^"]+)"/.exec(page)?.[1];
    if (action === undefined || prompt === undefined) throw new Error(`the issuer shows ${response.status}: ${page}`);
    url = new URL(action, url).href;
    form = new URLSearchParams({ prompt, login: account, password: 'any' });
  }
  throw new Error('the sign-in goes round and round');
}
