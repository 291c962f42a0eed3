package io.github.r2dbcrouting;

import io.github.r2dbcrouting.internal.monitor.ClusterMonitor.Reconfiguration;
import io.github.r2dbcrouting.internal.monitor.MonitoredServer;
import io.github.r2dbcrouting.internal.monitor.MonitoredServer.Service;
import io.github.r2dbcrouting.spi.ServerDescription;
import io.r2dbc.pool.ConnectionPoolConfiguration;
import io.r2dbc.spi.ConnectionFactory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Which servers shall there be, of all that the application, its sources and the database say?
 *
 * <p>In layers: servers that the application names, and those that sources find; over their settings what the
 * application has changed since; over that what the database says. A server that comes back gets another index: none is
 * ever given to another server. Used within the monitor's tasks only.
 */
final class Roster {

    /** Of names that sources and tables say: they are shown, and are tags of meters. */
    private static final int LONGEST_NAME = 128;

    private static final int MOST_TAGS = 100;

    private final Map<String, Entry> own = new LinkedHashMap<>();
    private final Map<String, Map<String, Entry>> found = new LinkedHashMap<>();
    private final Map<String, Change> changes = new LinkedHashMap<>();
    private Map<String, ServerDescription> stored = Map.of();
    private final Map<String, Running> running = new LinkedHashMap<>();
    private int next;

    /**
     * A server that can be connected to.
     *
     * @param address tells it from another one of the same name
     * @param factory connects the monitor
     * @param decorated connects the application
     */
    record Entry(
            Object address,
            ConnectionFactory factory,
            ConnectionFactory decorated,
            List<String> tags,
            double weight,
            boolean enabled,
            Consumer<ConnectionPoolConfiguration.Builder> pool) {}

    /** What the application has changed since it named a server, or a source found it; {@code null}: nothing. */
    record Change(
            @Nullable List<String> tags,
            @Nullable Double weight,
            @Nullable Boolean enabled) {

        private static final Change NONE = new Change(null, null, null);

        private Change then(Change later) {
            return new Change(
                    later.tags == null ? tags : later.tags,
                    later.weight == null ? weight : later.weight,
                    later.enabled == null ? enabled : later.enabled);
        }
    }

    private record Running(MonitoredServer server, Object address) {}

    void add(String name, Entry entry) {
        if (running.containsKey(name) || own.putIfAbsent(name, entry) != null) {
            throw new IllegalArgumentException("there are two servers named '" + name + "'");
        }
    }

    void remove(String name) {
        require(name);
        if (!own.containsKey(name)) {
            throw new IllegalArgumentException("server '" + name + "' comes from a source, which would add it again:"
                    + " remove it there, or disable it here");
        }
        if (running.size() == 1) {
            throw new IllegalArgumentException(
                    "server '" + name + "' is the last one: add another before it is removed");
        }
        var unused = own.remove(name);
    }

    void change(String name, Change change) {
        require(name);
        changes.merge(name, change, Change::then);
    }

    private void require(String name) {
        if (!running.containsKey(name)) {
            throw new IllegalArgumentException("there is no server '" + name + "', only " + running.keySet());
        }
    }

    /** What a source has found: all of it, instead of what it had found before. */
    void found(String source, Map<String, Entry> servers) {
        found.put(source, new LinkedHashMap<>(servers));
    }

    /** What a source has found until now. */
    Map<String, Entry> foundBy(String source) {
        return found.getOrDefault(source, Map.of());
    }

    /** Whether somebody else than a source knows a server of the name. */
    boolean knows(String name, String otherThan) {
        return own.containsKey(name)
                || found.entrySet().stream()
                        .anyMatch(source -> !source.getKey().equals(otherThan)
                                && source.getValue().containsKey(name));
    }

    void stored(Map<String, ServerDescription> said) {
        stored = Map.copyOf(said);
    }

    Map<String, ServerDescription> stored() {
        return stored;
    }

