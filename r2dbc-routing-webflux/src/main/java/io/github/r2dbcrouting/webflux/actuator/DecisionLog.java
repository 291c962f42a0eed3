package io.github.r2dbcrouting.webflux.actuator;

import io.github.r2dbcrouting.Intent;
import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.RouteDecision.Reason;
import io.github.r2dbcrouting.RoutingListener;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntUnaryOperator;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What was decided lately, and how often? Hears of each decision while there are few, else of one in so many, drawn at
 * random, and counts it for as many.
 *
 * <p>Requests only add to it. Thread-safe; {@link #rates} and {@link #adapt} are called by one thread at a time.
 */
final class DecisionLog implements RoutingListener {

    /** More than these are not put into words in a second. */
    static final int MOST_PER_SECOND = 1_000;

    /** So many are kept. */
    static final int SIZE = 1_024;

    private final AtomicReferenceArray<@Nullable Heard> ring = new AtomicReferenceArray<>(SIZE);
    private final AtomicLong next = new AtomicLong();
    private final LongAdder made = new LongAdder();
    private final Map<Kind, LongAdder> counts = new ConcurrentHashMap<>();
    private final Map<Kind, Long> told = new HashMap<>();
    private final IntUnaryOperator random;
    private volatile int oneIn = 1;

    DecisionLog() {
        this(bound -> ThreadLocalRandom.current().nextInt(bound));
    }

    DecisionLog(IntUnaryOperator random) {
        this.random = random;
    }

    private record Heard(long id, long at, RouteDecision decision) {}

    /** What decisions are counted by. */
    private record Kind(@Nullable String server, Intent intent, Reason reason, boolean waited) {

        static Kind of(RouteDecision decision) {
            return new Kind(
                    decision.server(),
                    decision.intent(),
                    decision.reason(),
                    !decision.waited().isZero());
        }
    }

    @Override
    public boolean wantsNext() {
        made.increment();
        int among = oneIn;
        return among == 1 || random.applyAsInt(among) == 0;
    }

    @Override
    public void onDecision(RouteDecision decision) {
        counts.computeIfAbsent(Kind.of(decision), kind -> new LongAdder()).add(oneIn);
        long id = next.getAndIncrement();
        ring.set((int) (id % SIZE), new Heard(id, System.nanoTime(), decision));
    }

    /** How many kinds are counted. */
    int kinds() {
        return Math.max(counts.size(), told.size());
    }

    /** How many are made for each one that is heard. */
    int oneIn() {
        return oneIn;
    }

    /** The number that the next one gets. */
    long end() {
        return next.get();
    }

    /** Hears of fewer from now on, or of more, by how many were made in a time. */
    void adapt(double seconds) {
        double perSecond = made.sumThenReset() / Math.max(seconds, 1e-3);
        oneIn = Math.max(1, (int) Math.ceil(perSecond / MOST_PER_SECOND));
    }

    /**
     * Returns how many of each kind were made in a second, since the last call; those of which there were none are left
     * out.
     *
     * @param seconds how long ago the last call was
     * @param servers those that there are: what others have served is told once more, and then forgotten
     */
    List<RouterReport.Rate> rates(double seconds, Set<String> servers) {
        List<RouterReport.Rate> rates = new ArrayList<>();
        counts.forEach((kind, count) -> {
            long sum = count.sum();
            Long before = told.put(kind, sum);
            long since = sum - (before == null ? 0 : before);
            if (since > 0 && seconds > 0) {
                rates.add(new RouterReport.Rate(
                        kind.server,
                        RouterView.lower(kind.intent),
                        RouterView.lower(kind.reason),
                        kind.waited,
                        Math.rint(since / seconds * 10) / 10));
            }
        });
        // names come and go, in a cloud by the hour. What is heard of one at this moment is lost
        Predicate<Kind> gone = kind -> kind.server != null && !servers.contains(kind.server);
        counts.keySet().removeIf(gone);
        told.keySet().removeIf(gone);
        return rates;
    }

    /**
     * Returns some of the decisions from a number on: the newest of each kind, so that what is rare is among them, and
     * beyond that the newest of all.
     *
     * @param from the number of the first that may be among them
     * @param most how many at most
     * @return the oldest first
     */
    List<RouterReport.Decision> some(long from, int most) {
        long now = System.nanoTime();
        List<Heard> newestFirst = since(from);
        List<Heard> chosen = new ArrayList<>();
        List<Heard> others = new ArrayList<>();
        Set<Kind> kinds = new HashSet<>();
        for (Heard heard : newestFirst) {
            (kinds.add(Kind.of(heard.decision)) ? chosen : others).add(heard);
        }
        chosen.addAll(others);
        return chosen.stream()
                .limit(most)
                .sorted((one, other) -> Long.compare(one.id, other.id))
                .map(heard ->
                        RouterView.decision(heard.id, Duration.ofNanos(Math.max(now - heard.at, 0)), heard.decision))
                .toList();
    }

    private List<Heard> since(long from) {
        long end = next.get();
        List<Heard> newestFirst = new ArrayList<>();
        for (long id = end - 1; id >= Math.max(from, end - SIZE); id--) {
            Heard heard = ring.get((int) (id % SIZE));
            // whoever took the number may not have written yet, or somebody is a whole round ahead
            if (heard != null && heard.id == id) {
                newestFirst.add(heard);
            }
        }
        return Collections.unmodifiableList(newestFirst);
    }
}
