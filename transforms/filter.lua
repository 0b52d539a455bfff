-- SPDX-License-Identifier: Apache-2.0
--
-- filter: keep only the changes that match, or drop those that do.
--
--   action  keep (default) or drop
--   tables  list: "orders" or "shop.orders"; absent: every table
--   ops     list of c, u, d, r; absent: all
--   where   list of { column, op, value }, all of which must hold
--           op: =  !=  <  <=  >  >=  in  (value: a list)  null  not-null  (no value)
--
-- A change matches when tables, ops and where all do. An update passes when its row, as it was before
-- or as it is after, is one of those that pass: a row that leaves what you keep does not stay behind
-- unnoticed. Decimals are compared as numbers. A column of `where` that a table lacks is an error:
-- name the tables.
--
-- TRUNCATE follows `tables` alone; DDL always passes.
--
--   transforms:
--     - uses: filter
--       with:
--         tables: [orders]
--         where: [{ column: status, op: "=", value: paid }]

check_options(options, { action = "keep|drop", tables = "list", ops = "list", where = "table" })

local keep = options.action ~= "drop"

local function set_of(list)
  local set
  for _, item in ipairs(list or {}) do
    set = set or {}
    set[item] = true
  end
  return set
end

local tables = set_of(options.tables)
local ops = set_of(options.ops)

for op in pairs(ops or {}) do
  if not (op == "c" or op == "u" or op == "d" or op == "r") then
    error("option `ops` takes c, u, d and r", 0)
  end
end

-- Two values as ones that can be compared: decimals are read as text.
local function comparable(a, b)
  if type(a) == type(b) then
    return a, b
  end
  return tonumber(a), tonumber(b)
end

local function equal(a, b)
  a, b = comparable(a, b)
  return a ~= nil and a == b
end

local function less(a, b)
  a, b = comparable(a, b)
  return a ~= nil and b ~= nil and a < b
end

-- NULL equals nothing and is not less than anything, as in SQL.
local tests = {
  ["="] = function(a, b) return a ~= nil and equal(a, b) end,
  ["!="] = function(a, b) return a ~= nil and not equal(a, b) end,
  ["<"] = function(a, b) return a ~= nil and less(a, b) end,
  ["<="] = function(a, b) return a ~= nil and (less(a, b) or equal(a, b)) end,
  [">"] = function(a, b) return a ~= nil and less(b, a) end,
  [">="] = function(a, b) return a ~= nil and (less(b, a) or equal(a, b)) end,
  ["in"] = function(a, list)
    for _, item in ipairs(list) do
      if a ~= nil and equal(a, item) then
        return true
      end
    end
    return false
  end,
  ["null"] = function(a) return a == nil end,
  ["not-null"] = function(a) return a ~= nil end,
}

local conditions = {}

for index, given in ipairs(options.where or {}) do
  local place = "option `where`, item " .. index .. ": "
  if type(given) ~= "table" or type(given.column) ~= "string" then
    error(place .. "needs a column", 0)
  end
  for name in pairs(given) do
    if name ~= "column" and name ~= "op" and name ~= "value" then
      error(place .. "takes column, op and value, not `" .. tostring(name) .. "`", 0)
    end
  end
  local test = tests[given.op or "="]
  if not test then
    error(place .. "op is one of = != < <= > >= in null not-null", 0)
  end
  local unary = given.op == "null" or given.op == "not-null"
  if unary ~= (given.value == nil) then
    error(place .. (unary and "takes no value" or "needs a value"), 0)
  end
  if (given.op == "in") ~= (type(given.value) == "table") then
    error(place .. "a list goes with `in`, and `in` with a list", 0)
  end
  conditions[index] = { column = given.column, test = test, value = given.value }
end

if options.where and #conditions == 0 then
  error("option `where` must be a list of { column, op, value }", 0)
end

if not tables and not ops and #conditions == 0 then
  error("needs at least one of the options `tables`, `ops` and `where`", 0)
end

local function row_matches(row)
  for index = 1, #conditions do
    local condition = conditions[index]
    if not condition.test(row[condition.column], condition.value) then
      return false
    end
  end
  return true
end

local function table_matches(change)
  if not tables then
    return true
  end
  local name = change.table
  return tables[name] or tables[(change.db or "") .. "." .. (name or "")] or false
end

local function matches(change)
  if not table_matches(change) or (ops and not ops[change.op]) then
    return false
  end
  local before, after = change.before, change.after
  local first = row_matches(after or before)
  if not (before and after) or first == keep then
    return first
  end
  return row_matches(before)
end

function transform(change)
  return matches(change) == keep
end

function transform_ddl(change)
  if change.op ~= "t" or not tables then
    return true
  end
  if keep then
    return table_matches(change)
  end
  -- With ops or where only some of the table's changes are dropped.
  return not table_matches(change) or ops ~= nil or #conditions > 0
end
