package io.github.r2dbcrouting.samples.shop.store;

import org.springframework.data.r2dbc.repository.Modifying;
import org.springframework.data.r2dbc.repository.Query;
import org.springframework.data.r2dbc.repository.R2dbcRepository;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Where are carts kept? */
interface Carts extends R2dbcRepository<CartItem, Long> {

    @Query("""
            SELECT product_id, name, price_cents, quantity FROM cart_item JOIN product ON product.id = product_id
            WHERE customer = :customer ORDER BY product_id
            """)
    Flux<CartLine> lines(String customer);

    @Modifying
    @Query("""
            INSERT INTO cart_item (customer, product_id, quantity) VALUES (:customer, :productId, :quantity)
            ON CONFLICT (customer, product_id) DO UPDATE SET quantity = excluded.quantity
            """)
    Mono<Integer> put(String customer, int productId, int quantity);

    @Modifying
    @Query("DELETE FROM cart_item WHERE customer = :customer AND product_id = :productId")
    Mono<Integer> remove(String customer, int productId);

    @Modifying
    @Query("DELETE FROM cart_item WHERE customer = :customer")
    Mono<Integer> clear(String customer);
}
