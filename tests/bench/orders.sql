CREATE DATABASE bench;
USE bench;
CREATE TABLE orders (id BIGINT AUTO_INCREMENT PRIMARY KEY, customer_id INT, status VARCHAR(16), amount DECIMAL(10,2),
  note VARCHAR(200), created_at DATETIME(6), updated_at TIMESTAMP);
DELIMITER //
CREATE PROCEDURE load_orders(row_count INT)
BEGIN
  DECLARE done INT DEFAULT 0;
  WHILE done < row_count DO
    INSERT INTO orders (customer_id, status, amount, note, created_at, updated_at)
      SELECT 1 + FLOOR(RAND() * 100000), ELT(1 + seq % 4, 'new', 'paid', 'shipped', 'returned'), ROUND(RAND() * 10000, 2),
        CONCAT('order ', done + seq, ' ', MD5(done + seq), ' ', MD5(seq * 7 + done), ' ', REPEAT('-', seq % 40)),
        TIMESTAMP('2026-01-01') + INTERVAL (done + seq) SECOND + INTERVAL seq * 37 MICROSECOND, TIMESTAMP('2026-01-02') + INTERVAL done SECOND
      FROM seq_1_to_1000;
    SET done = done + 1000;
  END WHILE;
END //
CREATE PROCEDURE update_orders(first_id BIGINT, step INT, row_count INT)
BEGIN
  DECLARE done INT DEFAULT 0;
  WHILE done < row_count DO
    START TRANSACTION;
    FOR i IN 1 .. 10 DO
      UPDATE orders SET status = 'changed', amount = amount + 1, updated_at = updated_at + INTERVAL 1 SECOND
        WHERE id = first_id + (done * step) % 2000000;
      SET done = done + 1;
    END FOR;
    COMMIT;
  END WHILE;
END //
DELIMITER ;
