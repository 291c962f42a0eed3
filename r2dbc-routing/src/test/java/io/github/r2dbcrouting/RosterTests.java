package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.r2dbcrouting.fake.FakeServer;
import io.github.r2dbcrouting.internal.monitor.ClusterMonitor.Reconfiguration;
import io.github.r2dbcrouting.internal.monitor.MonitoredServer;
import io.github.r2dbcrouting.internal.monitor.MonitoredServer.Service;
import io.github.r2dbcrouting.spi.ServerDescription;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RosterTests {

    private final Roster roster = new Roster();
    private final List<String> changes = new ArrayList<>();

    private static Roster.Entry entry(String address, String... tags) {
        FakeServer server = new FakeServer(address, ServerRole.REPLICA);
        return new Roster.Entry(address, server, server, List.of(tags), 1, true, pool -> {});
    }

    private void apply() {
        changes.clear();
        roster.apply(
                new Reconfiguration() {
                    @Override
                    public void add(MonitoredServer server) {
                        changes.add("add " + server.index() + " " + server.name());
                    }

                    @Override
                    public void replace(MonitoredServer server) {
                        boolean removed = server.service() == Service.REMOVED;
                        changes.add((removed ? "remove " : "change ") + server.index() + " " + server.name());
                    }
                },
                (server, entry) -> changes.add("pool " + server.index()));
    }

    private MonitoredServer server(String name) {
        return roster.servers().stream()
                .filter(server -> server.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private void two() {
        roster.add("db0", entry("a", "eu"));
        roster.add("db1", entry("b", "us"));
        apply();
    }

    @Test
    void hasThePoolOfAServerBeforeTheServer() {
        two();

        assertThat(changes).containsExactly("pool 0", "add 0 db0", "pool 1", "add 1 db1");
    }

    @Test
    void changesNothingWhereNothingIsDifferent() {
        two();

        apply();

        assertThat(changes).isEmpty();
    }

    @Test
    void neverGivesAnIndexToAnotherServer() {
        two();

        roster.remove("db0");
        apply();
        assertThat(changes).containsExactly("remove 0 db0");

        roster.add("db0", entry("a"));
        apply();
        assertThat(changes).containsExactly("pool 2", "add 2 db0");
    }

    @Test
    void takesAnotherAddressForAnotherServer() {
        roster.found("dns", Map.of("db0", entry("a")));
        apply();

        roster.found("dns", Map.of("db0", entry("b")));
        apply();

        assertThat(changes).containsExactly("remove 0 db0", "pool 1", "add 1 db0");
    }

    @Test
    void letsTheDatabaseHaveTheLastWordOnTagsAndWeights() {
        two();
        roster.change("db0", new Roster.Change(List.of("asia"), 2.0, null));
        apply();
        assertThat(server("db0").tags()).containsExactly("asia");

        roster.stored(Map.of("db0", new ServerDescription("db0", "elsewhere", 1, List.of("near"), null, true)));
        apply();
        assertThat(changes).containsExactly("change 0 db0");
        assertThat(server("db0").tags()).containsExactly("near");
        assertThat(server("db0").weight()).isEqualTo(2);

        roster.stored(Map.of());
        apply();
        assertThat(server("db0").tags()).containsExactly("asia");
    }

    @Test
    void enablesAServerOnlyIfNobodyHasDisabledIt() {
        two();
        roster.stored(Map.of("db0", new ServerDescription("db0", null, null, null, null, false)));
        roster.change("db0", new Roster.Change(null, null, true));
        apply();
        assertThat(server("db0").service()).isEqualTo(Service.DISABLED);

        roster.stored(Map.of());
        roster.change("db0", new Roster.Change(null, null, false));
        apply();
        assertThat(server("db0").service()).isEqualTo(Service.DISABLED);

        roster.change("db0", new Roster.Change(null, null, true));
        apply();
        assertThat(server("db0").service()).isEqualTo(Service.IN_USE);
    }

    @Test
    void refusesToRemoveWhatASourceHasFoundAndTheLastServer() {
        roster.found("dns", Map.of("db0", entry("a")));
        apply();

        assertThatIllegalArgumentException()
                .isThrownBy(() -> roster.remove("db0"))
                .withMessageContaining("a source");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> roster.remove("db9"))
                .withMessage("there is no server 'db9', only [db0]");
        roster.found("dns", new LinkedHashMap<>());
        roster.add("db1", entry("b"));
        apply();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> roster.remove("db1"))
                .withMessageContaining("the last");
    }

    @Test
    void forgetsWhatWasChangedOfAServerThatIsGone() {
        two();
        roster.change("db1", new Roster.Change(List.of("x"), null, null));
        roster.remove("db1");
        apply();
        roster.add("db1", entry("b", "us"));
        apply();

        assertThat(server("db1").tags()).containsExactly("us");
    }

    @Test
    void saysWhatIsWrongWithADescription() {
        assertThat(Roster.fault(new ServerDescription("db0", "h", 5432))).isNull();
        assertThat(Roster.fault(new ServerDescription("a b", "h", 5432))).contains("a server's name");
        assertThat(Roster.fault(new ServerDescription("db0", "h", 0))).contains("port");
        assertThat(Roster.fault(new ServerDescription("db0", null, null, List.of("a b"), null, true)))
                .contains("a tag");
        assertThat(Roster.fault(new ServerDescription("db0", null, null, null, Double.NaN, true)))
                .contains("a weight");
    }
}
