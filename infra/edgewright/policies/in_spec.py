"""What to write in a spec, whatever the cloud, in words that several rules say."""

FIREWALL = "In the spec, waf: {managed: [core, known-bad-inputs]}."
AUTH = "In the spec, the auth of the route, or of defaults."
