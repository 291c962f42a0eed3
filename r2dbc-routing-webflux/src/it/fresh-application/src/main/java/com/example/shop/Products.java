package com.example.shop;

import io.github.r2dbcrouting.webflux.annotation.ReadFrom;
import io.github.r2dbcrouting.webflux.annotation.ReadLatest;
import org.springframework.data.r2dbc.repository.Query;
import org.springframework.data.repository.reactive.ReactiveCrudRepository;
import reactor.core.publisher.Mono;

public interface Products extends ReactiveCrudRepository<Product, Integer> {

    @ReadFrom
    @Query("SELECT pg_is_in_recovery()")
    Mono<Boolean> listingIsReadFromAReplica();

    @ReadLatest
    @Query("SELECT pg_is_in_recovery()")
    Mono<Boolean> statusIsReadFromAReplica();
}
