package io.github.r2dbcrouting.spi;

import io.r2dbc.spi.Connection;
import java.util.List;
import reactor.core.publisher.Mono;

/**
 * How is one kind of database asked what routing needs to know?
 *
 * <p>Implementations are thread-safe, and remember nothing but texts. Every returned {@code Mono} does nothing before it is subscribed,
 * signals its errors, and leaves the connection as it was: cancelling one leaves the connection usable as soon as it is
 * ready for its next query. None may block.
 */
public interface Engine {

    /**
     * Returns the product name that connection factories of this kind carry in their metadata.
     *
     * @return the name, compared exactly
     */
    String productName();

    /**
     * Asks a connection that was just opened who it is.
     *
     * @param connection a connection outside a transaction
     * @return its introduction
     */
    Mono<Introduction> introduce(Connection connection);

    /**
     * Asks a server for its role and position.
     *
     * @param connection a connection outside a transaction
     * @param introduction what the connection said when it was opened
     * @return what the server is and where it stands, read by one statement
     */
    Mono<Observation> observe(Connection connection, Introduction introduction);

    /**
     * Asks a primary which branches of history led to its own.
     *
     * @param connection a connection to a primary, outside a transaction
     * @param introduction what the connection said when it was opened, or when it was asked again
     * @return where each earlier branch was left, on that branch; empty if the server does not tell that
     */
    default Mono<List<Position>> ancestors(Connection connection, Introduction introduction) {
        return Mono.just(List.of());
    }

    /**
     * Writes something to a primary's history by which it can be told from every other one, and waits until it is on its
     * disk. It changes no data.
     *
     * @param connection a connection to a primary, outside a transaction
     * @param introduction what the connection said when it was opened, or when it was asked again
     * @return the mark; empty if there is no way to write one, so that histories are told apart by their numbers only
     */
    default Mono<HistoryMark> mark(Connection connection, Introduction introduction) {
        return Mono.empty();
    }

    /**
     * Asks whether a server's history has a mark.
     *
     * @param connection a connection to a server whose position has the mark's behind it, on whatever branch
     * @param mark the mark
     * @return whether it has: {@code true} only if the branch that the mark was written to is part of its history; empty
     *     if it no longer knows
     */
    default Mono<Boolean> bears(Connection connection, HistoryMark mark) {
        return Mono.empty();
    }

    /**
     * Writes a mark that changes no data to the primary's history, waits until everything up to it is on its disk, and
     * then asks for the position: it lies at or behind every commit that was answered before, whether that waited for
     * the disk or not, and at a place that replicas reach without further writes.
     *
     * @param connection a connection to a primary, outside a transaction
     * @param introduction what the connection said when it was opened
     * @return where the server stands; if it refuses the mark, at least behind every commit that was answered before
     */
    Mono<Observation> nudgeAndObserve(Connection connection, Introduction introduction);

    /**
     * Asks a primary how far its history has come, whether that is on its disk yet or not. Nothing that anybody has seen
     * of it lies beyond.
     *
     * @param connection a connection to a primary, outside a transaction
     * @param introduction what the connection said when it was opened
     * @return the end of its history, on its branch; an error if it is no primary
     */
    Mono<Position> end(Connection connection, Introduction introduction);

    /**
     * Asks whether a connection of somebody else has ended, and with it whatever it was executing.
     *
     * @param connection a connection to the same server, outside a transaction
     * @param backend what {@link Introduction#backend()} said of the other connection
     * @return {@code true} once the server no longer has it
     */
    Mono<Boolean> backendGone(Connection connection, String backend);

    /**
     * Asks what the database itself says of its servers and policies.
     *
     * @param connection a connection to any server of the cluster, outside a transaction
     * @return what it says; an error if it says nothing, or this user may not hear it
     */
    default Mono<StoredTopology> storedTopology(Connection connection) {
        return Mono.error(new UnsupportedOperationException("this kind of database stores no topology"));
    }

    /**
     * Waits until the connection has finished whatever was sent on it before.
     *
     * @param connection any connection, also inside a failed transaction
     * @return completes when the server has answered; errors only if the connection is lost
     */
    Mono<Void> drain(Connection connection);

    /**
     * Takes back statement and lock timeouts, so that the next borrower of a pooled connection does not inherit them.
     *
     * @param connection a connection outside a transaction
     * @return completes when both have their initial values
     */
    Mono<Void> resetTimeouts(Connection connection);

    /**
     * Reads the text of a statement.
     *
     * @param sql the text, well-formed or not
     * @return what can be told from it; never fails
     */
    StatementText read(String sql);

    /**
     * Notes that a replica refused a text as a write: from now on {@link #read} says so. Bounded, so it may be forgotten
     * when many others were noted since. Any thread.
     *
     * @param sql the text
     */
    void learnWrite(String sql);

    /**
     * Tells when the driver sends a statement.
     *
     * @param text what was read of the statement's text
     * @return {@code true} if when its execution is subscribed, {@code false} if only when its result is
     */
    boolean sentAtOnce(StatementText text);

    /**
     * Learns from the database's catalogue which of the application's functions only read. From then on texts are read
     * by that, also those that were read before.
     *
     * @param connection a connection to the primary
     * @return completes when it is known; if it errors, what was known before holds
     */
    Mono<Void> learnFunctions(Connection connection);

    /**
     * Tells whether an error means that its connection is, or is about to be, of no more use.
     *
     * @param error an error that a statement or a connect signalled
     * @return {@code false} only if the server itself reported that error for a statement and went on
     */
    boolean connectionLost(Throwable error);

    /**
     * Tells whether an error means that a replica refused something because it is a replica. It has done nothing of it
     * then, and a primary can be asked instead.
     *
     * @param error an error that a statement signalled on a replica
     * @return {@code true} only if that is sure
     */
    boolean needsPrimary(Throwable error);

    /**
     * Tells whether an error has to do with its server or connection, and not with the statement, so that another server
     * may be able to run the same: the connection is lost, the server shuts down, or a replica had to give way to
     * replication.
     *
     * @param error an error that a read signalled, outside a transaction
     * @return {@code true} only if that is sure
     */
    boolean anotherServerMay(Throwable error);
}
