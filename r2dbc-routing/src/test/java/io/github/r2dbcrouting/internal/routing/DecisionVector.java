package io.github.r2dbcrouting.internal.routing;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Lag;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.internal.session.Floors;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.internal.session.SightedFloor;
import io.github.r2dbcrouting.policy.Policy;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.Lineage;
import io.github.r2dbcrouting.spi.LoadBalancer;
import io.github.r2dbcrouting.spi.Position;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;

/** One line of {@code decisions.txt}, with the topology above it. The router's clock stands at 0. */
final class DecisionVector {

    private final String name;
    private final Topology topology;
    private final String text;
    private final List<String> conditions;
    private final Map<String, Integer> servers = new TreeMap<>();
    private final Map<String, String> refusals = new TreeMap<>();
    private final String reason;
    private final SessionState session = new SessionState();

    /** Servers as they are written, and how much of the load each shall have. */
    private record Topology(String name, RoutingTable table) {}

    private DecisionVector(Topology topology, String line) {
        this.name = topology.name + ": " + line;
        this.topology = topology;
        String[] sides = line.split(" => ", -1);
        List<String> given = new ArrayList<>(List.of(sides[0].split(" \\| ", -1)));
        this.text = given.remove(0);
        this.conditions = given;
        String[] outcome = sides[1].split(" : ", -1);
        List<String> words = new ArrayList<>(List.of(outcome[0].split(" ", -1)));
        this.reason = words.remove(words.size() - 1);
        for (String word : words) {
            String[] share = word.split(":", -1);
            servers.put(share[0], share.length == 1 ? 0 : Integer.parseInt(share[1]));
        }
        for (String refusal : outcome.length == 1 ? new String[0] : outcome[1].split(", ", -1)) {
            refusals.put(refusal.split(" ", -1)[0], refusal.split(" ", -1)[1]);
        }
        for (String token : text.startsWith("causal ") ? text.substring(7).split(" and ", -1) : new String[0]) {
            session.observe(CausalToken.of(List.of(position(token))));
        }
        condition("seen ").forEach(this::see);
        if (conditions.contains("pending") || conditions.contains("wrote lately")) {
            session.primaryFor(
                    conditions.contains("wrote lately") ? Duration.ofHours(1).toNanos() : 0);
            var unused = session.begin("7", false, () -> {});
        }
    }

    private void see(String server) {
        Floors floors = new Floors() {
            @Override
            public void find(SightedFloor floor) {}

            @Override
            public long now() {
                return 7;
            }
        };
        session.beginRead(floors, identity(server), 1, 5).ended(6);
    }

