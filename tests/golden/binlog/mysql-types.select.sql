-- The server's own view of the rows, one SELECT a table; bytes and bits in hex, floating point
-- unrounded.
SET NAMES utf8mb4, time_zone='+00:00', sql_mode='';
USE shop;
SELECT 'numbers', id,t,tu,s,su,m,mu,i,iu+0,b,bu,y,f*1E0,d*1E0,d2,d65,d0,df,HEX(b1+0),HEX(b9+0),HEX(b64+0) FROM numbers ORDER BY id;
SELECT 'times', times.* FROM times ORDER BY id;
SELECT 'texts', id,c10,c255,v5,v200,v300,tt,tx,mt,lt,l1,l1c,k,g,sj,u2,u16,u32,a,HEX(bin8),HEX(bin255),HEX(vb),HEX(tb),HEX(bl),HEX(mb),HEX(lb),e,s,el,e2,gb,un FROM texts ORDER BY id;
SELECT 'kinds', id,HEX(g),HEX(p),HEX(ls),HEX(po),HEX(mp),HEX(gc),HEX(v),gen,virt,hidden FROM kinds ORDER BY id;
SELECT 'documents', id,j,k,l FROM documents ORDER BY id;
