package io.github.r2dbcrouting.samples.shop.store;

import java.util.List;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.web.server.ResponseStatusException;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What happens when a customer orders? All of it or nothing: one transaction, on the primary. */
@Service
class Checkout {

    private final Products products;
    private final Carts carts;
    private final Orders orders;
    private final OrderLines lines;

    Checkout(Products products, Carts carts, Orders orders, OrderLines lines) {
        this.products = products;
        this.carts = carts;
        this.orders = orders;
        this.lines = lines;
    }

    @Transactional
    Mono<Long> place(String customer) {
        return carts.lines(customer)
                .collectList()
                .filter(cart -> !cart.isEmpty())
                .switchIfEmpty(Mono.error(() -> refused("the cart is empty")))
                .flatMap(cart -> takeAll(cart).then(store(customer, cart)))
                .flatMap(id -> carts.clear(customer).thenReturn(id));
    }

    /** In the order of their numbers, which is how all customers lock them. */
    private Mono<Void> takeAll(List<CartLine> cart) {
        return Flux.fromIterable(cart)
                .concatMap(line -> products.take(line.productId(), line.quantity())
                        .filter(rows -> rows == 1)
                        .switchIfEmpty(Mono.error(() ->
                                refused("there are not " + line.quantity() + " of " + line.name() + " any more"))))
                .then();
    }

    private Mono<Long> store(String customer, List<CartLine> cart) {
        long total = cart.stream()
                .mapToLong(line -> (long) line.priceCents() * line.quantity())
                .sum();
        return orders.save(new CustomerOrder(null, customer, "placed", total, null))
                .mapNotNull(CustomerOrder::id)
                .flatMap(id -> lines.saveAll(cart.stream()
                                .map(line -> new OrderLine(
                                        null, id, line.productId(), line.name(), line.priceCents(), line.quantity()))
                                .toList())
                        .then(Mono.just(id)));
    }

    private static ResponseStatusException refused(String why) {
        return new ResponseStatusException(HttpStatus.CONFLICT, why);
    }
}
