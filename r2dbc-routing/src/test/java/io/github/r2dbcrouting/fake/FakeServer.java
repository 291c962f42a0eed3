package io.github.r2dbcrouting.fake;

import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.Introduction;
import io.github.r2dbcrouting.spi.Observation;
import io.github.r2dbcrouting.spi.ServerIdentity;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.ConnectionFactoryMetadata;
import io.r2dbc.spi.Statement;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Mono;

/** A server that is in whatever state a test puts it in. */
public final class FakeServer implements ConnectionFactory {

    public volatile ServerRole role;
    public volatile String cluster = "7";
    public volatile String startedAt;
    public volatile int timeline = 1;

    /** Up to where it has replayed, or up to where its history is on its disk. */
    public volatile long position = 0x1000;

    /** Up to where it has written its history, on its disk or not: a nudge brings the position here and beyond. */
    public volatile long written = 0x1000;

    /** What was written to its history, or to that of whom it replicates, that is found in no other. */
    public final Set<String> marks = ConcurrentHashMap.newKeySet();

    /** Whether it says on which branch it is. */
    public volatile boolean branchCertain = true;

    public volatile String configuration = "first";
    public volatile boolean durableCommits = true;

    /** What connecting fails with; {@code null} if it does not. */
    public volatile Throwable refusing;

    /** What connecting waits for. */
    public volatile Mono<Void> opening = Mono.empty();

    /** What its connections make of a text; by default they execute nothing. */
    public volatile Function<String, Statement> executing = sql -> {
        throw new UnsupportedOperationException("a fake connection executes nothing");
    };

    private final String name;
    private final List<FakeConnection> opened = new CopyOnWriteArrayList<>();

    public FakeServer(String name, ServerRole role) {
        this.name = name;
        this.role = role;
        this.startedAt = name + " for the first time";
    }

    public String name() {
        return name;
    }

    /** Every connection that was ever opened to it. */
    public List<FakeConnection> opened() {
        return opened;
    }

    public long stillOpen() {
        return opened.stream().filter(connection -> connection.closes() == 0).count();
    }

    public WalPosition at() {
        return new WalPosition(cluster, timeline, position);
    }

    public ServerIdentity identity() {
        return new ServerIdentity(cluster, startedAt);
    }

    public Observation observation() {
        return new Observation(role, at(), timeline, branchCertain, null, configuration);
    }

    public Introduction introduction() {
        return new Introduction(identity(), observation(), String.valueOf(opened.size()), durableCommits);
    }

    /** Goes on by so many bytes, all of them on its disk. */
    public void advance(long bytes) {
        long next = Math.max(position, written) + bytes;
        written = next;
        position = next;
    }

    @Override
    public Publisher<? extends Connection> create() {
        return opening.then(Mono.fromCallable(() -> {
            Throwable refusal = refusing;
            if (refusal instanceof Exception exception) {
                throw exception;
            }
            FakeConnection connection = new FakeConnection(this);
            opened.add(connection);
            return connection;
        }));
    }

    @Override
    public ConnectionFactoryMetadata getMetadata() {
        return () -> "PostgreSQL";
    }
}
