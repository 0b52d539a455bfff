-- SPDX-License-Identifier: Apache-2.0
--
-- Hide who a row is about, and keep what can be counted: the address becomes its domain, the customer
-- a number that cannot be traced back without the key.
--
--   transforms:
--     - uses: anonymise.lua
--       with: { key: "${{ secrets.HASH_KEY }}" }
--
--   fluvio-connect transform test anonymise.lua --with '{"key":"k"}' --input changes.json

check_options(options, { key = "string!" })

local function pseudonym(customer)
  return hmac_sha256(options.key, tostring(customer)):sub(1, 16)
end

function transform(change)
  if change.table ~= "orders" then
    return change
  end
  for _, row in ipairs({ change.after or change.before, change.after and change.before }) do
    local address = row.email
    if address ~= nil and address ~= unchanged then
      row.email = address:match("@(.+)$") or "unknown"
    end
  end
  change:convert_column("customer_id", "text", pseudonym)
  return change
end
