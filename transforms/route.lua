-- SPDX-License-Identifier: Apache-2.0
--
-- route: send changes to a topic whose name comes from the change.
--
--   topic   text, required, with ${db}, ${table} or the name of a column: "shop.${country}"
--   tables  list: "orders" or "shop.orders"; absent: every table
--
-- A column's value is taken from the new row, or from the old one when the row was deleted.
-- Characters that a topic's name cannot have become _. A column that the table lacks, and NULL,
-- are errors. TRUNCATE follows when the topic needs no column; DDL stays where it is.
--
--   transforms:
--     - uses: route
--       with: { topic: "shop.${table}.${country}", tables: [customers] }

check_options(options, { topic = "string!", tables = "list" })

local tables

for _, name in ipairs(options.tables or {}) do
  tables = tables or {}
  tables[name] = true
end

-- The template in pieces: texts, and names in a table of their own.
local pieces = {}
local needs_row = false

for text, name in (options.topic .. "${}"):gmatch("(.-)%${(.-)}") do
  pieces[#pieces + 1] = text
  if name ~= "" then
    pieces[#pieces + 1] = { name = name }
    needs_row = needs_row or (name ~= "db" and name ~= "table")
  end
end

local function is_routed(change)
  local name = change.table
  return not tables or tables[name] or tables[(change.db or "") .. "." .. (name or "")]
end

local function value_of(change, row, name)
  local value
  if name == "db" then
    value = change.db
  elseif name == "table" then
    value = change.table
  else
    value = row[name]
  end
  if value == nil or value == unchanged then
    reject("the topic needs `" .. name .. "`, which is NULL")
  end
  return (tostring(value):gsub("[^%w._-]", "_"))
end

local function topic_of(change)
  local row = change.after or change.before
  local topic = ""
  for _, piece in ipairs(pieces) do
    topic = topic .. (piece.name and value_of(change, row, piece.name) or piece)
  end
  return topic
end

function transform(change)
  if is_routed(change) then
    change.topic = topic_of(change)
  end
  return change
end

function transform_ddl(change)
  if change.op == "t" and not needs_row and is_routed(change) then
    change.topic = topic_of(change)
  end
  return change
end
