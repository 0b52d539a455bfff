-- SPDX-License-Identifier: Apache-2.0
--
-- hash: put a keyed hash in place of columns' values, so that equal values stay equal and can be
-- joined, but nobody can read them or guess them without the salt. NULL stays NULL.
--
--   columns    list, required: names as in mask
--   salt       text, required; keep it secret, and keep it: another salt gives other hashes
--   algorithm  sha256 (the only one): HMAC-SHA-256, 64 hexadecimal digits
--
-- The columns become text.
--
--   transforms:
--     - uses: hash
--       with: { columns: [customers.email], salt: "${{ secrets.HASH_SALT }}" }

check_options(options, { columns = "list!", salt = "string!", algorithm = "string" })

if #options.salt == 0 then
  error("option `salt` must not be empty", 0)
end

if options.algorithm and options.algorithm ~= "sha256" then
  error("option `algorithm` must be sha256", 0)
end

local salt = options.salt

local function hashed(value)
  if math.type(value) == "float" then
    value = string.format("%.17g", value)
  end
  return hmac_sha256(salt, tostring(value))
end

local columns = options.columns

function transform(change)
  local names = select_columns(change, columns)
  for index = 1, #names do
    change:convert_column(names[index], "text", hashed)
  end
  return change
end
