// A Lambda authorizer (type REQUEST) of API Gateway: checks JSON Web Tokens with Node's own crypto, no dependencies.
// What it asks for stands in config.json beside it; see README.md. It logs no token, and no claim.

import { createPublicKey, constants, verify } from "node:crypto";
import { readFileSync } from "node:fs";

const config = JSON.parse(readFileSync(new URL("./config.json", import.meta.url), "utf8"));

const KEYS_TIMEOUT = 2500; // ms; API Gateway waits 10 s for us
const KEYS_SIZE = 256 * 1024;
const REFETCH = 30_000; // ms; a key that is not known is looked for at most so often
const STALE = 24 * 3600_000; // ms; how old keys may be when the issuer cannot be reached
const MAX_TOKEN = 16 * 1024;

const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
const es = { dsaEncoding: "ieee-p1363" };
const ALGORITHMS = {
  RS256: { hash: "sha256", kty: "RSA" }, RS384: { hash: "sha384", kty: "RSA" }, RS512: { hash: "sha512", kty: "RSA" },
  PS256: { hash: "sha256", kty: "RSA", ...pss }, PS384: { hash: "sha384", kty: "RSA", ...pss },
  PS512: { hash: "sha512", kty: "RSA", ...pss },
  ES256: { hash: "sha256", kty: "EC", crv: "P-256", ...es }, ES384: { hash: "sha384", kty: "EC", crv: "P-384", ...es },
  ES512: { hash: "sha512", kty: "EC", crv: "P-521", ...es },
};

class Refused extends Error {}

export async function handler(event) {
  const name = requirementOf(event);
  const need = name && config.requirements[name];
  // A method that is not known is a mistake of ours or of the API's: nobody passes.
  if (!need) return answer(event, "nobody", "Deny", {});
  const identity = await authenticate(event, need.authorizers);
  if (!identity) throw new Error("Unauthorized"); // API Gateway makes this very text a 401
  const allowed = satisfies(identity, need);
  return answer(event, identity.subject || identity.client || "unknown", allowed ? "Allow" : "Deny", {
    subject: identity.subject, issuer: identity.issuer, client: identity.client, scopes: [...identity.scopes].join(" "),
  });
}

function requirementOf(event) {
  const context = event.requestContext ?? {};
  const resource = event.resource ?? context.resourcePath;
  const method = event.httpMethod ?? context.httpMethod;
  if (resource !== undefined && method !== undefined) {
    return own(config.methods, `${method} ${resource}`) ?? own(config.methods, `ANY ${resource}`);
  }
  return own(config.methods, context.routeKey ?? "");
}

// Every method that uses one authorizer of the API asks for the same, and API Gateway remembers the answer by authorizer
// and token: so the answer is for the whole stage.
function answer(event, principal, effect, context) {
  const [arn, stage] = String(event.methodArn).split("/");
  const found = Object.fromEntries(Object.entries(context).filter(([, value]) => typeof value === "string" && value));
  return {
    principalId: principal,
    policyDocument: {
      Version: "2012-10-17",
      Statement: [{ Action: "execute-api:Invoke", Effect: effect, Resource: `${arn}/${stage}/*` }],
    },
    context: found,
  };
}

async function authenticate(event, names) {
  let failure = null;
  for (const name of names) {
    const authorizer = own(config.authorizers, name);
    const token = authorizer && credential(event, authorizer.source);
    if (!token) continue;
    try {
      return await identityOf(token, name, authorizer);
    } catch (error) {
      // Keys that cannot be had are our trouble and not the caller's: remembered, in case no other authorizer accepts.
      if (!(error instanceof Refused)) failure = error;
    }
  }
  if (failure) throw failure;
  return null;
}

// -- where the token is -----------------------------------------------------------------------------------------------

