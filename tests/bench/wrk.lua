-- What to ask is given after "--": method=GET body=BYTES slow=PATH every=50. What came of it is printed as one line of JSON.
local options = { method = "GET", body = 0, every = 50 }
local fast, slow
local asked = 0

function init(words)
  for _, word in ipairs(words) do
    local name, value = word:match("^(%w+)=(.*)$")
    if name then options[name] = tonumber(value) or value end
  end
  local body = options.body > 0 and string.rep("x", options.body) or nil
  fast = wrk.format(options.method, wrk.path, nil, body)
  slow = options.slow and wrk.format(options.method, options.slow, nil, body)
end

function request()
  asked = asked + 1
  return slow and asked % options.every == 0 and slow or fast
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('\nRESULT {"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "errors": %d, "bad_status": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.timeout, errors.status))
end
