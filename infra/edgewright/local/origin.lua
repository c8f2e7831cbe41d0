-- Behind the cache: the request gets its path and authorization back, and the answer a lifetime that the cache obeys.
-- Route metadata: ttl (seconds).

local DROPPED = {"vary", "age", "date", "expires", "pragma", "x-edge-cache-control", "x-edge-kept", "x-edge-age", "x-edge-hit",
  "access-control-allow-origin", "access-control-allow-credentials", "access-control-expose-headers"}

local CONDITIONS = {"if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "if-range"}

function envoy_on_request(handle)
  local headers = handle:headers()
  local path = headers:get("x-edge-path") -- not there: this request is passed through
  if path then headers:replace(":path", path) end
  local auth = headers:get("x-edge-auth")
  if auth then headers:replace("authorization", auth) else headers:remove("authorization") end
  if path then
    handle:streamInfo():dynamicMetadata():set("edge", "keep", true)
    -- The cache would ask whether what it has is still right; it gets the answer itself, since a 304 has no lifetime here.
    for _, name in ipairs(CONDITIONS) do headers:remove(name) end
  end
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local ttl = handle:metadata():get("ttl")
  if ttl == nil then return end
  local keep = (handle:streamInfo():dynamicMetadata():get("edge") or {})["keep"]
  local original = headers:get("cache-control")
  local said = (original or ""):lower()
  -- What the service says is for one person, or for nobody to keep, is not kept, whatever the spec says.
  local private = said:find("no-store", 1, true) or (said:find("private", 1, true) and not handle:metadata():get("user"))
    or headers:get("set-cookie") or headers:get("vary") == "*"
  for _, name in ipairs(DROPPED) do headers:remove(name) end
  if original then headers:replace("x-edge-cache-control", original) end
  if keep and headers:get(":status") == "200" and not private then
    headers:replace("x-edge-kept", "MISS")
    headers:replace("cache-control", "max-age=" .. string.format("%d", ttl))
  else
    headers:replace("x-edge-kept", "BYPASS")
    headers:replace("cache-control", "no-store")
  end
end
