-- SPDX-License-Identifier: Apache-2.0
--
-- One record for each line of an order that is kept as JSON: an insert of an order with three items
-- becomes the order and three messages in the topic `order_lines`.
--
--   transforms:
--     - uses: split_lines.lua

function transform(change)
  if change.op ~= "c" or change:column("items") == nil or change.after.items == nil then
    return change
  end
  local changes = { change }
  for number, item in ipairs(json.decode(change.after.items)) do
    local line = change:copy()
    line.topic = "order_lines"
    line.key = change.after.id .. "-" .. number
    line.value = json.encode({ order = change.after.id, line = number, item = item })
    changes[#changes + 1] = line
  end
  return changes
end
