package io.github.r2dbcrouting.internal.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Intent;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.WhenBehind;
import io.github.r2dbcrouting.fake.NoQuestions;
import io.github.r2dbcrouting.internal.routing.Ask;
import io.github.r2dbcrouting.internal.routing.Ejections;
import io.github.r2dbcrouting.internal.routing.FallbackBudget;
import io.github.r2dbcrouting.internal.routing.Permit;
import io.github.r2dbcrouting.internal.routing.Route;
import io.github.r2dbcrouting.internal.routing.Router;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.internal.table.TableRef;
import io.github.r2dbcrouting.postgresql.WalPosition;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.test.scheduler.VirtualTimeScheduler;

class RouteWaitTests {

    private final VirtualTimeScheduler time = VirtualTimeScheduler.getOrSet();
    private final TableRef tables = new TableRef(new NoQuestions());
    private final FallbackBudget budget = new FallbackBudget(() -> 1, 256);
    private final List<Permit> held = new ArrayList<>();
    private final List<Route> routes = new ArrayList<>();
    private final SessionState session = new SessionState();

    @AfterEach
    void reset() {
        VirtualTimeScheduler.reset();
    }

    @Test
    void givesBackAPermitThatIsGrantedJustBeforeAReplicaServes() {
        waitBesidesAnother();

        oneAfterTheOther(() -> {
            tables.publish(table(2, 100));
            // comes between the look at who wants the new table and the waking of those
            var unused = time.schedule(held.get(0)::release);
        });

        assertThat(routes)
                .singleElement()
                .satisfies(route -> assertThat(route.onPrimary()).isFalse());
        assertThat(budget.inUse()).isZero();
    }

    @Test
    void givesBackAPermitThatIsGrantedJustBeforeACancel() {
        Disposable waiting = waitBesidesAnother();

        oneAfterTheOther(() -> {
            held.get(0).release();
            waiting.dispose();
        });

        assertThat(routes).isEmpty();
        assertThat(budget.inUse()).isZero();
    }

    @Test
    void passesAPermitOnWithTheRouteToThePrimary() {
        Disposable waiting = waitBesidesAnother();

        held.get(0).release();

        assertThat(routes)
                .singleElement()
                .satisfies(route -> assertThat(route.permit()).isNotNull());
        assertThat(budget.inUse()).isOne();
        assertThat(waiting.isDisposed()).isTrue();
    }

    /** What is scheduled within a task runs after it, in its order; elsewhere at once. */
    private void oneAfterTheOther(Runnable task) {
        var unused = time.schedule(task);
    }

    /** The only place is taken, and the replica lacks what the session has written. */
    private Disposable waitBesidesAnother() {
        var unused = budget.request(held::add);
        session.observe(CausalToken.of(List.of(new WalPosition("7", 1, 100))));
        tables.publish(table(1, 50));
        Router router =
                new Router(server -> 0, bound -> 0, Safeguards.all(), new Ejections(() -> 0), () -> 0, Duration.ZERO);
        return new RouteWait(
                        router,
                        tables,
                        budget,
                        () -> 0,
                        new Ask(Intent.READ, Freshness.causal(), session),
                        new BitSet(),
                        WhenBehind.PRIMARY,
                        Duration.ZERO,
                        Duration.ofSeconds(5),
                        () -> new IllegalStateException("late"))
                .subscribe(routes::add);
    }

    private static RoutingTable table(long version, long replayed) {
        ServerState primary = server(0, ServerRole.PRIMARY, 100);
        return new RoutingTable(version, List.of(primary, server(1, ServerRole.REPLICA, replayed)), primary, "7");
    }

    private static ServerState server(int index, ServerRole role, long lsn) {
        return new ServerState(
                index,
                "db" + index,
                List.of(),
                role,
                ServerStatus.UP,
                new WalPosition("7", 1, lsn),
                null,
                0,
                false,
                null);
    }
}
