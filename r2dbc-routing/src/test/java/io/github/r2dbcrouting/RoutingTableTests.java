package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.Lineage;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RoutingTableTests {

    private final ServerState primary = server(0, "db0", ServerRole.PRIMARY, ServerStatus.UP, 0x3076018, false, null);
    private final ServerState replica = server(1, "db1", ServerRole.REPLICA, ServerStatus.UP, 0x3076000, false, null);

    @Test
    void drawsAPictureForPeople() {
        ServerState down = new ServerState(
                2,
                "reports",
                List.of("reporting", "us"),
                ServerRole.UNKNOWN,
                ServerStatus.DOWN,
                null,
                null,
                0,
                true,
                "cannot be reached");

        assertThat(new RoutingTable(3, List.of(primary, replica, down), primary, "7"))
                .hasToString("""
                        server   role     status  tags          position                 behind  problem
                        db0 *    primary  up      eu            0/3076018 on timeline 1  -
                        db1      replica  up      eu            0/3076000 on timeline 1  24 B
                        reports  unknown  down    reporting,us  -                        -       cannot be reached
                        """);
    }

    @Test
    void drawsOnlyTheHeadBeforeAnythingIsKnown() {
        assertThat(new RoutingTable(0, List.of(), null, null))
                .hasToString("server  role  status  tags  position  behind  problem\n");
    }

    @Test
    void keepsEverythingElseWhenItIsToldTheLags() {
        Lineage lineage = Lineage.of(2, List.of(new WalPosition("7", 1, 0x3076000)));
        RoutingTable table = new RoutingTable(3, List.of(primary, replica), primary, "7", lineage, 0);
        RoutingTable orphaned = new RoutingTable(3, List.of(primary, replica), null, "7", lineage, 0);

        for (RoutingTable before : List.of(table, orphaned)) {
            RoutingTable after = before.withLags(server -> new Lag(server.index(), Duration.ofMillis(5)));

            assertThat(after)
                    .usingRecursiveComparison()
                    .ignoringFields("servers", "primary", "replicas")
                    .isEqualTo(before);
            assertThat(after.primary().map(ServerState::name))
                    .isEqualTo(before.primary().map(ServerState::name));
            assertThat(after.servers())
                    .extracting(ServerState::lag)
                    .containsExactly(new Lag(0, Duration.ofMillis(5)), new Lag(1, Duration.ofMillis(5)));
        }
    }

    @Test
    void listsReplicasThatMayBeReadFrom() {
        List<ServerState> all = new ArrayList<>(List.of(primary, replica));
        for (ServerStatus status : ServerStatus.values()) {
            all.add(server(all.size(), "db" + all.size(), ServerRole.REPLICA, status, 1, false, null));
        }
        all.add(server(all.size(), "old", ServerRole.REPLICA, ServerStatus.UP, 1, true, null));

        RoutingTable table = new RoutingTable(1, all, primary, "7");

        assertThat(table.replicas())
                .hasSize(2)
                .allMatch(server -> server.status() == ServerStatus.UP && server.role() == ServerRole.REPLICA);
    }

    @Test
    void cannotBeChanged() {
        List<ServerState> given = new ArrayList<>(List.of(primary, replica));
        RoutingTable table = new RoutingTable(1, given, primary, "7");

        given.clear();

        assertThat(table.servers()).hasSize(2);
        assertThatExceptionOfType(UnsupportedOperationException.class)
                .isThrownBy(() -> table.servers().clear());
        assertThatExceptionOfType(UnsupportedOperationException.class)
                .isThrownBy(() -> table.replicas().clear());
    }

    @Test
    void isCompleteOnceEveryServerWasReachedOrFoundUnreachable() {
        ServerState unknown = server(1, "db1", ServerRole.UNKNOWN, ServerStatus.UNKNOWN, 1, true, null);
        ServerState down = server(1, "db1", ServerRole.UNKNOWN, ServerStatus.DOWN, 1, true, null);

        assertThat(new RoutingTable(1, List.of(primary, unknown), primary, "7").complete())
                .isFalse();
        assertThat(new RoutingTable(1, List.of(primary, down), primary, "7").complete())
                .isTrue();
    }

    @Test
    void tellsIfAServerCoversPositions() {
        WalPosition early = new WalPosition("7", 1, 0x3075000);
        WalPosition late = new WalPosition("7", 1, 0x3076001);
        ServerState silent =
                new ServerState(1, "db1", List.of(), ServerRole.REPLICA, ServerStatus.UP, null, null, 1, true, null);

        assertThat(replica.covers(List.of())).isTrue();
        assertThat(replica.covers(List.of(early, replica.position()))).isTrue();
        assertThat(replica.covers(List.of(early, late))).isFalse();
        assertThat(replica.covers(List.of(early, new WalPosition("7", 2, 1)))).isFalse();
        assertThat(silent.covers(List.of(early))).isFalse();
        assertThat(silent.covers(List.of())).isTrue();
    }

    @Test
    void putsADecisionOnOneLine() {
        RouteDecision decision = new RouteDecision(
                "db1",
                ServerRole.REPLICA,
                RouteDecision.Reason.COVERS_TOKEN,
                Intent.READ,
                Freshness.causal(),
                List.of(
                        new RouteDecision.Candidate("db0", RouteDecision.Refusal.WRONG_ROLE),
                        new RouteDecision.Candidate("db1", null)));

        assertThat(decision)
                .hasToString("causal read -> db1: it has everything that the session wrote"
                        + " [db0: not the right role; db1: eligible]");
    }

    @Test
    void namesWhatASubscriptionAsks() {
        assertThat(Routing.read()).hasToString("read");
        assertThat(Routing.write()).hasToString("write");
        assertThat(Routing.read().freshness(Freshness.latest())).hasToString("read, latest");
    }

    private static ServerState server(
            int index,
            String name,
            ServerRole role,
            ServerStatus status,
            long lsn,
            boolean tooFarBehind,
            String problem) {
        return new ServerState(
                index,
                name,
                List.of("eu"),
                role,
                status,
                new WalPosition("7", 1, lsn),
                new ServerIdentity("7", "start"),
                1,
                tooFarBehind,
                problem);
    }

    @Test
    void keepsWhatItKnowsOfTheLineWhenItLearnsOfLags() {
        Lineage line = Lineage.of(2, List.of(new WalPosition("7", 1, 50)));
        RoutingTable table = new RoutingTable(1, List.of(), null, "7", line, 3);

        RoutingTable withLags = table.withLags(server -> Lag.UNKNOWN);

        assertThat(withLags.lineage()).isEqualTo(line);
        assertThat(withLags.followed()).isEqualTo(3);
    }
}
