"""Small specs, each about a field or two, that together use every field of the vocabulary; and the examples."""

from functools import cache
from pathlib import Path

import yaml

from edgewright.spec.document import Document, load, parse

REPOSITORY = Path(__file__).resolve().parents[2]

_JWKS = '{"keys": [{"kty": "RSA", "kid": "one", "alg": "RS256", "n": "%s", "e": "AQAB"}]}' % (
    "u1SU1LfVLPHCozMxH2Mo" * 17 + "AQ"
)
"""A key of no one."""

_HEAD = """
name: small
listener: {host: api.small.example}
backends: {app: {port: 8080, health_check: {path: /healthz, interval: 10s, timeout: 5s}}, next: {port: 8080, health_check: {path: /healthz, interval: 10s, timeout: 5s}}}
"""

_TOKENS = """
authorizers: {main: {jwt: {issuer: "https://login.small.example/", audiences: [api]}}}
"""

_KEYS = """
authorizers: {partner: {api_key: {clients: [acme, globex]}}}
"""


_TEXTS: dict[str, str] = {
    # -- the edge --------------------------------------------------------------------------------------------------
    "public": "routes: {ANY /*: app}",
    "several-listeners": """
listener: null
listeners: {one: {host: one.small.example}, two: {host: two.small.example, port: 8443}}
routes: {GET /both: app, GET /second: {backend: next, listener: two}}
""",
    "plain-http": "listener: {host: api.small.example, protocol: http, port: 8081}\nroutes: {GET /a: app}",
    "redirect-http": "listener: {host: api.small.example, redirect_http: true}\nroutes: {GET /a: app}",
    "several-hosts": 'listener: {host: [api.small.example, "*.shop.example"]}\nroutes: {GET /a: app}',
    "tls-1.3": 'listener: {host: api.small.example, tls: {min_version: "1.3"}}\nroutes: {GET /a: app}',
    "client-ca": "listener: {host: api.small.example, tls: {client_ca: staff}}\nroutes: {GET /a: app}",
    "streams": """
listener: null
listeners:
  web: {host: api.small.example}
  db: {protocol: tcp, port: 5432, backend: lines}
  inner: {protocol: tls, port: 6432, backend: lines, host: db.small.example, tls: {min_version: "1.3"}}
  through: {protocol: tls, port: 7432, backend: lines, tls: {passthrough: true}}
backends: {app: {port: 8080, health_check: /healthz}, lines: {port: 9000, protocol: tcp, health_check: {interval: 10s, timeout: 5s, healthy_threshold: 2, unhealthy_threshold: 2}}}
routes: {GET /a: app}
""",
    "udp": """
listener: null
listeners: {web: {host: api.small.example}, names: {protocol: udp, port: 5353, backend: names}}
backends: {app: {port: 8080, health_check: /healthz}, names: {port: 9053, protocol: udp}}
routes: {GET /a: app}
""",
    "ddos": "ddos: advanced\nroutes: {GET /a: app}",
    "compression": "compression: {min_size: 2KB, content_types: [application/json]}\nroutes: {GET /a: app}",
    "access-log": "access_log: {retention: 90d, fields: [time, method, path, status], sample: 0.25}\nroutes: {GET /a: app}",
    "monitor": """
monitor: {error_rate: 2, latency: {percentile: 95, above: 800ms}, throttled: 5, unhealthy_targets: 2, notify: [team], dashboard: true}
routes: {GET /a: {backend: app, throttle: {rate: 10/s, per: route}}}
""",
    "monitor-without-dashboard": "monitor: {error_rate: 1, dashboard: false}\nroutes: {GET /a: app}",
    "monitor-throttled": "monitor: {throttled: 5, unhealthy_targets: 1}\nroutes: {GET /a: app}",
    "waf-lists": 'waf: {managed: [], allow: [198.51.100.0/24, "2001:db8::/32"], deny: [198.51.100.128/25]}\nroutes: {GET /a: app}',
    "waf-managed": "waf: {managed: [core, sql-injection, ip-reputation]}\nroutes: {GET /a: app}",
    "waf-rate": "waf: {managed: [], rate_per_ip: 50/s}\nroutes: {GET /a: app}",
    "waf-count": "waf: {mode: count, managed: [core], deny: [203.0.113.0/24]}\nroutes: {GET /a: app}",
    # -- backends --------------------------------------------------------------------------------------------------
    "weights": "routes: {GET /a: {backend: {app: 90, next: 10}}, GET /b: {backend: {app: 100, next: 0}}}",
    "https-backend": "backends: {app: {port: 8443, protocol: https, health_check: /healthz}}\nroutes: {GET /a: app}",
    "grpc-backend": "backends: {app: {port: 50051, protocol: grpc, health_check: /healthz}, old: {port: 50052, protocol: h2c, health_check: /healthz}}\nroutes: {POST /shop.Calls/*: app, GET /old: old}",
    "health-check": "backends: {app: {port: 8080, health_check: {path: /ready, interval: 20s, timeout: 4s, healthy_threshold: 3, unhealthy_threshold: 5, expected_statuses: [200, 204-299]}}}\nroutes: {GET /a: app}",
    "health-check-quick": "backends: {app: {port: 8080, health_check: {path: /ready, interval: 1s, timeout: 500ms, healthy_threshold: 1, unhealthy_threshold: 1, expected_statuses: [200, 500-503]}}}\nroutes: {GET /a: app}",
    "health-check-by-connection": "backends: {app: {port: 8080, health_check: {interval: 10s, timeout: 5s}}}\nroutes: {GET /a: app}",
    "no-health-check": "backends: {app: {port: 8080}}\nroutes: {GET /a: app}",
    "circuit-breaker": "backends: {app: {port: 8080, health_check: /healthz, circuit_breaker: {consecutive_errors: 7, ejection: 45s, max_ejection_percent: 60, max_connections: 100, max_requests: 200}}}\nroutes: {GET /a: app}",
    # -- routes ----------------------------------------------------------------------------------------------------
    "paths": """
routes:
  ANY /*: app
  GET /orders: next
  GET /orders/{id}: {backend: {app: 50, next: 50}}
  ANY /orders/*: {backend: {app: 10, next: 90}}
  PUT,DELETE /orders/{id}: {backend: {app: 20, next: 80}}
  GET /{shop}/list: {backend: {app: 30, next: 70}}
""",
    "match-headers": """
routes:
  GET /a: app
  GET /a (exact): {backend: next, match: {headers: {x-beta: "yes"}}}
  GET /b: app
  GET /b (prefix): {backend: next, match: {headers: {x-client: {prefix: app-}}}}
  GET /c: app
  GET /c (regex): {backend: next, match: {headers: {x-version: {regex: "v[0-9]+"}}}}
  GET /d: app
  GET /d (there): {backend: next, match: {headers: {x-trace: {present: true}}}}
""",
    "match-absent": "routes: {GET /a: app, GET /a (plain): {backend: next, match: {headers: {x-trace: {present: false}}}}}",
    "match-query": """
routes:
  GET /a: app
  GET /a (exact): {backend: next, match: {query: {page: "2"}}}
  GET /b: app
  GET /b (prefix): {backend: next, match: {query: {page: {prefix: "2"}}}}
  GET /d: app
  GET /d (there): {backend: next, match: {query: {page: {present: true}}}}
""",
    "match-query-regex": 'routes: {GET /c: app, GET /c (regex): {backend: next, match: {query: {v: {regex: "v[0-9]+"}}}}}',
    "websocket": "routes: {WS /live: app, GET /live: next}",
    "websocket-breaker": "backends: {app: {port: 8080, health_check: /healthz, circuit_breaker: {consecutive_errors: 7}}, next: {port: 8080, health_check: /healthz}}\nroutes: {WS /live: app, GET /a: next}",
    "websocket-times": "routes: {WS /live: {backend: app, timeout: {idle: 20m}}, WS /soon: {backend: app, timeout: {idle: 2m}}, GET /a: app}",
    "redirect": """
routes:
  GET /a: app
  GET /old: {redirect: {target: "https://www.small.example/new", status: 301}}
  GET /moved: {redirect: {target: /here, status: 302}}
  GET /away: {redirect: "https://www.small.example"}
  ANY /www/*: {redirect: {target: "https://www.small.example/www/*", status: 301}}
""",
    "redirect-below": 'routes: {GET /a: app, ANY /old/*: {redirect: {target: "https://www.small.example/new/*", status: 302}}, ANY /v1/*: {redirect: {target: "/*", status: 301}}}',
    "respond": """
routes:
  GET /a: app
  GET /ok: {respond: {status: 200, body: '{"ok": true}', content_type: application/json}}
  GET /gone: {respond: {status: 410, body: gone, content_type: text/plain; charset=utf-8}}
""",
    "rewrite": """
routes:
  ANY /old/*: {backend: app, rewrite: {prefix: /new}}
  ANY /top/*: {backend: app, rewrite: {prefix: /}}
  GET /items/{id}: {backend: app, rewrite: {path: "/v2/{id}/item"}}
  GET /inside: {backend: next, rewrite: {host: inside.small.example}}
""",
    "rewrite-rest": 'routes: {"ANY /parts/{id}/*": {backend: app, rewrite: {path: "/v2/{id}/parts/*"}}}',
    "headers-request": "routes: {GET /a: {backend: app, headers: {request: {set: {x-share: half}, add: {x-more: one}}}}, GET /b: {backend: app, headers: {request: {remove: [x-gone]}}}}",
    "headers-response": "defaults: {headers: {response: {set: {strict-transport-security: max-age=31536000}}}}\nroutes: {GET /a: {backend: app, headers: {response: {remove: [x-debug], add: {x-served: edge}}}}}",
    "cors": """
defaults: {cors: {allow_origins: [https://www.small.example], allow_methods: [GET, POST], allow_headers: [authorization], expose_headers: [x-request-id], allow_credentials: true, max_age: 5m}}
routes: {GET /a: app, POST /b: next}
""",
    "cors-any": 'routes: {GET /a: {backend: app, cors: {allow_origins: "*", allow_methods: "*", max_age: 48h}}}',
    "cors-unlike": "routes: {GET /a: {backend: app, cors: {allow_origins: [https://one.example, https://two.example]}}, GET /b: next}",
    "retry": 'routes: {GET /a: {backend: app, retry: {attempts: 3, "on": [connect-failure, reset, gateway-error, 429], backoff: 2s}}, PUT /b: {backend: app, retry: {"on": [5xx], backoff: 100ms}}}',
    "retry-unsafe": 'defaults: {retry: {"on": [reset]}}\nroutes: {GET /a: app, POST /b: {backend: app, retry: {"on": [connect-failure, reset], backoff: 1s, non_idempotent: true}}, POST /c: {backend: app, retry: {"on": [connect-failure, reset], backoff: 1s, non_idempotent: false}}}',
    "timeouts": "routes: {GET /a: {backend: app, timeout: {request: 10s, backend: 4s}}, GET /b: {backend: app, timeout: {request: 2500ms}}}",
    "timeout-long": "routes: {GET /a: {backend: app, timeout: {request: 300s}}}",
    "timeout-idle": "defaults: {timeout: {idle: 15m}}\nroutes: {GET /events: app}",
    "timeout-and-retry": 'routes: {GET /a: {backend: app, timeout: {request: 20s, backend: 5s}, retry: {attempts: 2, "on": [connect-failure, reset], backoff: 1s}}}',
    "validate": """
routes:
  POST /orders:
    backend: app
    validate:
      operation:
        parameters:
          - {name: page, in: query, required: true, schema: {type: integer, minimum: 1}}
          - {name: x-trace, in: header, required: true}
          - {name: size, in: query}
        body_required: true
        bodies: {application/json: {type: object, required: [sku], properties: {sku: {type: string}}}}
  GET /orders: {backend: next, validate: {body: false, operation: {parameters: [{name: page, in: query, required: true}]}}}
""",
    # -- who may ---------------------------------------------------------------------------------------------------
    "jwt": f"{_TOKENS}\nroutes: {{GET /a: {{backend: app, auth: main}}, GET /b: {{backend: next, auth: none}}}}",
    "jwt-keys": 'authorizers: {main: {jwt: {issuer: "https://login.small.example/", audiences: [api], jwks_uri: "https://keys.small.example/jwks"}}}\nroutes: {GET /a: {backend: app, auth: main}}',
    "jwt-inline": f"authorizers: {{main: {{jwt: {{issuer: \"https://login.small.example/\", audiences: [api], jwks: '{_JWKS}'}}}}}}\nroutes: {{GET /a: {{backend: app, auth: main}}}}",
    "jwt-audiences": 'authorizers: {main: {jwt: {issuer: "https://login.small.example/", audiences: [one, two]}}}\nroutes: {GET /a: {backend: app, auth: main}}',
    "jwt-algorithms": 'authorizers: {main: {jwt: {issuer: "https://login.small.example/", audiences: [api], algorithms: [RS256, ES256]}}}\nroutes: {GET /a: {backend: app, auth: main}}',
    "jwt-algorithm-rs512": 'authorizers: {main: {jwt: {issuer: "https://login.small.example/", audiences: [api], algorithms: [RS512]}}}\nroutes: {GET /a: {backend: app, auth: main}}',
    "jwt-header": 'authorizers: {main: {jwt: {issuer: "https://login.small.example/", audiences: [api], from: {header: x-token, prefix: ""}}}}\nroutes: {GET /a: {backend: app, auth: main}}',
    "jwt-cookie": 'authorizers: {main: {jwt: {issuer: "https://login.small.example/", audiences: [api], from: {cookie: session}}}}\nroutes: {GET /a: {backend: app, auth: main}}',
    "jwt-query": 'authorizers: {main: {jwt: {issuer: "https://login.small.example/", audiences: [api], from: {query: token}}}}\nroutes: {GET /a: {backend: app, auth: main}}',
    "jwt-claims-of-provider": 'authorizers: {main: {jwt: {issuer: "https://login.small.example/", audiences: [api], preset: cognito}}, other: {jwt: {issuer: "https://other.small.example/", audiences: [api], scope_claim: permissions, audience_claim: azp}}}\nroutes: {GET /a: {backend: app, auth: {authorizer: main, scopes: [read]}}, GET /b: {backend: app, auth: {authorizer: other, scopes: [read]}}}',
    "jwt-times": 'authorizers: {main: {jwt: {issuer: "https://login.small.example/", audiences: [api], clock_skew: 60s, jwks_refresh: 1h}}}\nroutes: {GET /a: {backend: app, auth: main}}',
    "jwt-entra": 'authorizers: {main: {jwt: {issuer: "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0", audiences: ["api://small"], preset: entra}}}\nroutes: {GET /a: {backend: app, auth: {authorizer: main, scopes: [Items.Read]}}}',
    "scopes": f"{_TOKENS}\ndefaults: {{auth: main}}\nroutes: {{GET /a: {{backend: app, auth: {{scopes: [items.read]}}}}, GET /b: {{backend: next, auth: {{scopes: [items.read, items.write]}}}}}}",
    "any-scope": f"{_TOKENS}\nroutes: {{GET /a: {{backend: app, auth: {{authorizer: main, any_scope: [items.read, items.admin]}}}}}}",
    "scopes-and-any-scope": f"{_TOKENS}\nroutes: {{GET /a: {{backend: app, auth: {{authorizer: main, scopes: [items], any_scope: [read, write]}}}}}}",
    "claims": f'{_TOKENS}\nroutes: {{GET /a: {{backend: app, auth: {{authorizer: main, claims: {{role: [admin, owner], team: blue}}}}}}}}',
    "several-issuers": 'authorizers: {one: {jwt: {issuer: "https://one.small.example/", audiences: [api]}}, two: {jwt: {issuer: "https://two.small.example/", audiences: [app]}}}\nroutes: {GET /a: {backend: app, auth: {authorizer: [one, two], scopes: [read]}}}',
    "key-or-token": 'authorizers: {one: {jwt: {issuer: "https://one.small.example/", audiences: [api]}}, key: {api_key: {clients: [acme]}}}\nroutes: {GET /a: {backend: app, auth: {authorizer: [one, key]}}}',
    "api-key": f"{_KEYS}\nroutes: {{GET /a: {{backend: app, auth: partner}}}}",
    "api-key-query": "authorizers: {partner: {api_key: {clients: [acme], from: {query: key}}}}\nroutes: {GET /a: {backend: app, auth: partner}}",
    "api-key-prefix": 'authorizers: {partner: {api_key: {clients: [acme], from: {header: authorization, prefix: "Key "}}}}\nroutes: {GET /a: {backend: app, auth: partner}}',
    "oidc": 'authorizers: {login: {oidc: {issuer: "https://login.small.example/", client: edge, scopes: [openid, email]}}}\nroutes: {GET /a: {backend: app, auth: login}}',
    "introspection": 'authorizers: {opaque: {introspection: {endpoint: "https://login.small.example/introspect", client: edge, cache: 10s}}}\nroutes: {GET /a: {backend: app, auth: opaque}}',
    "mtls": "listener: {host: api.small.example, tls: {client_ca: staff}}\nauthorizers: {staff: {mtls: {}}}\nroutes: {GET /a: {backend: app, auth: staff}}",
    "mtls-subjects": "listener: {host: api.small.example, tls: {client_ca: staff}}\nauthorizers: {staff: {mtls: {subjects: [billing]}}}\nroutes: {GET /a: {backend: app, auth: staff}}",
    "websocket-token": f"{_TOKENS}\nroutes: {{WS /live: {{backend: app, auth: {{authorizer: main, scopes: [live]}}}}, GET /a: {{backend: next, auth: main}}}}",
    # -- how much --------------------------------------------------------------------------------------------------
    "throttle-route": "routes: {GET /a: {backend: app, throttle: {rate: 600/m, burst: 20, per: route}}, GET /b: {backend: next, throttle: {rate: 50/s, per: route}}}",
    "throttle-ip": "routes: {GET /a: {backend: app, throttle: {rate: 600/m, burst: 20, per: ip}}}",
    "throttle-slow": "routes: {GET /a: {backend: app, throttle: {rate: 7/h, burst: 7, per: ip}}, GET /b: {backend: next, throttle: {rate: 1/s, burst: 100, per: ip}}}",
    "throttle-header": 'routes: {GET /a: {backend: app, throttle: {rate: 100/s, burst: 200, per: "header:x-tenant"}}}',
    "throttle-client": f"{_TOKENS}\ndefaults: {{auth: main, throttle: {{rate: 100/s, burst: 200, per: client}}}}\nroutes: {{GET /a: app, GET /b: next, GET /c: {{backend: app, auth: none}}, GET /d: {{backend: app, throttle: none}}, GET /e: {{backend: app, throttle: {{rate: 5/s, burst: 10, per: subject}}}}}}",
    "throttle-default-route": "defaults: {throttle: {rate: 20/s, per: route}}\nroutes: {GET /a: app, GET /b: next}",
    "throttle-key": f"{_KEYS}\ndefaults: {{auth: partner, throttle: {{rate: 10/s, burst: 20, per: api_key}}}}\nroutes: {{GET /a: app, GET /b: next}}",
    "throttle-keys-unlike": f"{_KEYS}\ndefaults: {{auth: partner}}\nroutes: {{GET /a: {{backend: app, throttle: {{rate: 10/s, burst: 20, per: api_key}}}}, GET /b: {{backend: next, throttle: {{rate: 1/s, burst: 2, per: api_key}}}}}}",
    "throttle-websocket": "routes: {WS /live: {backend: app, throttle: {rate: 20/s, burst: 40, per: route}}, GET /a: next}",
    "quota-key": f"{_KEYS}\ndefaults: {{auth: partner, quota: {{limit: 10000, period: day}}}}\nroutes: {{GET /a: app, GET /b: next}}",
    "quota-hour": f"{_KEYS}\nroutes: {{GET /a: {{backend: app, auth: partner, quota: {{limit: 500, period: hour}}}}}}",
    "quota-week": f"{_KEYS}\nroutes: {{GET /a: {{backend: app, auth: partner, quota: {{limit: 5000, period: week, per: api_key}}}}}}",
    "quota-month": f"{_KEYS}\nroutes: {{GET /a: {{backend: app, auth: partner, quota: {{limit: 100000, period: month}}}}}}",
    "quota-subject": f"{_TOKENS}\ndefaults: {{auth: main}}\nroutes: {{GET /a: {{backend: app, quota: {{limit: 1000, period: day, per: subject}}}}, GET /b: {{backend: next, auth: none, quota: {{limit: 1000, period: day, per: route}}}}}}",
    # -- what is kept ----------------------------------------------------------------------------------------------
    "cache": "routes: {GET /a: {backend: app, cache: {ttl: 60s, vary_by: {query: [page, size], headers: [accept-language]}}}, GET /b/*: {backend: next, cache: {ttl: 60s}}}",
    "cache-all": 'routes: {GET /a: {backend: app, cache: {ttl: 5m, vary_by: {query: "*"}}}}',
    "cache-methods": "routes: {ANY /any/*: {backend: app, cache: {ttl: 90s}}, 'GET,HEAD /two': {backend: next, cache: {ttl: 2h}}, GET /parts: {backend: app, cache: {ttl: 1500ms}}}",
    "cache-per-user": f"{_TOKENS}\ndefaults: {{auth: main}}\nroutes: {{GET /mine: {{backend: app, cache: {{ttl: 30s, share: per_user}}}}, GET /ours: {{backend: next, cache: {{ttl: 30s, share: public}}}}}}",
    "cache-per-key": f"{_KEYS}\nroutes: {{GET /mine: {{backend: app, auth: partner, cache: {{ttl: 30s, share: per_user}}}}}}",
    "cache-under-match": 'routes: {GET /a: {backend: app, cache: {ttl: 30s}}, GET /a (beta): {backend: next, cache: {ttl: 30s}, match: {headers: {x-beta: "yes"}}}}',
    # -- what some target cannot say -----------------------------------------------------------------------------------
    "several-key-authorizers": "authorizers: {one: {api_key: {clients: [acme]}}, two: {api_key: {clients: [globex], from: {header: x-other-key}}}}\nroutes: {GET /a: {backend: app, auth: one}, GET /b: {backend: next, auth: two}}",
    "many-claims": f"{_TOKENS}\nroutes: {{GET /a: {{backend: app, auth: {{authorizer: main, claims: {{{', '.join(f'c{n}: x' for n in range(11))}}}}}}}}}",
    "issuer-by-http": 'authorizers: {main: {jwt: {issuer: "http://login.small.example/", audiences: [api], jwks_uri: "http://login.small.example/keys"}}}\nroutes: {GET /a: {backend: app, auth: main}}',
    "token-by-http": f"listener: {{host: api.small.example, protocol: http, port: 8081}}\n{_TOKENS}\nroutes: {{GET /a: {{backend: app, auth: main}}}}",
    "jwt-scheme": 'authorizers: {main: {jwt: {issuer: "https://login.small.example/", audiences: [api], from: {header: x-token, prefix: "Token "}}}}\nroutes: {GET /a: {backend: app, auth: main}}',
    "jwt-no-skew": 'authorizers: {main: {jwt: {issuer: "https://login.small.example/", audiences: [api], clock_skew: 0s}}}\nroutes: {GET /a: {backend: app, auth: main}}',
    "jwt-inline-curve": 'authorizers: {main: {jwt: {issuer: "https://login.small.example/", audiences: [api], algorithms: [ES256], jwks: \'{"keys": [{"kty": "EC", "crv": "P-256", "x": "g78gBTkFOBhxNagWqaoyryJO0OLX4jaVkmkjoM-ovbA", "y": "wHW3DPk2Jhb6kn0AdPAB5TwwndMPpApfWbCP_Gz5uQA", "kid": "e1"}]}\'}}}\nroutes: {GET /a: {backend: app, auth: main}}',
    "jwt-entra-query": 'authorizers: {main: {jwt: {issuer: "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0", audiences: ["api://small"], from: {query: token}}}}\nroutes: {GET /a: {backend: app, auth: main}}',
    "jwt-odd-audience": 'authorizers: {main: {jwt: {issuer: "https://login.small.example/", audiences: ["{{secret}}"]}}}\nroutes: {GET /a: {backend: app, auth: main}}',
    "introspection-in-parts": 'authorizers: {opaque: {introspection: {endpoint: "https://login.small.example/introspect", client: edge, cache: 1500ms}}}\ndefaults: {auth: opaque}\nroutes: {GET /a: {backend: app, auth: {scopes: [read, write]}}, GET /b: {backend: next, auth: {any_scope: [read, admin], claims: {role: [one, two]}}}, GET /c: {backend: app, cache: {ttl: 30s, share: per_user}}}',
    "introspection-by-http": 'authorizers: {opaque: {introspection: {endpoint: "http://login.small.example/introspect", client: edge}}}\nroutes: {GET /a: {backend: app, auth: opaque}}',
    "introspection-websocket": 'authorizers: {opaque: {introspection: {endpoint: "https://login.small.example/introspect", client: edge}}}\nroutes: {WS /live: {backend: app, auth: opaque}, GET /a: {backend: next, auth: none}}',
    "websocket-key": f"{_KEYS}\nroutes: {{WS /live: {{backend: app, auth: partner}}, GET /a: {{backend: next, auth: none}}}}",
    "websocket-weights": "routes: {WS /live: {backend: {app: 90, next: 10}}, GET /a: next}",
    "websocket-below": "routes: {WS /live/*: app, GET /a: next}",
    "websocket-changed": "routes: {WS /live: {backend: app, headers: {request: {set: {x-share: half}}}}, GET /a: next}",
    "websocket-rewrite": "routes: {WS /live: {backend: app, rewrite: {path: /feed}}, GET /a: next}",
    "websocket-client": f"{_TOKENS}\ndefaults: {{auth: main}}\nroutes: {{WS /live: {{backend: app, throttle: {{rate: 20/s, burst: 40}}}}, GET /a: next}}",
    "only-own-answers": "routes: {GET /a: {respond: {body: ok}}, GET /b: {redirect: /a}}",
    "own-answers-crossing": "defaults: {cors: {allow_origins: [https://www.small.example]}, headers: {response: {set: {x-frame-options: DENY}}}}\nroutes: {GET /a: app, GET /ok: {respond: {body: ok}}}",
    "odd-answers": "routes: {GET /a: app, GET /picture: {respond: {status: 200, body: <svg/>, content_type: image/svg+xml}}}",
    "options": "defaults: {cors: {allow_origins: [https://www.small.example]}}\nroutes: {ANY /a: app, OPTIONS /b: next}",
    "headers-of-a-cloud": "routes: {GET /a: {backend: app, headers: {request: {set: {via: edge}}}}}",
    "headers-with-signs": "routes: {GET /a: {backend: app, headers: {request: {set: {x.dotted: one}}}}, GET /b: {backend: app, headers: {request: {set: {x-price: $5}}}}, GET /c: {backend: app, headers: {request: {set: {x-said: it's, x-share: 50%}}}}}",
    "match-one": 'routes: {GET /a: app, GET /a (beta): {backend: next, match: {headers: {x-beta: "1"}}}}',
    "match-many": "routes: {GET /a: app, GET /a (many): {backend: next, match: {headers: {x-one: a, x-two: b, x-three: c, x-four: d}}}}",
    "match-long": f"routes: {{GET /a: app, GET /a (long): {{backend: next, match: {{headers: {{x-long: {'a' * 130}}}}}}}}}",
    "six-backends": "backends: {a: {port: 1}, b: {port: 2}, c: {port: 3}, d: {port: 4}, e: {port: 5}, f: {port: 6}}\nroutes: {GET /a: {backend: {a: 10, b: 10, c: 20, d: 20, e: 20, f: 20}}}",
    "odd-paths": "routes: {GET /a+b: app, GET /ping: next}",
    "long-path": f"routes: {{GET /{'a' * 130}: app}}",
    "reserved-path": "routes: {GET /edge.x: app}",
    "quotas-unlike": f"{_KEYS}\ndefaults: {{auth: partner}}\nroutes: {{GET /a: {{backend: app, quota: {{limit: 1000, period: day}}}}, GET /b: {{backend: next, quota: {{limit: 10, period: day}}}}}}",
    "cache-per-cookie": 'authorizers: {main: {jwt: {issuer: "https://login.small.example/", audiences: [api], from: {cookie: session}}}}\nroutes: {GET /a: {backend: app, auth: main, cache: {ttl: 30s, share: per_user}}}',
    "listener-with-some": """
listener: null
listeners: {one: {host: one.small.example}, two: {host: two.small.example}}
routes: {GET /a: app, GET /b: {backend: next, listener: two}}
""",
    "stream-client-ca": """
listener: null
listeners: {web: {host: api.small.example}, inner: {protocol: tls, port: 6432, backend: lines, tls: {client_ca: staff}}}
backends: {app: {port: 8080, health_check: /healthz}, lines: {port: 9000, protocol: tcp}}
routes: {GET /a: app}
""",
    "waf-beside-streams": """
listener: null
listeners: {web: {host: api.small.example}, names: {protocol: udp, port: 5353, backend: names}}
backends: {app: {port: 8080, health_check: /healthz}, names: {port: 9053, protocol: udp}}
waf: {managed: [], deny: [203.0.113.0/24]}
routes: {GET /a: app}
""",
    "waf-beside-tcp": """
listener: null
listeners: {web: {host: api.small.example}, db: {protocol: tcp, port: 5432, backend: lines}}
backends: {app: {port: 8080, health_check: /healthz}, lines: {port: 9000, protocol: tcp}}
waf: {managed: [], deny: [203.0.113.0/24]}
routes: {GET /a: app}
""",
    "waf-rate-slow": "waf: {managed: [], rate_per_ip: 7/h}\nroutes: {GET /a: app}",
    "waf-websocket": "waf: {managed: [], rate_per_ip: 50/s}\nroutes: {WS /live: app, GET /a: next}",
    "validate-by-nothing": "routes: {GET /a: {backend: app, validate: true}}",
    "validate-words": "routes: {POST /a: {backend: app, validate: {operation: {bodies: {application/json: {type: object, propertyNames: {maxLength: 3}}}}}}}",
    "validate-body-alone": "routes: {POST /a: {backend: app, validate: {parameters: false, operation: {parameters: [{name: page, in: query, required: true}], bodies: {application/json: {type: [object, 'null']}, text/csv: {type: string}}}}}, GET /b: {backend: next, validate: {operation: {bodies: {application/json: {type: object}}}}}}",
    "validate-paths": 'routes: {"GET /items/{id}": {backend: app, validate: {operation: {parameters: [{name: id, in: path, schema: {type: integer, exclusiveMinimum: 0}}]}}}}',
    "validate-alike": 'routes: {"GET /items/{id}": {backend: app, validate: {operation: {parameters: [{name: p1, in: query, required: true}]}}}}',
    "validate-unlike": 'routes: {GET /a: {backend: app, validate: {operation: {parameters: [{name: page, in: query, required: true}]}}}, GET /a (beta): {backend: next, match: {headers: {x-beta: "yes"}}, validate: {operation: {parameters: [{name: size, in: query, required: true}]}}}}',
    "retry-one-failure": 'routes: {GET /a: {backend: app, retry: {"on": [connect-failure, 404], backoff: 1s}}}',
    "timeout-idle-cached": "routes: {GET /a: {backend: app, cache: {ttl: 30s}, timeout: {idle: 15m}}}",
}  # fmt: skip


@cache
def small() -> dict[str, Document]:
    """The small specs by name."""
    return {name: _document(text) for name, text in _TEXTS.items()}


def _document(text: str) -> Document:
    data = {**yaml.safe_load(_HEAD), **yaml.safe_load(text)}
    text = yaml.safe_dump({name: value for name, value in data.items() if value is not None}, sort_keys=False)
    return parse(text.encode(), "small.edge.yaml")  # not as data: what stands in a line was written


@cache
def examples() -> dict[str, Document]:
    """Every spec of a stack, an example or a golden test, by its path."""
    found = [
        path
        for folder in ("stacks", "examples", "tests/golden")
        for path in sorted((REPOSITORY / folder).rglob("*.edge.yaml"))
    ]
    return {str(path.relative_to(REPOSITORY)): load(path) for path in found}
