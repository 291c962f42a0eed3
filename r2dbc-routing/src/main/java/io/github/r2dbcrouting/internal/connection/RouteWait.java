package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.WhenBehind;
import io.github.r2dbcrouting.internal.routing.Ask;
import io.github.r2dbcrouting.internal.routing.FallbackBudget;
import io.github.r2dbcrouting.internal.routing.Permit;
import io.github.r2dbcrouting.internal.routing.Route;
import io.github.r2dbcrouting.internal.routing.Router;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.internal.table.TableRef;
import io.github.r2dbcrouting.internal.table.Watch;
import java.time.Duration;
import java.util.BitSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Operators;
import reactor.core.scheduler.Schedulers;

/**
 * Which comes first for a read that no replica can serve now: a replica, a permit for the primary, or its deadline?
 *
 * <p>While it waits it holds no connection, and no permit. The first of the three ends the wait, and leaves nothing of
 * the others behind; a cancel does the same. A permit that is granted at the moment of a cancel goes back.
 */
final class RouteWait extends Mono<Route> {

    private final Router router;
    private final TableRef tables;
    private final FallbackBudget budget;
    private final LongSupplier clock;
    private final Ask ask;
    private final BitSet tried;
    private final WhenBehind whenBehind;
    private final Duration maxWait;
    private final Duration deadline;
    private final Supplier<? extends Throwable> late;
    private final Predicate<RoutingTable> strays;

    /**
     * Creates a wait.
     *
     * @param tried the servers that failed this request so far
     * @param whenBehind whether it waits for the primary, too; not {@code FAIL}
     * @param maxWait from when on it does, unless no replica is likely to serve it within that time: then at once
     * @param deadline when it fails
     * @param late makes the error to signal then
     * @param strays whether no server that a table has may serve the session: then it ends without a route, for another
     *     look at the session
     */
    RouteWait(
            Router router,
            TableRef tables,
            FallbackBudget budget,
            LongSupplier clock,
            Ask ask,
            BitSet tried,
            WhenBehind whenBehind,
            Duration maxWait,
            Duration deadline,
            Supplier<? extends Throwable> late,
            Predicate<RoutingTable> strays) {
        this.router = router;
        this.tables = tables;
        this.budget = budget;
        this.clock = clock;
        this.ask = ask;
        this.tried = tried;
        this.whenBehind = whenBehind;
        this.maxWait = maxWait;
        this.deadline = deadline;
        this.late = late;
        this.strays = strays;
    }

    @Override
    public void subscribe(CoreSubscriber<? super Route> actual) {
        actual.onSubscribe(new Waiting(actual));
    }

    private final class Waiting implements Subscription, Watch.Waiter {

        private final CoreSubscriber<? super Route> actual;
        private final AtomicBoolean started = new AtomicBoolean();
        private final AtomicBoolean over = new AtomicBoolean();
        private final Disposable.Composite timers = Disposables.composite();
        private final Disposable.Swap settling = Disposables.swap();
        private final AtomicBoolean settlingNow = new AtomicBoolean();
        private final AtomicBoolean queued = new AtomicBoolean();
        private final AtomicReference<@Nullable Permit> granted = new AtomicReference<>();
        private volatile @Nullable Permit passedOn;
        private final long since = clock.getAsLong();
        private volatile Ask asked = ask;
        private volatile boolean primaryWanted;
        private volatile FallbackBudget.@Nullable Ticket place;
        private volatile @Nullable Thread queueing;

        Waiting(CoreSubscriber<? super Route> actual) {
            this.actual = actual;
        }

        @Override
        public void request(long n) {
            if (Operators.validate(n) && started.compareAndSet(false, true)) {
                start();
            }
        }

        private void start() {
            // before the look at the table, so that none is missed between the look and the wait
            if (tables.watch().add(this)) {
                timers.add(Schedulers.parallel().schedule(this::expire, deadline.toNanos(), TimeUnit.NANOSECONDS));
                waitFor(look());
            } else if (end()) {
                actual.onError(Lender.closed());
            }
            if (over.get()) {
                // it may have ended on another thread before all this was set up
                cleanUp();
            }
        }

        private void waitFor(@Nullable Route route) {
            if (route == null || whenBehind == WhenBehind.WAIT || route.halted()) {
                return;
            }
            if (whenBehind == WhenBehind.WAIT_THEN_PRIMARY && router.predicts(route.table(), asked, tried, maxWait)) {
                timers.add(
                        Schedulers.parallel().schedule(this::turnToPrimary, maxWait.toNanos(), TimeUnit.NANOSECONDS));
            } else {
                turnToPrimary();
            }
        }

        /** Takes a replica if one will do by now. Returns what the table says else; {@code null} if it is over. */
        private @Nullable Route look() {
            RoutingTable table = tables.current();
            if (endsAstray(table)) {
                return null;
            }
            Route route = router.choose(table, asked, tried);
            if (route.server() != null && !route.fallsBack()) {
                emit(route, null);
                return null;
            }
            if (route.awaitsFloors()) {
                awaitFloors();
            } else {
                awaitPosition();
            }
            return over.get() ? null : route;
        }

