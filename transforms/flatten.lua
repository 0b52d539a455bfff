-- SPDX-License-Identifier: Apache-2.0
--
-- flatten: make the record's value the row itself, as Debezium's ExtractNewRecordState does, for
-- readers that know nothing of change events.
--
--   fields   list of what to add to the row, each with the prefix: op, ts_ms, db, table, tx,
--            source.<field>; default [op, ts_ms]
--   prefix   text, default "__"
--   deletes  rewrite (default): the old row with __deleted "true" (others have "false")
--            tombstone: null
--            drop: no record
--
-- Restore reads change events: it cannot read what this writes. Use it on topics that feed others,
-- not on the one copy of your history.
--
--   transforms:
--     - uses: flatten
--       with: { fields: [op, ts_ms, source.file], deletes: tombstone }

check_options(options, { fields = "list", prefix = "string",
                         deletes = "rewrite|tombstone|drop" })

local prefix = options.prefix or "__"
local deletes = options.deletes or "rewrite"

local readers = {
  op = function(change) return change.op end,
  ts_ms = function(change) return change.ts end,
  db = function(change) return change.db end,
  table = function(change) return change.table end,
  tx = function(change) return change.tx end,
}

local added = {}

for index, name in ipairs(options.fields or { "op", "ts_ms" }) do
  local field = name:match("^source%.(.+)$")
  local read = field and function(change) return change.source[field] end or readers[name]
  if not read then
    error("option `fields` takes op, ts_ms, db, table, tx and source.<field>, not `" .. name ..
          "`", 0)
  end
  local key = json.encode(prefix .. name:gsub("%.", "_"))
  added[index] = { key = "," .. key .. ":", read = read }
end

local deleted_key = "," .. json.encode(prefix .. "deleted") .. ":"

function transform(change)
  local is_delete = change.op == "d"
  if is_delete and deletes == "drop" then
    return nil
  end
  if is_delete and deletes == "tombstone" then
    change.tombstone = true
    return change
  end
  local parts = { json.encode(is_delete and change.before or change.after):sub(1, -2) }
  for index, field in ipairs(added) do
    parts[2 * index] = field.key
    parts[2 * index + 1] = json.encode(field.read(change))
  end
  if deletes == "rewrite" then
    parts[#parts + 1] = deleted_key .. (is_delete and '"true"' or '"false"')
  end
  parts[#parts + 1] = "}"
  change.value = table.concat(parts)
  return change
end
