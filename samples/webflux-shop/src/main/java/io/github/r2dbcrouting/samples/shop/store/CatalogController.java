package io.github.r2dbcrouting.samples.shop.store;

import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What is for sale? */
@RestController
@RequestMapping("/api/products")
class CatalogController {

    private final Products products;

    CatalogController(Products products) {
        this.products = products;
    }

    @GetMapping
    Flux<Product> all() {
        return products.findAllByOrderById();
    }

    @GetMapping("/{id}")
    Mono<Product> one(@PathVariable int id) {
        return products.findById(id)
                .switchIfEmpty(Mono.error(
                        () -> new ResponseStatusException(HttpStatus.NOT_FOUND, "there is no such product")));
    }
}
