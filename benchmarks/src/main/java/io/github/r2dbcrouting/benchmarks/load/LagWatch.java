package io.github.r2dbcrouting.benchmarks.load;

import io.github.r2dbcrouting.benchmarks.report.WorkloadReport.LagPoint;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactories;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * How far behind is each replica, seen from outside of every router?
 *
 * <p>By the measuring clock alone: a replica is as old as the newest position of the primary that it has replayed.
 */
final class LagWatch implements AutoCloseable {

    /** In each of its statements, so that whoever counts statements can leave them out. */
    static final String MARK = "lag_watch";

    private static final Duration PERIOD = Duration.ofMillis(50);
    private static final int REMEMBERED = 4_000;

    private record Seen(long at, long position) {}

    private final Deque<Seen> primary = new ArrayDeque<>();
    private final Queue<LagPoint> points = new ConcurrentLinkedQueue<>();
    private final Map<String, Connection> connections = new ConcurrentHashMap<>();
    private final long start;
    private final Disposable watching;

    LagWatch(Cluster cluster, long start) {
        this.start = start;
        watching = Flux.interval(PERIOD)
                .onBackpressureDrop()
                .concatMap(tick -> look(cluster))
                .subscribe(ignored -> {}, error -> System.err.println("the lag is watched no more: " + error));
    }

    private Mono<Void> look(Cluster cluster) {
        long sent = System.nanoTime();
        return position(cluster.primary(), "pg_current_wal_flush_lsn()")
                .doOnNext(position -> remember(sent, position))
                .thenMany(Flux.fromIterable(cluster.replicas()))
                .concatMap(replica -> position(replica, "pg_last_wal_replay_lsn()")
                        .doOnNext(position -> points.add(
                                new LagPoint(replica.name(), (System.nanoTime() - start) / 1e9, age(position) / 1e6))))
                .then();
    }

    /** Empty if the server does not answer: it may have been killed on purpose. */
    private Mono<Long> position(Cluster.Server server, String function) {
        return Mono.justOrEmpty(connections.get(server.name()))
                .switchIfEmpty(Mono.defer(() -> Mono.<Connection>from(
                                ConnectionFactories.get(server.url()).create())
                        .doOnNext(connection -> connections.put(server.name(), connection))))
                .flatMap(connection -> Flux.from(connection
                                .createStatement("SELECT (" + function + " - '0/0'::pg_lsn)::bigint AS " + MARK)
                                .execute())
                        .concatMap(result -> result.map((row, metadata) -> row.get(0, Long.class)))
                        .last())
                .onErrorResume(gone -> {
                    connections.remove(server.name());
                    return Mono.empty();
                });
    }

    private synchronized void remember(long sent, long position) {
        primary.addLast(new Seen(sent, position));
        if (primary.size() > REMEMBERED) {
            primary.removeFirst();
        }
    }

    private synchronized long age(long replayed) {
        long now = System.nanoTime();
        var newestFirst = primary.descendingIterator();
        while (newestFirst.hasNext()) {
            Seen seen = newestFirst.next();
            if (seen.position() <= replayed) {
                return now - seen.at();
            }
        }
        return now - start;
    }

    List<LagPoint> points() {
        return new ArrayList<>(points);
    }

    @Override
    public void close() {
        watching.dispose();
        var unused = Flux.fromIterable(connections.values())
                .concatMap(connection -> Mono.from(connection.close()).onErrorResume(gone -> Mono.empty()))
                .then()
                .block(Duration.ofSeconds(10));
    }
}