        /** Whether it is over without a route, since no server that the table has may serve the session. */
        private boolean endsAstray(RoutingTable table) {
            boolean stray = strays.test(table);
            if (stray && end()) {
                actual.onComplete();
            }
            return stray;
        }

        /** When it began to wait there was no replica to go to: nobody has asked how far the one was that it read from. */
        private void awaitFloors() {
            SessionState session = ask.session();
            String cluster = tables.current().cluster();
            if (session != null && cluster != null && settlingNow.compareAndSet(false, true)) {
                Disposable.Swap round = Disposables.swap();
                settling.update(round);
                round.update(session.floors(cluster).subscribe(ignored -> {}, error -> settlingNow.set(false), () -> {
                    asked = ask.afterFloors();
                    settlingNow.set(false);
                    wake();
                }));
            }
        }

        /** Whatever the session has written gets its position from the monitor, which publishes no table for that. */
        private void awaitPosition() {
            SessionState session = ask.session();
            String cluster = tables.current().cluster();
            if (session != null
                    && cluster != null
                    && ask.pendingIn(cluster)
                    // else there is nothing to wait for: it would be over at once, and begin again at once
                    && session.settlesIn(cluster)
                    && settlingNow.compareAndSet(false, true)) {
                // it may complete within subscribe, and begin the next round before this one is set
                Disposable.Swap round = Disposables.swap();
                settling.update(round);
                round.update(session.settled().subscribe(ignored -> {}, error -> settlingNow.set(false), () -> {
                    settlingNow.set(false);
                    wake();
                }));
            }
        }

        private void turnToPrimary() {
            primaryWanted = true;
            queueForPrimary();
        }

        /**
         * Only while there is one: a permit is of no use without. Who finds the queue full waits for a replica only, so
         * that many of them are not woken for nothing.
         */
        private void queueForPrimary() {
            boolean there = tables.current().primary().isPresent();
            if (!there || over.get() || !queued.compareAndSet(false, true)) {
                return;
            }
            queueing = Thread.currentThread();
            FallbackBudget.Ticket ticket = budget.request(this::granted);
            queueing = null;
            place = ticket;
            if (over.get() && ticket != null) {
                ticket.cancel();
            }
            useGranted();
        }

        /** On the thread of whoever released it, which has other things to do. */
        private void granted(Permit permit) {
            granted.set(permit);
            if (over.get()) {
                permit.withdraw();
            } else if (!Thread.currentThread().equals(queueing)) {
                Schedulers.parallel().schedule(this::useGranted);
            }
        }

        /** Whoever takes the permit out answers for it: it is passed on, or goes back, also if the wait is over. */
        private void useGranted() {
            Permit permit = granted.getAndSet(null);
            if (permit == null) {
                return;
            }
            if (over.get()) {
                permit.withdraw();
                return;
            }
            RoutingTable table = tables.current();
            if (endsAstray(table)) {
                permit.withdraw();
                return;
            }
            Route route = router.choose(table, asked, tried);
            if (route.fallsBack()) {
                emit(route, permit);
                return;
            }
            permit.withdraw();
            if (route.server() != null) {
                emit(route, null);
            } else {
                queued.set(false);
                if (!route.halted()) {
                    // the primary went meanwhile; one that has come since then found this one queued, and passed by
                    queueForPrimary();
                }
            }
        }

        private void emit(Route route, @Nullable Permit permit) {
            passedOn = permit;
            if (end()) {
                actual.onNext(route.after(permit, Duration.ofNanos(clock.getAsLong() - since)));
                actual.onComplete();
            } else if (permit != null) {
                permit.withdraw();
            }
        }

        private void expire() {
            if (end()) {
                actual.onError(late.get());
            }
        }

        @Override
        public boolean wants(RoutingTable table) {
            if (strays.test(table)) {
                return true;
            }
            Route route = router.choose(table, asked, tried);
            return route.server() != null && (!route.fallsBack() || (primaryWanted && !queued.get()));
        }

        @Override
        public void wake() {
            if (over.get()) {
                return;
            }
            if (tables.watch().closed()) {
                if (end()) {
                    actual.onError(Lender.closed());
                }
                return;
            }
            Route route = look();
            if (route != null && primaryWanted && !route.halted()) {
                queueForPrimary();
            }
        }

        private boolean end() {
            boolean first = over.compareAndSet(false, true);
            if (first) {
                cleanUp();
            }
            return first;
        }

        private void cleanUp() {
            tables.watch().remove(this);
            timers.dispose();
            settling.dispose();
            FallbackBudget.Ticket ticket = place;
            if (ticket != null) {
                ticket.cancel();
            }
        }

        @Override
        public void cancel() {
            end();
            // unless it has been adopted
            Permit permit = passedOn;
            if (permit != null) {
                permit.withdraw();
            }
        }
    }
}
