package io.github.r2dbcrouting.internal.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Lag;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.postgresql.WalPosition;
import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;

class ShortageTests {

    private final Router router = new Router(
            server -> 0,
            bound -> 0,
            Safeguards.all(),
            new Ejections(() -> 0),
            () -> 0,
            Duration.ZERO,
            Router.Preferences.NONE);
    private final SessionState session = new SessionState();

    @Test
    void saysWhichServerLacksWhat() {
        session.observe(CausalToken.of(List.of(position(0x300))));

        String message = message(new RoutingTable(1, List.of(replica(0, 0x100), replica(1, 0x300)), null, "7"));

        assertThat(message)
                .isEqualTo("no server could serve a read with freshness causal within 100 ms, and no primary is known:"
                        + " db0 (replica, up) has not replayed what the session wrote: it is at " + position(0x100)
                        + ", of unknown age, [" + position(0x300)
                        + "] is needed; db1 (replica, up) could serve by now");
    }

    @Test
    void saysHowOldAReplicaIsThatIsTooOld() {
        RoutingTable table = new RoutingTable(1, List.of(replica(0, 0x100), replica(1, 0x100)), null, "7")
                .withLags(server ->
                        server.index() == 0 ? new Lag(-Duration.ofMillis(250).toNanos(), Duration.ZERO) : Lag.UNKNOWN);

        assertThat(message(table, Routing.read().freshness(Freshness.atMost(Duration.ofMillis(200)))))
                .endsWith(": db0 (replica, up) older than was asked for, or it is not known how old: it is at most 250"
                        + " ms old; db1 (replica, up) older than was asked for, or it is not known how old: it is of"
                        + " unknown age");
    }

    @Test
    void saysThatAReplicaIsTooFarBehind() {
        ServerState behind = new ServerState(
                0, "db0", List.of(), ServerRole.REPLICA, ServerStatus.UP, position(0x100), null, 0, true, null);

        assertThat(message(new RoutingTable(1, List.of(behind), null, "7"), Routing.read()))
                .endsWith(": db0 (replica, up) too far behind, or it is not known how far: it is of unknown age");
    }

    @Test
    void saysThatAReplicaIsNoPrimary() {
        assertThat(message(new RoutingTable(1, List.of(replica(0, 0x100)), null, "7"), Routing.write()))
                .endsWith(": db0 (replica, up) is a replica, the primary is needed");
    }

    @Test
    void saysWhatIsTheMatterWithAServerThatIsNotUp() {
        ServerState down =
                new ServerState(0, "db0", List.of(), ServerRole.UNKNOWN, ServerStatus.DOWN, null, null, 0, true, null);
        ServerState refusing = new ServerState(
                1,
                "db1",
                List.of(),
                ServerRole.UNKNOWN,
                ServerStatus.DOWN,
                null,
                null,
                0,
                true,
                "refuses the password");

        assertThat(message(new RoutingTable(1, List.of(down, refusing), null, "7"), Routing.read()))
                .contains("; db1 (unknown, down) refuses the password")
                .contains(": db0 (unknown, down) not ");
    }

    @Test
    void saysHowMuchOfTheBudgetIsUsed() {
        FallbackBudget budget = new FallbackBudget(() -> 1, 5);
        for (int i = 0; i < 3; i++) {
            budget.request(permit -> {});
        }

        assertThat(Shortage.of(budget))
                .isEqualTo("1 of 1 reads that replicas should serve are with the primary, and 2 wait for that");
    }

    @Test
    void saysThatNothingIsKnownYet() {
        assertThat(message(new RoutingTable(0, List.of(), null, null)))
                .isEqualTo("no server could serve a read with freshness causal within 100 ms: no server has been"
                        + " reached yet");
    }

    private String message(RoutingTable table) {
        return message(table, Routing.read().freshness(Freshness.causal()));
    }

    private String message(RoutingTable table, Routing asked) {
        Ask ask = Ask.of(asked, session);
        BitSet tried = new BitSet();
        return Shortage.message(
                ask, router.explain(router.choose(table, ask, tried), ask, tried), table, Duration.ofMillis(100), 0);
    }

    private static WalPosition position(long offset) {
        return new WalPosition("7", 1, offset);
    }

    private static ServerState replica(int index, long offset) {
        return new ServerState(
                index,
                "db" + index,
                List.of(),
                ServerRole.REPLICA,
                ServerStatus.UP,
                position(offset),
                null,
                0,
                false,
                null);
    }
}
