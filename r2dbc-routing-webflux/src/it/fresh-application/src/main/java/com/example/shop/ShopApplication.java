package com.example.shop;

import io.github.r2dbcrouting.webflux.annotation.ReadFrom;
import io.github.r2dbcrouting.webflux.annotation.ReadLatest;
import io.r2dbc.spi.ConnectionFactory;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.data.annotation.Id;
import org.springframework.data.r2dbc.repository.Query;
import org.springframework.data.repository.reactive.ReactiveCrudRepository;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

@SpringBootApplication
public class ShopApplication {

    public static void main(String[] args) {
        SpringApplication.run(ShopApplication.class, args);
    }

    public record Product(@Id Integer id, String name) {}

    public interface Products extends ReactiveCrudRepository<Product, Integer> {

        @ReadFrom
        @Query("SELECT pg_is_in_recovery()")
        Mono<Boolean> listingIsReadFromAReplica();

        @ReadLatest
        @Query("SELECT pg_is_in_recovery()")
        Mono<Boolean> statusIsReadFromAReplica();
    }

    @RestController
    public static class Shop {

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
}
