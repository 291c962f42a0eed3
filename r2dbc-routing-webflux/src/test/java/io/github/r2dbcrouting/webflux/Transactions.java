package io.github.r2dbcrouting.webflux;

import org.reactivestreams.Publisher;
import org.springframework.transaction.annotation.Isolation;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Runs works, one after the other, in the transactions that its annotations describe. */
class Transactions {

    @Transactional
    Mono<Void> readWrite(Publisher<?>... works) {
        return Flux.concat(works).then();
    }

    @Transactional(readOnly = true)
    Mono<Void> readOnly(Publisher<?>... works) {
        return Flux.concat(works).then();
    }

    @Transactional(readOnly = true, isolation = Isolation.REPEATABLE_READ)
    Mono<Void> readOnlyRepeatable(Publisher<?>... works) {
        return Flux.concat(works).then();
    }

    @Transactional(readOnly = true, isolation = Isolation.SERIALIZABLE)
    Mono<Void> readOnlySerializable(Publisher<?>... works) {
        return Flux.concat(works).then();
    }

    @Transactional(propagation = Propagation.REQUIRES_NEW)
    Mono<Void> newReadWrite(Publisher<?>... works) {
        return Flux.concat(works).then();
    }

    @Transactional(propagation = Propagation.REQUIRES_NEW, readOnly = true)
    Mono<Void> newReadOnly(Publisher<?>... works) {
        return Flux.concat(works).then();
    }

    @Transactional(propagation = Propagation.NESTED)
    Mono<Void> nested(Publisher<?>... works) {
        return Flux.concat(works).then();
    }

    @Transactional(propagation = Propagation.NESTED, readOnly = true)
    Mono<Void> nestedReadOnly(Publisher<?>... works) {
        return Flux.concat(works).then();
    }

    @Transactional(propagation = Propagation.SUPPORTS)
    Mono<Void> supports(Publisher<?>... works) {
        return Flux.concat(works).then();
    }

    @Transactional(propagation = Propagation.NOT_SUPPORTED)
    Mono<Void> notSupported(Publisher<?>... works) {
        return Flux.concat(works).then();
    }
}
