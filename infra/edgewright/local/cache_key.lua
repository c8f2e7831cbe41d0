-- Before the cache: the path becomes the key, from what `vary_by` names. What would make the cache step aside has been
-- put away in private headers (compile_cache.py); the origin listener (origin.lua) puts everything back. Every call that
-- reads or writes a header costs about a microsecond, and this runs for each hit: what can be native is.
-- Route metadata: ttl (seconds), q (query names, "*" for all), h (header names), user (key by caller).

-- The store forgets nothing, not even what is too old. So what it holds is counted here, in each worker: beyond this, keys
-- that are new are not kept. A refilled key takes the place of the old answer. ENTRY is what an answer takes beside its body.
local MAX_BYTES = 64 * 1024 * 1024
local ENTRY = 10 * 1024
local MAX_KEY = 4096
local known, held = {}, 0

-- Keys of requests that were seen before, by all that they are made of.
local MAX_SEEN = 10000
local seen, count = {}, 0

local function escaped(text)
  return (text:gsub("[^%w%-%._~]", function(char) return string.format("%%%02X", string.byte(char)) end))
end

local function key_of(meta, path, scope, who, varied)
  local base, query = path:match("^([^?]*)%??(.*)$")
  local parts, wanted, all = {}, {}, false
  for _, name in ipairs(meta:get("q") or {}) do
    if name == "*" then all = true else wanted[name] = true end
  end
  for pair in query:gmatch("[^&]+") do
    local name, value = pair:match("^([^=]*)=?(.*)$")
    if all or wanted[name] then parts[#parts + 1] = "q" .. escaped(name) .. "=" .. escaped(value) end
  end
  table.sort(parts)
  for index, value in ipairs(varied) do parts[#parts + 1] = "h" .. index .. "=" .. escaped(value) end
  parts[#parts + 1] = "u=" .. escaped(who)
  parts[#parts + 1] = "s=" .. escaped(scope)
  local key = base .. "?" .. table.concat(parts, "&")
  return #key <= MAX_KEY and key or nil
end

-- Who is asking, if that matters: the subject with its issuer, or the client; nil when it matters and nobody is known.
local function caller(meta, headers)
  if not meta:get("user") then return "" end
  local subject = headers:get("x-edge-subject")
  if subject and subject ~= "" then return "s " .. (headers:get("x-edge-issuer") or "") .. " " .. subject end
  local client = headers:get("x-edge-client")
  if client and client ~= "" then return "c " .. client end
  return nil
end

local function remembered(meta, headers, path)
  local who = caller(meta, headers)
  if who == nil then return nil end
  local scope, varied = headers:get("x-edge-scope") or "", {}
  for index, name in ipairs(meta:get("h") or {}) do varied[index] = headers:get(name) or "" end
  local all = table.concat({path, scope, who, unpack(varied)}, "\0")
  local key = seen[all]
  if key == nil then
    key = key_of(meta, path, scope, who, varied)
    if key == nil then return nil end
    if count >= MAX_SEEN then seen, count = {}, 0 end
    seen[all] = key
    count = count + 1
  end
  if not known[key] and held >= MAX_BYTES then return nil end
  return key
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local key = remembered(handle:metadata(), headers, headers:get(":path"))
  if key == nil then
    -- A request with Authorization is never answered from the cache, nor kept; origin.lua takes this one away.
    headers:replace("authorization", "bypass")
    headers:remove("x-edge-path")
    return
  end
  if not known[key] then handle:streamInfo():dynamicMetadata():set("cache-key", "key", key) end
  headers:replace(":path", key)
end

-- What is new in the store is counted; the answer is labelled by native mutations (compile_cache.py).
function envoy_on_response(handle)
  local headers = handle:headers()
  if headers:get("age") or headers:get("x-edge-kept") ~= "MISS" then return end
  local key = (handle:streamInfo():dynamicMetadata():get("cache-key") or {})["key"]
  if key and not known[key] then
    known[key] = true
    held = held + ENTRY + #key + (tonumber(headers:get("content-length")) or 64 * 1024)
  end
end
