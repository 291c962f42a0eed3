package io.github.r2dbcrouting.samples.shop.store;

import org.springframework.data.r2dbc.repository.R2dbcRepository;
import reactor.core.publisher.Flux;

/** Where is kept what was ordered? */
interface OrderLines extends R2dbcRepository<OrderLine, Long> {

    Flux<OrderLine> findByOrderIdOrderById(long orderId);
}
