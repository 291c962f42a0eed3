package io.github.r2dbcrouting.webflux.shop;

import io.github.r2dbcrouting.webflux.annotation.ReadFrom;
import io.github.r2dbcrouting.webflux.annotation.ReadLatest;
import org.springframework.data.r2dbc.repository.Query;
import org.springframework.data.r2dbc.repository.R2dbcRepository;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Reads of all kinds, each of which says whether a replica served it. Of R2DBC by its type: Redis is there, too. */
@ReadFrom
public interface Orders extends R2dbcRepository<Placed, Integer> {

    @Query("SELECT pg_is_in_recovery()")
    Flux<Boolean> listing();

    @ReadFrom(policy = "reporting", maxStaleness = "30s")
    @Query("SELECT current_setting('cluster_name')")
    Mono<String> report();

    @ReadLatest
    @Query("SELECT status FROM placed WHERE id = :id AND NOT pg_is_in_recovery()")
    Mono<String> status(Integer id);
}