    /**
     * Makes the servers those that there shall be.
     *
     * @param opened hears of each server before it is added
     */
    void apply(Reconfiguration reconfiguration, BiConsumer<MonitoredServer, Entry> opened) {
        Map<String, Entry> wanted = wanted();
        changes.keySet().retainAll(wanted.keySet());
        for (Map.Entry<String, Running> before : List.copyOf(running.entrySet())) {
            Entry entry = wanted.get(before.getKey());
            Running was = before.getValue();
            if (entry == null || !entry.address.equals(was.address)) {
                reconfiguration.replace(was.server.removed());
                var unused = running.remove(before.getKey());
            }
        }
        wanted.forEach((name, entry) -> {
            Running was = running.get(name);
            int index = was == null ? next : was.server.index();
            MonitoredServer now = new MonitoredServer(
                    index,
                    name,
                    entry.tags,
                    was == null ? entry.factory : was.server.factory(),
                    entry.weight,
                    entry.enabled ? Service.IN_USE : Service.DISABLED);
            if (was == null) {
                opened.accept(now, entry);
                reconfiguration.add(now);
                next++;
            } else if (!now.equals(was.server)) {
                reconfiguration.replace(now);
            }
            running.put(name, new Running(now, entry.address));
        });
    }

    /** The servers that there are now, in the order of their indexes. */
    List<MonitoredServer> servers() {
        return running.values().stream().map(Running::server).toList();
    }

    private Map<String, Entry> wanted() {
        Map<String, Entry> wanted = new LinkedHashMap<>();
        own.forEach((name, entry) -> wanted.put(name, changed(name, entry)));
        found.values()
                .forEach(servers -> servers.forEach((name, entry) -> {
                    // what the application named itself is not taken away from it by a source that uses the same name
                    var unused = wanted.putIfAbsent(name, changed(name, entry));
                }));
        return wanted;
    }

    private Entry changed(String name, Entry entry) {
        Change change = Objects.requireNonNull(changes.getOrDefault(name, Change.NONE));
        ServerDescription said = stored.get(name);
        List<String> tags = change.tags == null ? entry.tags : change.tags;
        double weight = change.weight == null ? entry.weight : change.weight;
        boolean enabled = change.enabled == null ? entry.enabled : change.enabled;
        if (said != null) {
            tags = said.tags() == null ? tags : said.tags();
            weight = said.weight() == null ? weight : said.weight();
            // whoever disables a server means it
            enabled &= said.enabled();
        }
        return new Entry(entry.address, entry.factory, entry.decorated, tags, weight, enabled, entry.pool);
    }

    /** Tells what is wrong with what a source says of a server; {@code null} if nothing is. */
    static @Nullable String fault(ServerDescription server) {
        try {
            Servers.checkName(server.name());
            if (server.name().length() > LONGEST_NAME) {
                return "its name has more than " + LONGEST_NAME + " characters";
            }
            if (server.tags() != null) {
                if (server.tags().size() > MOST_TAGS
                        || server.tags().stream().anyMatch(tag -> tag.length() > LONGEST_NAME)) {
                    return "it has more than " + MOST_TAGS + " tags, or one of more than " + LONGEST_NAME
                            + " characters";
                }
                server.tags().forEach(tag -> Names.check(tag, "a tag", "_-"));
            }
            if (server.weight() != null) {
                var unused = new ServerSpec().weight(server.weight());
            }
            Integer port = server.port();
            if (port != null && (port < 1 || port > 65_535)) {
                return "its port is not from 1 to 65535";
            }
            return null;
        } catch (IllegalArgumentException malformed) {
            return malformed.getMessage();
        }
    }

    @Override
    public String toString() {
        List<String> lines = new ArrayList<>();
        for (MonitoredServer server : servers()) {
            lines.add(server.name());
        }
        return lines.stream().collect(Collectors.joining(", ", "[", "]"));
    }

    Set<String> names() {
        return running.keySet();
    }
}
