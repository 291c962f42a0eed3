package io.github.r2dbcrouting.internal.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.RouteDecision.Reason;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RouteTests {

    private static final Set<Reason> LACKING =
            EnumSet.of(Reason.NO_REPLICA_COVERS, Reason.NO_REPLICA_FRESH, Reason.NO_REPLICA, Reason.WRITE_PENDING);
    private static final Set<Reason> SPREAD =
            EnumSet.of(Reason.COVERS_TOKEN, Reason.FRESH_ENOUGH, Reason.NOTHING_TO_COVER);

    private final ServerState primary = server(0, ServerRole.PRIMARY);
    private final ServerState replica = server(1, ServerRole.REPLICA);
    private final RoutingTable both = new RoutingTable(1, List.of(primary, replica), primary, "7");
    private final RoutingTable alone = new RoutingTable(1, List.of(primary), primary, "7");

    @ParameterizedTest
    @EnumSource(Reason.class)
    void fallsBackToThePrimaryWhereAReplicaShouldServe(Reason reason) {
        assertThat(new Route(primary, reason, List.of(), both).fallsBack()).isEqualTo(LACKING.contains(reason));
        assertThat(new Route(primary, reason, List.of(), alone).fallsBack()).isFalse();
        assertThat(new Route(replica, reason, List.of(), both).fallsBack()).isFalse();
        assertThat(new Route(null, reason, List.of(), both).fallsBack()).isFalse();
    }

    @ParameterizedTest
    @EnumSource(Reason.class)
    void isSpreadWhereAnotherServerMayDoAsWell(Reason reason) {
        assertThat(new Route(replica, reason, List.of(), both).spread()).isEqualTo(SPREAD.contains(reason));
    }

    @Test
    void isHaltedWhereNobodyServesAlthoughThereIsAPrimary() {
        RoutingTable headless = new RoutingTable(1, List.of(replica), null, "7");

        assertThat(new Route(null, Reason.NO_REPLICA, List.of(), both).halted()).isTrue();
        assertThat(new Route(null, Reason.NO_REPLICA, List.of(), headless).halted())
                .isFalse();
        assertThat(new Route(primary, Reason.NO_REPLICA, List.of(), both).halted())
                .isFalse();
    }

    @Test
    void isCompletedByWhatItWasGranted() {
        Permit permit = new Permit(() -> {});
        Route route = new Route(primary, Reason.NO_REPLICA_COVERS, List.of(), both);

        Route after = route.after(permit, Duration.ofMillis(5));

        assertThat(after.permit()).isSameAs(permit);
        assertThat(after.waited()).isEqualTo(Duration.ofMillis(5));
        assertThat(after.server()).isSameAs(primary);
        assertThat(after.reason()).isEqualTo(Reason.NO_REPLICA_COVERS);
        assertThat(route.permit()).isNull();
    }

    private static ServerState server(int index, ServerRole role) {
        return new ServerState(index, "db" + index, List.of(), role, ServerStatus.UP, null, null, 0, false, null);
    }
}
