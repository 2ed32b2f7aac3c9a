/** Generated from JSON Schema by `npm run generate`. Do not edit. */

/**
 * What the server and the workers are told when they start. Each setting is an environment variable, HUITONG_ and the name in capitals (catalogUrl is HUITONG_CATALOG_URL), or a key of the YAML or JSON file that HUITONG_CONFIG names; the environment wins. A setting marked as secret is a reference, `env:NAME` or `file:/path`, so that the value itself stands in no file of settings.
 */
export interface ConfigurationDocument {
/**
 * PostgreSQL of the catalog, `postgres://user:password@host:port/database`, or a secret reference to it.
 */
catalogUrl?: string
/**
 * Connections of one process to the catalog.
 */
catalogConnectionsMax?: number
/**
 * Where objects are kept: `file:///path` of a folder that the server and the exchange workers share, or `s3://bucket/prefix?region=…&endpoint=…`; credentials of S3 are found as every AWS tool finds them.
 */
storeUrl?: string
/**
 * A folder on a local disk for copies of the indexes that look-ups are answered from; servers of one machine may share it. Absent: `lookups` in the store's folder, or the machine's temporary folder where the store is a bucket.
 */
lookupCache?: string
/**
 * `host:port` of Temporal's front end. Where it is absent, TEMPORAL_ADDRESS is used.
 */
temporalAddress?: string
/**
 * Temporal's namespace. It must exist.
 */
temporalNamespace?: string
/**
 * API key of Temporal Cloud, as a secret reference; it switches TLS on.
 */
temporalApiKey?: string
/**
 * Whether the connection to Temporal uses TLS.
 */
temporalTls?: boolean
/**
 * The name on Temporal's certificate, where it is not the address.
 */
temporalTlsServerName?: string
/**
 * PEM of the authority that signed Temporal's certificate.
 */
temporalTlsCa?: string
/**
 * PEM of our client certificate, for mutual TLS.
 */
temporalTlsCertificate?: string
/**
 * PEM of our client key, for mutual TLS.
 */
temporalTlsKey?: string
/**
 * The address the server listens on.
 */
httpHost?: string
/**
 * The port the server listens on; 0 takes any free one.
 */
httpPort?: number
/**
 * Addresses and subnets of proxies in front of the server, whose X-Forwarded-For is believed. Absent: nobody's, and a caller is where the connection comes from. Separated by commas in the environment.
 */
trustedProxies?: string[]
/**
 * The URL under which readers know the exchange. Default: what the server listens on.
 */
publicUrl?: string
/**
 * The URL under which a department's worker reaches the exchange.
 */
stagingUrl?: string
/**
 * What a worker does: `exchange`, `source:<department>`, or `source:*` for every department that has a source. Separated by commas in the environment.
 * 
 * @minItems 1
 */
workerRoles?: string[]
/**
 * The token with which a department's worker fetches assignments, as a secret reference. A worker that serves several departments has one token each: `file:/run/secrets/worker-token-{department}`. For `source:*` it is a single token of the role operator.
 */
workerToken?: string
/**
 * Threads of one extraction at most.
 */
workerThreads?: number
/**
 * Extractions that run at once for one department.
 */
workerExtractionsMax?: number
/**
 * How long running requests and activities may take to end after SIGTERM; afterwards they are cut off.
 */
shutdownGraceSeconds?: number
/**
 * Ed25519 private key (PEM, PKCS 8) that signs the audit log's heads, as a secret reference.
 */
signingKey?: string
/**
 * The audit log's name in its signed heads; unique to an installation, never changed.
 */
auditOrigin?: string
/**
 * Where the other servers of this exchange reach this one while it holds the audit log: an address of its own in their network, as `tcp://10.20.0.11:8490`; without a host (`tcp://:8490`), this machine's name. Absent: a Unix-domain socket, for servers of one machine.
 */
auditAddress?: string
/**
 * At least 32 random characters, as a secret reference: the key of the hashes under which persons stand in the audit log. It outlives the signing key.
 */
auditSubjectKey?: string
/**
 * URL of the OpenID Connect issuer that people sign in with, as its discovery document gives it. Absent: passwords only. In clear only on this very machine.
 */
oidcIssuer?: string
/**
 * What the issuer knows the exchange by. Needed with oidcIssuer.
 */
oidcClientId?: string
/**
 * The client's secret, as a secret reference; absent for a public client.
 */
oidcClientSecret?: string
/**
 * The claim of the ID token that is a person's login at their first sign-in: `preferred_username`, `email` (counts only where the issuer has verified it) or `sub`. From then on they are known by issuer and subject.
 */
oidcLoginClaim?: string
/**
 * X25519 private key (PEM, PKCS 8) that opens the quarantine for its owner, as a secret reference; its public half goes to the workers.
 */
quarantinePrivateKey?: string
/**
 * Folders of the worker's machine that sources of files may be in, separated by commas in the environment. None, unless they are named.
 */
sourceFolders?: string[]
/**
 * Whether a source may be on the worker's own machine. Off, so that a definition cannot reach what listens there.
 */
sourceLoopbackAllowed?: boolean
/**
 * The least severe messages that are logged.
 */
logLevel?: ("trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent")
}
