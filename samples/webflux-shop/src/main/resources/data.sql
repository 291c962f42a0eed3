INSERT INTO product VALUES
    (1, 'Token Mug',         'Remembers what you last poured.',    'mug',      1400, 500),
    (2, 'Lag Lamp',          'Lights up a moment later.',          'lamp',     3900, 120),
    (3, 'Primary Notebook',  'Every word is written here first.',  'notebook', 1250, 400),
    (4, 'Replica Fern',      'Looks just like the other one.',     'fern',     1800, 250),
    (5, 'Standby Stool',     'Ready to step up at any time.',      'stool',   6400,  80),
    (6, 'WAL Paper',         'One roll, append only.',             'paper',    2200, 300),
    (7, 'Snapshot Camera',   'Consistent at any moment.',          'camera',  12900,  40),
    (8, 'Checkpoint Flag',   'From here one can start again.',     'flag',      900, 600)
ON CONFLICT DO NOTHING;

-- what was sold before, so that there is something to report
INSERT INTO customer_order (customer, status, total_cents, placed_at)
SELECT 'earlier', 'packed', 0, now() - i * interval '1 hour' FROM generate_series(1, 400) AS i
WHERE NOT EXISTS (SELECT FROM customer_order);

INSERT INTO order_line (order_id, product_id, name, price_cents, quantity)
SELECT o.id, p.id, p.name, p.price_cents, 1 + (o.id * p.id) % 3
FROM customer_order AS o JOIN product AS p ON (o.id * 7 + p.id * 3) % 8 < 2
WHERE NOT EXISTS (SELECT FROM order_line);

UPDATE customer_order SET total_cents =
    (SELECT coalesce(sum(price_cents * quantity), 0) FROM order_line WHERE order_id = customer_order.id)
WHERE customer = 'earlier' AND total_cents = 0;
