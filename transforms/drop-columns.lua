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

function transform(change)
  for _, name in ipairs(select_columns(change, options.columns)) do
    change:drop_column(name)
  end
  return change
end
