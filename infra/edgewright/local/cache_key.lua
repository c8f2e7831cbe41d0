-- Before the cache: the path becomes the key, from what `vary_by` names, and what would make the cache step aside is
-- put away in private headers. The origin listener (origin.lua) puts everything back.
-- Route metadata: ttl (seconds), q (query names, "*" for all), h (header names), user (key by caller), anonymous (nobody
-- is asked who they are: what they would say of it must not end up in an answer for all).

-- The store forgets nothing, not even what is too old. So what it holds is counted here, in each worker: beyond this, keys
-- that are new are not kept. A refilled key takes the place of the old answer. ENTRY is what an answer takes beside its body.
local MAX_BYTES = 64 * 1024 * 1024
local ENTRY = 10 * 1024
local MAX_KEY = 4096
local known, held = {}, 0

local CONDITIONS = {"if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "if-range"}

local function escaped(text)
  return (text:gsub("[^%w%-%._~]", function(char) return string.format("%%%02X", string.byte(char)) end))
end

local function key_of(meta, headers, base, query)
  local parts, wanted, all = {}, {}, false
  for _, name in ipairs(meta:get("q") or {}) do
    if name == "*" then all = true else wanted[name] = true end
  end
  for pair in query:gmatch("[^&]+") do
    local name, value = pair:match("^([^=]*)=?(.*)$")
    if all or wanted[name] then parts[#parts + 1] = "q" .. escaped(name) .. "=" .. escaped(value) end
  end
  table.sort(parts)
  for _, name in ipairs(meta:get("h") or {}) do
    parts[#parts + 1] = "h" .. escaped(name) .. "=" .. escaped(headers:get(name) or "")
  end
  if meta:get("user") then
    local subject, client = headers:get("x-edge-subject"), headers:get("x-edge-client")
    if subject and subject ~= "" then
      parts[#parts + 1] = "s=" .. escaped(subject) .. "&i=" .. escaped(headers:get("x-edge-issuer") or "")
    elseif client and client ~= "" then
      parts[#parts + 1] = "c=" .. escaped(client)
    else
      return nil -- nobody to keep an answer for
    end
  end
  parts[#parts + 1] = "r=" .. escaped(headers:get("x-edge-route") or "") .. "&l=" .. escaped(headers:get("x-edgewright-listener") or "")
  parts[#parts + 1] = "a=" .. escaped(headers:get(":authority") or "")
  local key = base .. "?" .. table.concat(parts, "&")
  if #key > MAX_KEY then return nil end
  if not known[key] and held >= MAX_BYTES then return nil end
  return key
end

function envoy_on_request(handle)
  local meta = handle:metadata()
  if meta:get("ttl") == nil then return end
  local headers = handle:headers()
  local method = headers:get(":method")
  if method ~= "GET" and method ~= "HEAD" then return end
  local path = headers:get(":path")
  local base, query = path:match("^([^?]*)%??(.*)$")
  if meta:get("anonymous") then
    headers:remove("authorization")
    headers:remove("cookie")
  end
  -- The store has one answer for a key, whatever a client can decompress; the edge compresses by itself.
  headers:remove("accept-encoding")
  local key = key_of(meta, headers, base, query)
  headers:replace("x-edge-auth", headers:get("authorization") or "-")
  if key == nil then
    -- A request with Authorization is never answered from the cache, nor kept.
    headers:replace("authorization", headers:get("authorization") or "bypass")
    return
  end
  if not known[key] then handle:streamInfo():dynamicMetadata():set("cache-key", "key", key) end
  for _, name in ipairs(CONDITIONS) do headers:remove(name) end
  headers:remove("range") -- a part is no answer to keep
  headers:replace("x-edge-path", path)
  headers:replace(":path", key)
  headers:remove("authorization")
end

function envoy_on_response(handle)
  if handle:metadata():get("ttl") == nil then return end
  local headers = handle:headers()
  local original = headers:get("x-edge-cache-control")
  if original == nil then return end -- our own answer
  local hit = headers:get("age") or headers:get("x-edge-age")
  headers:replace("x-cache", hit and "HIT" or headers:get("x-edge-kept") and "MISS" or "BYPASS")
  if headers:get("x-edge-kept") then
    local key = (handle:streamInfo():dynamicMetadata():get("cache-key") or {})["key"]
    if key and not known[key] then
      known[key] = true
      held = held + ENTRY + #key + (tonumber(headers:get("content-length")) or 64 * 1024)
    end
  end
  if original == "-" then headers:remove("cache-control") else headers:replace("cache-control", original) end
  headers:remove("x-edge-cache-control")
  headers:remove("x-edge-kept")
  headers:remove("x-edge-age")
end