    static Stream<DecisionVector> all() {
        try (InputStream file = Objects.requireNonNull(DecisionVector.class.getResourceAsStream("decisions.txt"))) {
            List<DecisionVector> vectors = new ArrayList<>();
            Topology topology = null;
            List<String> lines = new ArrayList<>();
            for (String line : new String(file.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList()) {
                if (line.isBlank() || line.startsWith("#")) {
                    continue;
                }
                if (line.startsWith("topology ")) {
                    topology = null;
                    lines.clear();
                    lines.add(line.substring("topology ".length()));
                } else if (line.contains(" => ")) {
                    topology = topology == null ? topology(lines) : topology;
                    vectors.add(new DecisionVector(topology, line));
                } else {
                    lines.add(line);
                }
            }
            return vectors.stream();
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    private static Topology topology(List<String> lines) {
        List<ServerState> servers = new ArrayList<>();
        Lineage lineage = null;
        for (String line : lines.subList(1, lines.size())) {
            Iterator<String> words = Arrays.asList(line.split(" ", -1)).iterator();
            String first = words.next();
            if (first.equals("followed")) {
                String[] history = line.split(" ", -1);
                lineage = Lineage.of(Long.parseLong(history[1]), List.of(position(history[5] + "@" + history[3])));
                continue;
            }
            ServerRole role = ServerRole.valueOf(words.next().toUpperCase(Locale.ROOT));
            ServerStatus status = ServerStatus.UP;
            Position at = null;
            Lag lag = Lag.UNKNOWN;
            List<String> tags = List.of();
            double weight = 1;
            boolean far = false;
            while (words.hasNext()) {
                String word = words.next();
                switch (word) {
                    case "at" -> at = position(words.next());
                    case "lag" -> lag = new Lag(-Long.parseLong(words.next()) * 1_000_000, Duration.ZERO);
                    case "tags" -> tags = List.of(words.next().split(",", -1));
                    case "weight" -> weight = Double.parseDouble(words.next());
                    case "far" -> far = true;
                    default -> status = ServerStatus.valueOf(word.toUpperCase(Locale.ROOT));
                }
            }
            servers.add(new ServerState(
                    servers.size(), first, tags, role, status, at, identity(first), 1, far, null, lag, weight));
        }
        ServerState primary = servers.stream()
                .filter(server -> server.role() == ServerRole.PRIMARY)
                .findFirst()
                .orElse(null);
        int followed = primary == null ? RoutingTable.NOBODY : primary.index();
        return new Topology(lines.get(0), new RoutingTable(1, servers, primary, "7", lineage, followed));
    }

    private static WalPosition position(String written) {
        String[] parts = written.split("@", -1);
        return new WalPosition("7", parts.length == 1 ? 1 : Integer.parseInt(parts[1]), Long.parseLong(parts[0]));
    }

    private static ServerIdentity identity(String server) {
        return new ServerIdentity("7", "start of " + server);
    }

    private List<String> condition(String beginning) {
        return conditions.stream()
                .filter(condition -> condition.startsWith(beginning))
                .flatMap(condition ->
                        Stream.of(condition.substring(beginning.length()).split(" ", -1)))
                .toList();
    }

    private BitSet indexes(String beginning) {
        BitSet indexes = new BitSet();
        condition(beginning)
                .forEach(server -> topology.table.servers().stream()
                        .filter(state -> state.name().equals(server))
                        .forEach(state -> indexes.set(state.index())));
        return indexes;
    }

    Router router() {
        Ejections ejections = new Ejections(() -> 0);
        indexes("ejected ").stream().forEach(server -> {
            for (int failure = 0; failure < Ejections.FAILURES; failure++) {
                ejections.failed(server, topology.table.replicas().size());
            }
        });
        String policy = String.join(" ", condition("policy "));
        Policies policies = policy.isEmpty() ? Policies.NONE : Policies.NONE.with("default", Policy.parse(policy));
        return new Router(
                server -> 0,
                new Random(1)::nextInt,
                conditions.contains("without freshness first")
                        ? Safeguards.without(Safeguard.FRESHNESS_FIRST)
                        : Safeguards.all(),
                ejections,
                () -> 0,
                Duration.ZERO,
                new Router.Preferences(
                        policies,
                        conditions.contains("primary reads"),
                        byWeight() ? LoadBalancer.random() : LoadBalancer.powerOfTwoChoices()));
    }

    Ask ask() {
        Freshness freshness = switch (text.split(" ", -1)[0]) {
            case "any" -> Freshness.any();
            case "latest" -> Freshness.latest();
            case "atmost" -> Freshness.atMost(Duration.ofMillis(Long.parseLong(text.split(" ", -1)[1])));
            default -> Freshness.causal();
        };
        Ask ask = Ask.of(text.equals("write") ? Routing.write() : Routing.read().freshness(freshness), session);
        return conditions.contains("placed") ? ask.afterFloors() : ask;
    }

    RoutingTable table() {
        return topology.table;
    }

    BitSet avoid() {
        return indexes("avoid ");
    }

    /** Who may be drawn, with its share in percent; 0 if that does not matter. */
    Map<String, Integer> servers() {
        return servers;
    }

    boolean byWeight() {
        return servers.values().stream().anyMatch(share -> share > 0);
    }

    String reason() {
        return reason;
    }

    Map<String, String> refusals() {
        return refusals;
    }

    @Override
    public String toString() {
        return name;
    }
}
