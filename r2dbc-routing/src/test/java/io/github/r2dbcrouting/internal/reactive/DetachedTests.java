package io.github.r2dbcrouting.internal.reactive;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.test.publisher.PublisherProbe;

class DetachedTests {

    private final List<Throwable> errors = new ArrayList<>();

    @Test
    void runsTheWorkToItsEnd() {
        PublisherProbe<Integer> work = PublisherProbe.of(Flux.range(0, 1_000));

        Detached.run(work.flux(), errors::add);

        work.assertWasSubscribed();
        work.assertWasNotCancelled();
        assertThat(errors).isEmpty();
    }

    @Test
    void tellsOfAFailure() {
        IllegalStateException failure = new IllegalStateException("expected");

        Detached.run(Mono.error(failure), errors::add);

        assertThat(errors).containsExactly(failure);
    }

    @Test
    void tellsNothingOfAnEmptyEnd() {
        Detached.run(Mono.empty(), errors::add);

        assertThat(errors).isEmpty();
    }
}
