package io.github.r2dbcrouting.webflux.shop;

import io.github.r2dbcrouting.Routing;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

/** What clients see. */
@RestController
class Shop {

    private final Orders orders;
    private final Checkout checkout;

    Shop(Orders orders, Checkout checkout) {
        this.orders = orders;
        this.checkout = checkout;
    }

    @GetMapping("/orders")
    Mono<Boolean> listing() {
        return orders.listing().single().contextWrite(Routing.write());
    }

    @PostMapping("/orders")
    Mono<Placed> pay() {
        return checkout.payTwice();
    }
}
