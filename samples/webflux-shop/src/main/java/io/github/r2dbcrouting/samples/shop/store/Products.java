package io.github.r2dbcrouting.samples.shop.store;

import org.springframework.data.r2dbc.repository.Modifying;
import org.springframework.data.r2dbc.repository.Query;
import org.springframework.data.r2dbc.repository.R2dbcRepository;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Where are products kept?
 *
 * <p>Nothing here is annotated: under the session that each request has, reads go to replicas that have what the same
 * customer wrote, and what writes goes to the primary.
 */
interface Products extends R2dbcRepository<Product, Integer> {

    Flux<Product> findAllByOrderById();

    /** Takes some out of the stock: 1, or 0 if there are not as many. */
    @Modifying
    @Query("UPDATE product SET stock = stock - :quantity WHERE id = :id AND stock >= :quantity")
    Mono<Integer> take(int id, int quantity);
}
