package io.github.r2dbcrouting.samples.shop.store;

import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestAttribute;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What is in a customer's cart? Who puts something in reads the cart in the next request, and finds it there. */
@RestController
@RequestMapping("/api/cart")
class CartController {

    private static final int MOST = 99;

    private final Carts carts;
    private final Products products;

    CartController(Carts carts, Products products) {
        this.carts = carts;
        this.products = products;
    }

    @GetMapping
    Flux<CartLine> lines(@RequestAttribute(Customer.ATTRIBUTE) String customer) {
        return carts.lines(customer);
    }

    @PutMapping("/{productId}")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    Mono<Void> put(
            @RequestAttribute(Customer.ATTRIBUTE) String customer,
            @PathVariable int productId,
            @RequestParam int quantity) {
        if (quantity < 0 || quantity > MOST) {
            return Mono.error(
                    () -> new ResponseStatusException(HttpStatus.BAD_REQUEST, "quantity must be 0 to " + MOST));
        }
        if (quantity == 0) {
            return carts.remove(customer, productId).then();
        }
        return products.existsById(productId)
                .flatMap(exists -> exists
                        ? carts.put(customer, productId, quantity)
                        : Mono.error(
                                () -> new ResponseStatusException(HttpStatus.NOT_FOUND, "there is no such product")))
                .then();
    }
}
