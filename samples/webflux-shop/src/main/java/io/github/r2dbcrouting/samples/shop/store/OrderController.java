package io.github.r2dbcrouting.samples.shop.store;

import java.util.List;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestAttribute;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** How does a customer order, and follow what becomes of it? */
@RestController
@RequestMapping("/api/orders")
class OrderController {

    private final Checkout checkout;
    private final Orders orders;
    private final OrderLines lines;
    private final Warehouse warehouse;

    /**
     * An order with all that is in it.
     *
     * @param order the order
     * @param lines what was ordered
     */
    record Whole(CustomerOrder order, List<OrderLine> lines) {}

    /**
     * A number alone.
     *
     * @param id the order's number
     */
    record Placed(long id) {}

    /**
     * Where an order stands.
     *
     * @param status the status at this moment
     */
    record Status(String status) {}

    OrderController(Checkout checkout, Orders orders, OrderLines lines, Warehouse warehouse) {
        this.checkout = checkout;
        this.orders = orders;
        this.lines = lines;
        this.warehouse = warehouse;
    }

    @PostMapping
    @ResponseStatus(HttpStatus.CREATED)
    Mono<Placed> place(@RequestAttribute(Customer.ATTRIBUTE) String customer) {
        return checkout.place(customer).map(Placed::new);
    }

    @GetMapping
    Flux<CustomerOrder> latest(@RequestAttribute(Customer.ATTRIBUTE) String customer) {
        return orders.findTop5ByCustomerOrderByIdDesc(customer);
    }

    @GetMapping("/{id}")
    Mono<Whole> one(@RequestAttribute(Customer.ATTRIBUTE) String customer, @PathVariable long id) {
        return mine(id, customer)
                .flatMap(order -> lines.findByOrderIdOrderById(id).collectList().map(all -> new Whole(order, all)));
    }

    @GetMapping("/{id}/status")
    Mono<Status> status(@RequestAttribute(Customer.ATTRIBUTE) String customer, @PathVariable long id) {
        return orders.status(id, customer).map(Status::new).switchIfEmpty(absent());
    }

    /** Lets the warehouse pack it, which may be another instance: it sees the order, and this one what it did. */
    @PostMapping("/{id}/shipment")
    Mono<PickList> ship(@RequestAttribute(Customer.ATTRIBUTE) String customer, @PathVariable long id) {
        return mine(id, customer).then(Mono.defer(() -> warehouse.pack(id)));
    }

    private Mono<CustomerOrder> mine(long id, String customer) {
        return orders.findByIdAndCustomer(id, customer).switchIfEmpty(absent());
    }

    private static <T> Mono<T> absent() {
        return Mono.error(() -> new ResponseStatusException(HttpStatus.NOT_FOUND, "there is no such order of yours"));
    }
}
