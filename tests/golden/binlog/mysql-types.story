gtid 1
  QUERY ddl
gtid 2
  QUERY ddl shop.numbers
gtid 3
  QUERY begin
  commit
gtid 4
  QUERY ddl shop.times
gtid 5
  QUERY begin
  commit
gtid 6
  QUERY ddl shop.texts
gtid 7
  QUERY begin
  commit
gtid 8
  QUERY ddl shop.kinds
gtid 9
  QUERY begin
  commit
gtid 10
  QUERY ddl shop.documents
gtid 11
  QUERY begin
  commit
gtid 12
  QUERY ddl shop.keyless
gtid 13
  QUERY begin
  statement of 46 bytes
  WRITE_ROWS c keyless -> [a=1 b=one]
  WRITE_ROWS c keyless -> [a=2 b=two]
  commit
gtid 14
  QUERY begin
  statement of 37 bytes
  UPDATE_ROWS u keyless [a=2 b=two] -> [a=2 b=zwei]
  commit
gtid 15
  QUERY begin
  statement of 29 bytes
  DELETE_ROWS d keyless [a=1 b=one]
  commit
gtid 16
  QUERY ddl shop.pairs
gtid 17
  QUERY ddl shop.prefixed
gtid 18
  QUERY begin
  WRITE_ROWS c prefixed -> [t=a text that is longer than ten n=1]
  commit
gtid blue:1
  QUERY begin
  WRITE_ROWS c pairs -> [x=1 y=a z=first]
  WRITE_ROWS c pairs -> [x=2 y=b z=NULL]
  UPDATE_ROWS u pairs [x=1 y=a z=first] -> [x=11 y=a z=changed]
  DELETE_ROWS d pairs [x=2 y=b z=NULL]
  QUERY savepoint
  WRITE_ROWS c pairs -> [x=3 y=c z=kept]
  commit
gtid 19
  QUERY begin
  UPDATE_ROWS u pairs [x=3 y=c z=UNCHANGED] -> [x=UNCHANGED y=UNCHANGED z=minimal]
  commit
gtid 20
  QUERY begin
  UPDATE_ROWS u pairs [x=3 y=c z=UNCHANGED] -> [x=99 y=c z=UNCHANGED]
  commit
gtid 21
  QUERY ddl shop.patched
gtid 22
  QUERY begin
  WRITE_ROWS c patched -> [id=1 j={"a":[1,2,3],"pad":"pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp","deep":{"q":{"r":"s"}},"name":"x"} t=t k={"k":1}]
  WRITE_ROWS c patched -> [id=2 j=[{"u":1},{"u":2}] t=t k=NULL]
  commit
gtid 23
  QUERY begin
  PARTIAL_UPDATE_ROWS u patched [id=1 j={"a":[1,2,3],"pad":"pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp","deep":{"q":{"r":"s"}},"name":"x"} t=t k={"k":1}] -> [id=1 j={"a":[1,2,3],"pad":"pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp","deep":{"q":{"r":42}},"name":"new name"} t=t k={"k":1}]
  commit
gtid 24
  QUERY begin
  PARTIAL_UPDATE_ROWS u patched [id=1 j={"a":[1,2,3],"pad":"pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp","deep":{"q":{"r":42}},"name":"new name"} t=t k={"k":1}] -> [id=1 j={"a":[1,"two",3],"pad":"pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp","name":"new name","extra":{"n":null}} t=t k={"k":2}]
  commit
gtid 25
  QUERY begin
  PARTIAL_UPDATE_ROWS u patched [id=1 j={"a":[1,"two",3],"pad":"pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp","name":"new name","extra":{"n":null}} t=t k={"k":2}] -> [id=1 j={"a":["two",3],"pad":"pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp","name":"new name","extra":{"n":null}} t=t k={"k":2}]
  commit
gtid 26
  QUERY begin
  PARTIAL_UPDATE_ROWS u patched [id=2 j=[{"u":1},{"u":2}] t=t k=NULL] -> [id=2 j=[{"u":1},{"u":"zwei"}] t=u k=NULL]
  commit
gtid 27
  QUERY begin
  PARTIAL_UPDATE_ROWS u patched [id=2 j=[{"u":1},{"u":"zwei"}] t=u k=NULL] -> [id=2 j=[{"u":1},{"u":"zwei","odd \"key\"":1}] t=u k=[]]
  commit
gtid 28
  QUERY begin
  PARTIAL_UPDATE_ROWS u patched [id=1 j={"a":["two",3],"pad":"pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp","name":"new name","extra":{"n":null}} t=t k={"k":2}] -> [id=1 j={"a":["two",3],"pad":"pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp","name":"new name","extra":{"n":null}} t=v k={"k":2}]
  commit
gtid 29
  QUERY xa-start X'7831',X'',1
  WRITE_ROWS c keyless -> [a=7 b=xa]
  QUERY xa-end X'7831',X'',1
  xa prepare x1
gtid 30
  QUERY xa-commit X'7831',X'',1
gtid 31
  QUERY begin
  QUERY ddl shop.copied
  WRITE_ROWS c copied -> [id=1 t=-128]
  WRITE_ROWS c copied -> [id=2 t=127]
  commit
gtid 32
  QUERY ddl shop.keyless
gtid 33
  QUERY begin
  WRITE_ROWS c keyless -> [a=3 b=drei c=2020-01-02 03:04:05.678]
  commit
gtid 34
  QUERY truncate shop.keyless
gtid 35
  QUERY ddl shop.keyless to keyless2
rotate to binlog.000002 4