function credential(event, source) {
  const values = source.kind === "query" ? queryValues(event, source.name)
    : source.kind === "cookie" ? cookies(event, source.name) : headerValues(event, source.name);
  if (values.length !== 1) return null; // none, or several of which two readers could choose different ones
  const text = values[0];
  const prefix = source.prefix ?? "";
  if (!prefix) return text;
  return text.slice(0, prefix.length).toLowerCase() === prefix.toLowerCase() ? text.slice(prefix.length) : null;
}

function headerValues(event, name) {
  const several = Object.entries(event.multiValueHeaders ?? {}).filter(([key]) => key.toLowerCase() === name.toLowerCase());
  if (several.length) return several.flatMap(([, values]) => values ?? []);
  return Object.entries(event.headers ?? {}).filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
}

function queryValues(event, name) {
  const several = own(event.multiValueQueryStringParameters ?? {}, name);
  if (several) return several;
  const one = own(event.queryStringParameters ?? {}, name);
  return one === undefined ? [] : [one];
}

function cookies(event, name) {
  return headerValues(event, "cookie").flatMap((line) => line.split(";"))
    .map((part) => part.trim()).filter((part) => part.startsWith(`${name}=`)).map((part) => part.slice(name.length + 1));
}

// -- what it says -----------------------------------------------------------------------------------------------------

async function identityOf(token, name, authorizer) {
  if (token.length > MAX_TOKEN) throw new Refused("long");
  const parts = token.split(".");
  if (parts.length !== 3 || parts.some((part) => !/^[A-Za-z0-9_-]+$/.test(part))) throw new Refused("form");
  const header = decoded(parts[0]);
  const claims = decoded(parts[1]);
  const algorithm = typeof header.alg === "string" ? own(ALGORITHMS, header.alg) : undefined;
  if (!algorithm || !authorizer.algorithms.includes(header.alg) || header.crit !== undefined || header.b64 !== undefined) {
    throw new Refused("algorithm");
  }
  if (header.kid !== undefined && typeof header.kid !== "string") throw new Refused("kid");
  // Before its keys are asked for: a token of another issuer must not wait for one that does not answer.
  checkClaims(claims, authorizer);
  const key = await keyFor(name, authorizer, header, algorithm);
  const signature = Buffer.from(parts[2], "base64url");
  if (signature.toString("base64url") !== parts[2]) throw new Refused("form");
  const { hash, kty, crv, ...options } = algorithm;
  if (!verify(hash, Buffer.from(`${parts[0]}.${parts[1]}`), { key, ...options }, signature)) throw new Refused("signature");
  return {
    subject: text(claims.sub), issuer: text(claims.iss), client: text(claims.azp) || text(claims.client_id),
    scopes: new Set(words(own(claims, authorizer.scope_claim))), claims,
  };
}

function decoded(part) {
  const bytes = Buffer.from(part, "base64url");
  if (bytes.toString("base64url") !== part) throw new Refused("form");
  let found;
  try {
    found = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Refused("json");
  }
  if (found === null || typeof found !== "object" || Array.isArray(found)) throw new Refused("json");
  return found;
}

function checkClaims(claims, authorizer) {
  const now = Date.now() / 1000;
  const skew = authorizer.clock_skew;
  if (claims.iss !== authorizer.issuer) throw new Refused("issuer");
  if (!Number.isFinite(claims.exp) || claims.exp + skew <= now) throw new Refused("expired");
  for (const name of ["nbf", "iat"]) {
    if (claims[name] !== undefined && (!Number.isFinite(claims[name]) || claims[name] - skew > now)) throw new Refused(name);
  }
  const audience = own(claims, authorizer.audience_claim);
  const found = Array.isArray(audience) ? audience : [audience];
  if (authorizer.audiences.length && !found.some((item) => authorizer.audiences.includes(item))) throw new Refused("audience");
}

function satisfies(identity, need) {
  const { scopes, claims } = identity;
  return need.scopes.every((scope) => scopes.has(scope))
    && (!need.any_scope.length || need.any_scope.some((scope) => scopes.has(scope)))
    && Object.entries(need.claims).every(([name, values]) => {
      const value = own(claims, name);
      return (Array.isArray(value) ? value : [value]).some((item) => ["string", "number", "boolean"].includes(typeof item) && values.includes(String(item)));
    });
}

