-- What information_schema says about the tables that do not change: table, column, type,
-- collation, NULL or not, place in the primary key.
SELECT c.TABLE_NAME, c.COLUMN_NAME, c.COLUMN_TYPE, IFNULL(c.COLLATION_NAME, '-'), c.IS_NULLABLE, IFNULL(k.ORDINAL_POSITION, 0)
FROM information_schema.COLUMNS c LEFT JOIN information_schema.KEY_COLUMN_USAGE k ON k.TABLE_SCHEMA = c.TABLE_SCHEMA
 AND k.TABLE_NAME = c.TABLE_NAME AND k.COLUMN_NAME = c.COLUMN_NAME AND k.CONSTRAINT_NAME = 'PRIMARY'
WHERE c.TABLE_SCHEMA = 'shop' AND c.TABLE_NAME IN ('numbers', 'times', 'texts', 'kinds', 'documents')
ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION;
