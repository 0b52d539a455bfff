-- SPDX-License-Identifier: Apache-2.0
--
-- drop-columns: leave columns out.
--
--   columns  list, required: names as in mask
--
-- A column of the key cannot go: records of the same row would no longer belong together. A table
-- restored from such records lacks the columns.
--
--   transforms:
--     - uses: drop-columns
--       with: { columns: [customers.password_hash] }

check_options(options, { columns = "list!" })

local columns = options.columns

function transform(change)
  local names = select_columns(change, columns)
  for index = 1, #names do
    change:drop_column(names[index])
  end
  return change
end
