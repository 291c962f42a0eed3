package io.github.r2dbcrouting.samples.shop.store;

import java.util.List;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;
import reactor.core.publisher.Mono;

/** What does the warehouse do with an order that was placed a moment ago, maybe at another instance? */
@RestController
class WarehouseController {

    private final Orders orders;
    private final OrderLines lines;

    WarehouseController(Orders orders, OrderLines lines) {
        this.orders = orders;
        this.lines = lines;
    }

    @PostMapping("/warehouse/orders/{id}/pick-list")
    Mono<PickList> pack(@PathVariable long id) {
        return lines.findByOrderIdOrderById(id)
                .collectList()
                .filter(found -> !found.isEmpty())
                .switchIfEmpty(Mono.error(
                        () -> new ResponseStatusException(HttpStatus.NOT_FOUND, "nothing is known of the order")))
                .flatMap(found -> packed(id, found));
    }

    private Mono<PickList> packed(long id, List<OrderLine> found) {
        return orders.become(id, "packed").thenReturn(new PickList(id, found));
    }
}