function words(value) {
  if (typeof value === "string") return value.split(" ").filter(Boolean);
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

const text = (value) => (typeof value === "string" ? value : "");
const own = (object, name) => (Object.hasOwn(object, name) ? object[name] : undefined);

// -- keys -------------------------------------------------------------------------------------------------------------

const known = new Map(); // by authorizer: { keys, fetched, tried, pending }

async function keyFor(name, authorizer, header, algorithm) {
  const state = known.get(name) ?? { keys: null, fetched: 0, tried: 0, pending: null };
  known.set(name, state);
  if (authorizer.jwks) state.keys ??= authorizer.jwks.keys;
  else if (!state.keys || Date.now() - state.fetched > authorizer.jwks_refresh * 1000) await refresh(state, name, authorizer);
  let found = pick(state.keys, header, algorithm);
  if (!found && !authorizer.jwks && Date.now() - state.tried > REFETCH) {
    await refresh(state, name, authorizer);
    found = pick(state.keys, header, algorithm);
  }
  if (!found) throw new Refused("key");
  return found;
}

async function refresh(state, name, authorizer) {
  // Requests at once share one fetch. After a failure the next try waits too, unless there is nothing to go on with.
  if (!state.pending && state.keys && Date.now() - state.tried < REFETCH && Date.now() - state.fetched < STALE) return;
  state.pending ??= fetchKeys(authorizer).then(
    (keys) => Object.assign(state, { keys, fetched: Date.now() }),
    (error) => {
      if (!state.keys || Date.now() - state.fetched > STALE) throw error;
      console.warn(`authorizer ${name}: keys not fetched, the last ones are used: ${error.message}`);
    },
  ).finally(() => Object.assign(state, { pending: null, tried: Date.now() }));
  await state.pending;
}

async function fetchKeys(authorizer) {
  let address = authorizer.jwks_uri;
  if (!address) {
    const base = authorizer.issuer.endsWith("/") ? authorizer.issuer : `${authorizer.issuer}/`;
    const found = await fetchJson(`${base}.well-known/openid-configuration`);
    if (found.issuer !== authorizer.issuer) throw new Error("the discovery document is another issuer's");
    address = found.jwks_uri;
  }
  const { keys } = await fetchJson(address);
  if (!Array.isArray(keys)) throw new Error("no key set");
  return keys;
}

async function fetchJson(address) {
  const url = new URL(address);
  if (url.protocol !== "https:" && !["127.0.0.1", "localhost"].includes(url.hostname)) throw new Error("keys come over https only");
  const response = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(KEYS_TIMEOUT), headers: { accept: "application/json" } });
  if (!response.ok) throw new Error(`status ${response.status}`);
  const parts = [];
  let size = 0;
  for await (const part of response.body) {
    size += part.length;
    if (size > KEYS_SIZE) throw new Error("too large");
    parts.push(part);
  }
  return JSON.parse(Buffer.concat(parts).toString("utf8"));
}

function pick(keys, header, algorithm) {
  const fitting = (keys ?? []).filter((key) => key && fits(key, header, algorithm));
  if (fitting.length !== 1) return null; // none, or several of which one would have to be guessed
  try {
    const key = createPublicKey({ key: fitting[0], format: "jwk" });
    if (algorithm.kty === "RSA" && key.asymmetricKeyDetails.modulusLength < 2048) return null;
    return key;
  } catch {
    return null;
  }
}

function fits(key, header, algorithm) {
  return key.kty === algorithm.kty && (!algorithm.crv || key.crv === algorithm.crv)
    && (header.kid === undefined || key.kid === header.kid)
    && (key.use === undefined || key.use === "sig") && (key.alg === undefined || key.alg === header.alg)
    && (key.key_ops === undefined || (Array.isArray(key.key_ops) && key.key_ops.includes("verify")));
}
