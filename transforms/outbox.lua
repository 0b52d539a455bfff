-- SPDX-License-Identifier: Apache-2.0
--
-- outbox: turn the rows that an application inserts into an outbox table into messages of their
-- own, as Debezium's outbox event router does. Other tables pass as they are.
--
--   table      the outbox table, "outbox" (default) or "shop.outbox"
--   id         column of the message's id, default "id"; becomes the header `id`
--   key        column of the record's key, default "aggregateid"
--   payload    column of the record's value, default "payload"; NULL becomes a null value
--   topic      default "outbox.event.${aggregatetype}"; ${name} is a column of the table
--   headers    map of header name to column, beside `id`: { eventType: type }
--   on_update  reject (default) or drop: what to do with an update, which an outbox should not see
--
-- Deletes are dropped: an outbox row may go as soon as it was inserted. Message order within a key
-- is the order of the inserts.
--
--   transforms:
--     - uses: outbox
--       with: { table: outbox, headers: { eventType: type } }

check_options(options, { table = "string", id = "string", key = "string", payload = "string",
                         topic = "string", headers = "map", on_update = "reject|drop" })

local outbox = options.table or "outbox"
local id = options.id or "id"
local key = options.key or "aggregateid"
local payload = options.payload or "payload"
local topic = options.topic or "outbox.event.${aggregatetype}"
local headers = {}

for name, column in pairs(options.headers or {}) do
  headers[#headers + 1] = { name = name, column = column }
end
table.sort(headers, function(a, b) return a.name < b.name end)

local function needed(row, column)
  local value = row[column]
  if value == nil or value == unchanged then
    reject("column " .. column .. " of an outbox row is NULL")
  end
  return tostring(value)
end

function transform(change)
  if change.table ~= outbox and change.db .. "." .. change.table ~= outbox then
    return change
  end
  if change.op == "d" then
    return nil
  end
  if change.op == "u" then
    if options.on_update == "drop" then
      return nil
    end
    reject("a row of the outbox table was updated")
  end
  local row = change.after
  change.topic = topic:gsub("%${(.-)}", function(name)
    return (needed(row, name):gsub("[^%w._-]", "_"))
  end)
  change.key = needed(row, key)
  change.headers.id = needed(row, id)
  for _, header in ipairs(headers) do
    local value = row[header.column]
    if value ~= nil then
      change.headers[header.name] = tostring(value)
    end
  end
  if row[payload] == nil then
    change.tombstone = true
  else
    change.value = tostring(row[payload])
  end
  return change
end
