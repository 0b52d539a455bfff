checkpoint binlog.000001
gtid 0-1-1 standalone ddl
  QUERY ddl
gtid 0-1-2 standalone ddl
  QUERY ddl shop.numbers
gtid 0-1-3
  statement of 986 bytes
  commit
gtid 0-1-4 standalone ddl
  QUERY ddl shop.times
gtid 0-1-5
  statement of 1534 bytes
  commit
gtid 0-1-6 standalone ddl
  QUERY ddl shop.texts
gtid 0-1-7
  statement of 876 bytes
  commit
gtid 0-1-8 standalone ddl
  QUERY ddl shop.kinds
gtid 0-1-9
  statement of 1378 bytes
  commit
gtid 0-1-10 standalone ddl
  QUERY ddl shop.keyless
gtid 0-1-11
  statement of 46 bytes
  WRITE_ROWS_V1 c keyless -> [a=1 b=one]
  WRITE_ROWS_V1 c keyless -> [a=2 b=two]
  commit
gtid 0-1-12
  statement of 37 bytes
  UPDATE_ROWS_V1 u keyless [a=2 b=two] -> [a=2 b=zwei]
  commit
gtid 0-1-13
  statement of 29 bytes
  DELETE_ROWS_V1 d keyless [a=1 b=one]
  commit
gtid 0-1-14 standalone ddl
  QUERY ddl shop.pairs
gtid 0-1-15
  statement of 53 bytes
  WRITE_ROWS_V1 c pairs -> [x=1 y=a z=first]
  WRITE_ROWS_V1 c pairs -> [x=2 y=b z=NULL]
  statement of 48 bytes
  UPDATE_ROWS_V1 u pairs [x=1 y=a z=first] -> [x=11 y=a z=changed]
  statement of 29 bytes
  DELETE_ROWS_V1 d pairs [x=2 y=b z=NULL]
  QUERY savepoint
  statement of 39 bytes
  WRITE_ROWS_V1 c pairs -> [x=3 y=c z=kept]
  commit
gtid 0-1-16
  statement of 40 bytes
  UPDATE_ROWS_V1 u pairs [x=3 y=c z=UNCHANGED] -> [x=UNCHANGED y=UNCHANGED z=minimal]
  commit
gtid 0-1-17
  statement of 33 bytes
  UPDATE_ROWS_V1 u pairs [x=3 y=c z=UNCHANGED] -> [x=99 y=c z=UNCHANGED]
  commit
gtid 0-1-18
  statement of 76 bytes
  WRITE_ROWS_COMPRESSED_V1 c pairs -> [x=50 y=packed z=zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip ]
  WRITE_ROWS_COMPRESSED_V1 c pairs -> [x=51 y=packed z=NULL]
  commit
gtid 0-1-19
  statement of 48 bytes
  UPDATE_ROWS_COMPRESSED_V1 u pairs [x=50 y=packed z=zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip zip ] -> [x=50 y=packed z=zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap ]
  commit
gtid 0-1-20
  statement of 28 bytes
  DELETE_ROWS_COMPRESSED_V1 d pairs [x=50 y=packed z=zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap zap ]
  commit
gtid 0-1-21 standalone ddl
  QUERY_COMPRESSED ddl shop.compressed_statement
gtid 0-1-22 prepared
  statement of 35 bytes
  WRITE_ROWS_V1 c keyless -> [a=7 b=xa]
  QUERY xa-end X'7831',X'',1
  xa prepare x1
gtid 0-1-23 standalone completed
  QUERY xa-commit X'7831',X'',1
gtid 0-1-24 standalone ddl
  QUERY ddl shop.keyless
gtid 0-1-25
  statement of 43 bytes
  WRITE_ROWS_V1 c keyless -> [a=3 b=drei c=2020-01-02 03:04:05.678]
  commit
gtid 0-1-26 standalone ddl
  QUERY truncate shop.keyless
gtid 0-1-27 standalone ddl
  QUERY ddl shop.keyless to keyless2
gtid 0-1-28 standalone ddl
  QUERY ddl shop.compressed_statement
rotate to binlog.000002 4
