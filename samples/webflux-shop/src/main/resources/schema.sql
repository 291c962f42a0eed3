CREATE TABLE IF NOT EXISTS product (
    id          int PRIMARY KEY,
    name        text NOT NULL,
    description text NOT NULL,
    icon        text NOT NULL,
    price_cents int  NOT NULL,
    stock       int  NOT NULL CHECK (stock >= 0)
);

CREATE TABLE IF NOT EXISTS cart_item (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer   text NOT NULL,
    product_id int  NOT NULL REFERENCES product,
    quantity   int  NOT NULL CHECK (quantity > 0),
    UNIQUE (customer, product_id)
);

CREATE TABLE IF NOT EXISTS customer_order (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer    text        NOT NULL,
    status      text        NOT NULL,
    total_cents bigint      NOT NULL,
    placed_at   timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX IF NOT EXISTS customer_order_customer ON customer_order (customer, id);

CREATE TABLE IF NOT EXISTS order_line (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id    bigint NOT NULL REFERENCES customer_order,
    product_id  int    NOT NULL REFERENCES product,
    name        text   NOT NULL,
    price_cents int    NOT NULL,
    quantity    int    NOT NULL
);

CREATE INDEX IF NOT EXISTS order_line_order ON order_line (order_id);

CREATE TABLE IF NOT EXISTS note (
    customer text PRIMARY KEY,
    revision bigint NOT NULL,
    text     text   NOT NULL
);
