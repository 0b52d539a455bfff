-- SPDX-License-Identifier: Apache-2.0
--
-- Old and new row in one call: of updates, keep those that change the status; write down in a header
-- what it was; refuse what must not happen.
--
--   transforms:
--     - uses: only_status_changes.lua

function transform(change)
  if change.op ~= "u" then
    return change
  end
  local was, is = change.before.status, change.after.status
  if was == is then
    return nil -- dropped
  end
  if was == "paid" and is == "open" then
    reject("a paid order was opened again")
  end
  change.headers.was = was
  return change
end
