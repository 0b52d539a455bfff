-- SPDX-License-Identifier: Apache-2.0
--
-- rename: give columns or tables other names.
--
--   columns  map of old name to new one: "mail" in every table that has it, or "customers.mail" or
--            "shop.customers.mail" in that table, where a missing column is an error
--   tables   map of old name to new one: "orders" or "shop.orders"
--
-- TRUNCATE is renamed with its table. DDL passes as the source ran it, with the old names.
--
--   transforms:
--     - uses: rename
--       with: { columns: { customers.mail: email }, tables: { orders: orders_v2 } }

check_options(options, { columns = "map", tables = "map" })

if not options.columns and not options.tables then
  error("needs the option `columns` or `tables`", 0)
end

local tables = options.tables or {}
local columns = {}

for old, new in pairs(options.columns or {}) do
  columns[#columns + 1] = { list = { old }, new = new }
end
table.sort(columns, function(a, b) return a.list[1] < b.list[1] end)

local function rename_table(change)
  local name = change.table
  local new = name and (tables[name] or tables[(change.db or "") .. "." .. name])
  if new then
    change.table = new
  end
end

function transform(change)
  for index = 1, #columns do
    local column = columns[index]
    local old = select_columns(change, column.list)[1]
    if old then
      change:rename_column(old, column.new)
    end
  end
  if options.tables then
    rename_table(change)
  end
  return change
end

function transform_ddl(change)
  if change.op == "t" then
    rename_table(change)
  end
  return change
end
