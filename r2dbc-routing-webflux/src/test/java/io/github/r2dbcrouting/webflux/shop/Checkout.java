package io.github.r2dbcrouting.webflux.shop;

import io.github.r2dbcrouting.webflux.annotation.ReadFrom;
import io.github.r2dbcrouting.webflux.annotation.ReadLatest;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What surrounds repositories. */
@Service
public class Checkout {

    private final Orders orders;

    Checkout(Orders orders) {
        this.orders = orders;
    }

    /** Pays. */
    @Transactional
    public Mono<Placed> pay() {
        return orders.save(new Placed(null, "paid"));
    }

    /** Pays for two orders at once: more than one query in a transaction. */
    @Transactional
    public Mono<Placed> payTwice() {
        return orders.save(new Placed(null, "paid")).then(orders.save(new Placed(null, "paid")));
    }

    /** The annotation of the repository is nearer than this one. */
    @ReadLatest
    public Flux<Boolean> listing() {
        return orders.listing();
    }

    /** The entry surrounds the begin, which is what is routed. */
    @ReadFrom
    @Transactional(readOnly = true)
    public Flux<Boolean> listingInATransaction() {
        return orders.listing();
    }
}
