-- SPDX-License-Identifier: Apache-2.0
--
-- mask: put a fixed text (or number) in place of columns' values. NULL stays NULL.
--
--   columns  list, required: "email" in every table that has it; "customers.email" or
--            "shop.customers.email" in that table, where a missing column is an error
--   with     text or number, default "****"
--
-- A column keeps its type when the mask fits it; otherwise it becomes text.
--
--   transforms:
--     - uses: mask
--       with: { columns: [customers.email, phone] }

check_options(options, { columns = "list!", with = "scalar" })

local mask = options.with == nil and "****" or options.with
local text = tostring(mask)
local numeric = { int = true, float = true, double = true, decimal = true }

local function masked()
  return text
end

local function fits(kind, length)
  if type(mask) == "number" then
    return numeric[kind]
  end
  return kind == "text" and (length == 0 or utf8.len(mask) <= length)
end

local function put(row, name)
  if row[name] ~= nil then
    row[name] = mask
  end
end

-- What to do for each list of names that select_columns gives: it gives the same for a shape.
local plans = setmetatable({}, { __mode = "k" })

local function plan_for(change, names)
  local plan = { set = {}, convert = {} }
  for _, name in ipairs(names) do
    local kind, _, length = change:column(name)
    local list = fits(kind, length) and plan.set or plan.convert
    list[#list + 1] = name
  end
  plans[names] = plan
  return plan
end

local columns = options.columns

function transform(change)
  local names = select_columns(change, columns)
  local plan = plans[names] or plan_for(change, names)
  local before, after = change.before, change.after
  local set, convert = plan.set, plan.convert
  for index = 1, #set do
    if before then put(before, set[index]) end
    if after then put(after, set[index]) end
  end
  for index = 1, #convert do
    change:convert_column(convert[index], "text", masked)
  end
  return change
end
