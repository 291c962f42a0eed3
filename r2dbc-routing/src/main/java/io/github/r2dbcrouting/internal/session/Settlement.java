package io.github.r2dbcrouting.internal.session;

import io.github.r2dbcrouting.CausalToken;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.Supplier;
import reactor.core.publisher.Mono;

/**
 * When does everything have a position that a session had written and seen at some moment?
 *
 * <p>What is returned is to be subscribed once, right away: it is of the snapshot at hand.
 */
final class Settlement {

    private final Snapshot now;

    Settlement(Snapshot now) {
        this.now = now;
    }

    /** Of what was sent to the primary. */
    Mono<Void> ofPending() {
        return Mono.when(now.pending().stream().map(PendingWrite::placed).toList());
    }

    /** Of some of what was sent to the primary, and of some of what was seen on replicas. */
    Mono<Void> of(Predicate<PendingWrite> sent, Predicate<Sighting> seen) {
        List<Mono<Void>> all = floors(now.seen().stream().filter(seen).toList());
        for (PendingWrite one : now.pending()) {
            if (sent.test(one)) {
                all.add(one.settled());
            }
        }
        return Mono.when(all);
    }

    /** Of what was seen in the cluster, on replicas and on the primary. */
    Mono<Void> ofSeen(String cluster) {
        List<Mono<Void>> all = floors(now.seenIn(cluster));
        for (PendingWrite pending : now.pending()) {
            if (pending.isRead() && pending.cluster().equals(cluster)) {
                all.add(pending.placed());
            }
        }
        return Mono.when(all);
    }

    /**
     * Then the token is there.
     *
     * @param token what it is
     */
    Mono<CausalToken> then(Supplier<Mono<CausalToken>> token) {
        if (now.isPlaced()) {
            return token.get();
        }
        return hasOpenTransaction()
                ? Mono.error(new IllegalStateException("the session has an open write transaction: ask for"
                        + " its token after the commit, it cannot arrive before"))
                : ofAll().then(Mono.defer(token));
    }

    /**
     * As {@link #then}, if it is soon: else, and where a transaction is open, the unresolved token takes its place.
     *
     * @param limit how long to wait
     */
    Mono<CausalToken> then(Supplier<Mono<CausalToken>> token, Duration limit, Supplier<Mono<CausalToken>> unresolved) {
        if (now.isPlaced()) {
            return token.get();
        }
        if (hasOpenTransaction()) {
            return Mono.defer(unresolved);
        }
        // the limit is on the waiting alone: each of the two may be the one that tells of a loss, and only one is asked
        return ofAll().thenReturn(token).timeout(limit, Mono.just(unresolved)).flatMap(Supplier::get);
    }

    private Mono<Void> ofAll() {
        List<Mono<Void>> placed = floors(now.seen());
        for (PendingWrite write : now.pending()) {
            placed.add(write.placed());
        }
        return Mono.when(placed);
    }

    private boolean hasOpenTransaction() {
        return now.pending().stream().anyMatch(PendingWrite::openTransaction);
    }

    /** Asks for all of them at once, and only then waits. */
    private static List<Mono<Void>> floors(List<Sighting> seen) {
        List<Mono<Void>> all = new ArrayList<>(seen.size() + 1);
        for (Sighting sighting : seen) {
            all.add(sighting.floor().find());
        }
        return all;
    }
}
