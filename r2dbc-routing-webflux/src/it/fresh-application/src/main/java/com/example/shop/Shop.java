package com.example.shop;

import io.r2dbc.spi.ConnectionFactory;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

@RestController
public class Shop {

    private final Products products;
    private final ConnectionFactory factory;

    Shop(Products products, ConnectionFactory factory) {
        this.products = products;
        this.factory = factory;
    }

    @PostMapping("/products")
    @Transactional
    public Mono<Integer> add(@RequestParam("name") String name) {
        return products.save(new Product(null, name)).map(Product::id);
    }

    @GetMapping("/products/count")
    public Mono<Long> count() {
        return products.count();
    }

    @GetMapping("/listing-from-replica")
    public Mono<Boolean> listing() {
        return products.listingIsReadFromAReplica();
    }

    @GetMapping("/status-from-replica")
    public Mono<Boolean> status() {
        return products.statusIsReadFromAReplica();
    }

    @GetMapping("/factory")
    public String factory() {
        return factory.getClass().getName();
    }
}
