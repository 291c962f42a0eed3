package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.Intent;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.internal.routing.Ask;
import io.github.r2dbcrouting.spi.Engine;
import io.github.r2dbcrouting.spi.StatementText;
import io.r2dbc.spi.Result;
import java.util.BitSet;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * On which servers is a command tried for one subscriber, one after the other?
 *
 * <p>Almost always on one. Outside a transaction, and as long as the subscriber has seen nothing of it, there are two
 * ways on:
 *
 * <ul>
 *   <li><em>To the primary</em>, where a replica refused it as something that only a primary can do. Nothing has
 *       happened on the replica then. It is a write of the session from there on, and its text is remembered as one.
 *   <li><em>To another server</em>, a read whose server was lost or let replication go first, within the retry budget.
 * </ul>
 *
 * <p>Neither is ever taken back to where it was tried. A write that was sent to a primary has no way on.
 */
final class Execution {

    private static final Logger LOG = LoggerFactory.getLogger(Execution.class);

    private final RoutedConnection connection;
    private final Command command;
    private final Ask ask;
    private final @Nullable FollowedUse use;
    private final BitSet tried = new BitSet();
    private int moves;

    private Execution(RoutedConnection connection, Command command, Ask ask, @Nullable FollowedUse use) {
        this.connection = connection;
        this.command = command;
        this.ask = ask;
        this.use = use;
    }

    /** Runs a command on the server that is chosen for its subscriber. Nothing happens before that. */
    static Flux<Result> of(RoutedConnection connection, Command command) {
        return Flux.deferContextual(context -> {
            Ask ask = Ask.ofStatement(context, command.kind());
            FollowedUse around = connection.followedAround();
            if (around != null) {
                return new Execution(connection, command, ask, around).start();
            }
            FollowedUse own = connection.followed(context);
            Flux<Result> results = new Execution(connection, command, ask, own).start();
            return own == null ? results : FollowedExecution.of(results, own, command.oneResult());
        });
    }

    private Flux<Result> start() {
        if (command.text().leavesState()) {
            connection.pin();
        }
        if (ask.intent() == Intent.READ) {
            connection.lender().retries().readBegins();
        }
        return within(connection.leaseForStatement(ask))
                .flatMapMany(served -> attempt(served, ask, command.kind()).results());
    }

    private Attempt attempt(Served served, Ask asked, StatementText.Kind kind) {
        Lease lease = served.lease();
        if (command.text().leavesState()) {
            lease.markStateLeft();
        }
        Tracked tracked = connection.track(lease, asked, kind);
        if (served.permit() != null) {
            tracked = new Tracked.InBudget(served, tracked);
        }
        if (command.text().touchesDurability()) {
            lease.physical().forgetDurability();
        }
        boolean free = (command.repeatable() && connection.outsideTransaction(lease)) || !repeatsOnlyWhatIsSafe();
        return new Attempt(this, lease, tracked, free);
    }

    /** As whoever follows the statement, or the transaction that it is in, wants it to be run. */
    private Mono<Served> within(Mono<Served> lease) {
        return use == null ? lease : lease.contextWrite(use::within);
    }

    /** The same, for what is sent. */
    <T> Flux<T> within(Flux<T> sent) {
        return use == null ? sent : sent.contextWrite(use::within);
    }

    Command command() {
        return command;
    }

    /**
     * Finds the way on after a failure, and takes what it costs.
     *
     * @param lease where it failed, outside a transaction, before anything of it was seen
     * @return what runs there; {@code null} if there is no way on
     */
    @Nullable
    Flux<Result> wayOn(Lease lease, Throwable error) {
        Engine engine = connection.engine();
        boolean onReplica = lease.server().role() == ServerRole.REPLICA;
        if (onReplica && engine.needsPrimary(error)) {
            LOG.debug(
                    "{} refused a statement that only a primary can run",
                    lease.server().name(),
                    error);
            Ask write = ask.onPrimary();
            return on(connection.leaseForWrite(write), write, StatementText.Kind.WRITE, error);
        }
        if (!repeatsOnlyWhatIsSafe() && moves++ == 0 && engine.anotherServerMay(error)) {
            connection.leave(lease);
            return on(connection.leaseElsewhere(ask, tried), ask, command.kind(), error);
        }
        // what is only said to be a read may have written on a primary
        boolean read = onReplica || command.kind() == StatementText.Kind.READ;
        if (!read || ask.intent() != Intent.READ || !connection.allowsReplica() || !engine.anotherServerMay(error)) {
            return null;
        }
        tried.set(lease.server().index());
        if (!connection.lender().mayTryAgain(ask, tried, moves)) {
            return null;
        }
        moves++;
        LOG.debug("a read leaves {}", lease.server().name(), error);
        connection.leave(lease);
        return on(connection.leaseElsewhere(ask, tried), ask, command.kind(), error);
    }

    private Flux<Result> on(Mono<Served> elsewhere, Ask asked, StatementText.Kind kind, Throwable error) {
        Function<Throwable, Throwable> nowhere = failure -> {
            if (!failure.equals(error)) {
                failure.addSuppressed(error);
            }
            return failure;
        };
        return within(elsewhere)
                .onErrorMap(nowhere)
                .flatMapMany(served -> attempt(served, asked, kind).results());
    }

    boolean repeatsOnlyWhatIsSafe() {
        return connection.lender().repeatsOnlyWhatIsSafe();
    }

    /** Hears how an attempt failed, whether or not there is a way on. */
    void failed(Lease lease, Throwable error) {
        Engine engine = connection.engine();
        if (lease.server().role() != ServerRole.REPLICA) {
            return;
        }
        String sql = command.sql();
        if (engine.needsPrimary(error) && sql != null && connection.outsideTransaction(lease)) {
            engine.learnWrite(sql);
        }
        if (engine.connectionLost(error) && engine.anotherServerMay(error)) {
            connection.lender().failed(lease.server());
        }
    }

    /** How long reads take tells how quick a server is at them; writes wait for other things, too. */
    void answered(Lease lease, long sentAt) {
        if (lease.server().role() == ServerRole.REPLICA || command.kind() == StatementText.Kind.READ) {
            long now = System.nanoTime();
            connection.lender().answered(lease.server(), now - sentAt, now);
        }
    }

    void succeeded(Lease lease) {
        connection.lender().succeeded(lease.server());
    }

    /** Says what an error of the server does not: that it is a replica's, and why it ran there. */
    Throwable explained(Lease lease, Throwable error) {
        if (lease.server().role() != ServerRole.REPLICA || !connection.engine().needsPrimary(error)) {
            return error;
        }
        String why = connection.outsideTransaction(lease)
                ? "it was asked for as a read, and cannot be run again on the primary since "
                        + (command.repeatable()
                                ? "part of its result was seen already"
                                : "it is more than one statement or set of values")
                        + "; ask for it with Routing.write()"
                : "its transaction is read-only and runs there; begin a read-write transaction for it";
        return RefusedByReplica.of(lease.server().name(), why, error);
    }
}
