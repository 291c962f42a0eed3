package io.github.r2dbcrouting.benchmarks.load;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * One of the ways of choosing a server that are compared.
 *
 * @param kind which way; of two with the same, one is there for the noise
 * @param again whether it is the one that is there for the noise
 * @param note what people should know of it, such as a version
 * @param reads where a user's next read runs
 * @param writes where a user's next write runs
 * @param reasons counts the reads by why they went where they did
 * @param closing what ends its connections
 */
record Contender(
        Kind kind,
        boolean again,
        String note,
        Function<User, Access> reads,
        Function<User, Access> writes,
        Reasons reasons,
        List<Mono<Void>> closing) {

    /** Returns the name in the summary. */
    String name() {
        return again ? kind + "-again" : kind.toString();
    }

    String title() {
        return again ? kind.title() + " (again)" : kind.title();
    }

    Mono<Void> close() {
        return Flux.fromIterable(closing).concatMap(Function.identity()).then();
    }

    /** Why reads went where they did. Safe for use by several threads. */
    static final class Reasons {

        private final Map<String, LongAdder> counts = new ConcurrentHashMap<>();
        private final LongAdder fallbacks = new LongAdder();

        /**
         * Counts one.
         *
         * @param reason a word for it
         * @param fallback whether the primary served what replicas would have, had they been fresh enough
         */
        void add(String reason, boolean fallback) {
            counts.computeIfAbsent(reason, ignored -> new LongAdder()).increment();
            if (fallback) {
                fallbacks.increment();
            }
        }

        long fallbacks() {
            return fallbacks.sum();
        }

        Map<String, Long> counts() {
            Map<String, Long> sums = new TreeMap<>();
            counts.forEach((reason, count) -> sums.put(reason, count.sum()));
            return sums;
        }

        void reset() {
            counts.clear();
            fallbacks.reset();
        }
    }
}
