package io.github.r2dbcrouting.samples.shop.store;

import io.github.r2dbcrouting.webflux.annotation.ReadFrom;
import io.github.r2dbcrouting.webflux.annotation.ReadLatest;
import org.springframework.data.r2dbc.repository.Modifying;
import org.springframework.data.r2dbc.repository.Query;
import org.springframework.data.r2dbc.repository.R2dbcRepository;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Where are orders kept, and how current has each question's answer to be? */
interface Orders extends R2dbcRepository<CustomerOrder, Long> {

    Flux<CustomerOrder> findTop5ByCustomerOrderByIdDesc(String customer);

    Mono<CustomerOrder> findByIdAndCustomer(long id, String customer);

    /** Also what others have just written, such as the warehouse: only the primary surely has that. */
    @ReadLatest
    @Query("SELECT status FROM customer_order WHERE id = :id AND customer = :customer")
    Mono<String> status(long id, String customer);

    /** Reads much, and may be a little late: from the replica for reports, and never from one that serves customers. */
    @ReadFrom(policy = "reporting", maxStaleness = "30s")
    @Query("""
            SELECT name, sum(quantity) AS sold, sum(quantity * price_cents) AS cents,
                   current_setting('cluster_name') AS server
            FROM order_line GROUP BY name ORDER BY cents DESC, name
            """)
    Flux<Revenue> revenue();

    @Modifying
    @Query("UPDATE customer_order SET status = :status WHERE id = :id")
    Mono<Integer> become(long id, String status);
}
