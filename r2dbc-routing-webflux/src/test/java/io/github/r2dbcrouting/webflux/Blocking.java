package io.github.r2dbcrouting.webflux;

import java.time.Duration;
import java.util.Objects;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Waits for publishers on a test's own thread, never for ever. */
final class Blocking {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private Blocking() {}

    static void run(Publisher<?> publisher) {
        var unused = Flux.from(publisher).then().block(LIMIT);
    }

    static <T> T value(Mono<T> mono) {
        return Objects.requireNonNull(mono.block(LIMIT), "the publisher completed without a value");
    }
}
