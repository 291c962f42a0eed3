package io.github.r2dbcrouting;

import io.github.r2dbcrouting.internal.routing.Router;
import io.github.r2dbcrouting.internal.text.Printable;
import io.github.r2dbcrouting.policy.Policy;
import io.github.r2dbcrouting.spi.Engine;
import io.github.r2dbcrouting.spi.TopologySource;
import io.r2dbc.spi.ConnectionFactoryOptions;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import reactor.core.scheduler.Scheduler;

/** Where do servers, their settings and policies come from besides the builder? Not thread-safe. */
final class TopologySettings {

    private static final int USUAL_PORT = 5432;
    private static final int LONGEST_SHOWN = 80;

    private final Map<TopologySource, RunningServers.Template> sources = new LinkedHashMap<>();
    private @Nullable Duration stored;
    private Set<String> allowed = Set.of();

    void source(TopologySource source, RunningServers.Template template, Servers servers) {
        boolean taken = source.name().equals(StoredSettings.NAME)
                || sources.keySet().stream().anyMatch(other -> other.name().equals(source.name()));
        if (taken) {
            throw new IllegalArgumentException("there are two sources named '" + source.name() + "'");
        }
        // what is wrong with the options or the settings is said now, not when the first server is found
        servers.check(source.name(), template.options(), template.settings());
        sources.put(source, template);
    }

    void stored(Duration interval) {
        stored = interval;
    }

    void allowed(String... addresses) {
        Set<String> all = new LinkedHashSet<>();
        for (String address : addresses) {
            int colon = address.lastIndexOf(':');
            String host = colon < 0 ? address : address.substring(0, colon);
            Integer port =
                    colon < 0 ? Integer.valueOf(USUAL_PORT) : OptionType.COUNT.read(address.substring(colon + 1));
            if (host.isBlank() || port == null || port < 1 || port > 65_535) {
                throw new IllegalArgumentException(
                        "'" + Printable.of(address, LONGEST_SHOWN) + "' is no address; expected host or host:port");
            }
            all.add(host + ":" + port);
        }
        allowed = all;
    }

    boolean findsServers() {
        return !sources.isEmpty();
    }

    /** Prepares the sources; none is asked yet. */
    void openSources(
            RunningServers servers,
            Servers named,
            Router router,
            Engine engine,
            Consumer<RoutingEvent> events,
            Scheduler timers) {
        sources.forEach((source, template) -> servers.source(source, template, events, timers));
        if (stored == null) {
            if (!allowed.isEmpty()) {
                throw new IllegalArgumentException(
                        "storedServersAt allows the database to add servers, but storedTopology is not set");
            }
            return;
        }
        ConnectionFactoryOptions first = named.firstOptions();
        if (first == null && !sources.isEmpty()) {
            first = sources.values().iterator().next().options();
        }
        if (first == null && !allowed.isEmpty()) {
            throw new IllegalArgumentException("storedServersAt needs a server that is given by its URL or options:"
                    + " those that are added are connected to as it is");
        }
        RunningServers.Template template = first == null || allowed.isEmpty()
                ? null
                : new RunningServers.Template(StoredSettings.NAME, first, spec -> {});
        StoredSettings settings = new StoredSettings(
                servers,
                allowed,
                template,
                name -> {
                    Policy policy = router.policies().byName().get(name);
                    return policy == null ? null : policy.toString();
                },
                (name, text) -> {
                    Names.check(name, "a policy's name", "_");
                    router.replacePolicy(name, Policy.parse(text));
                },
                events);
        servers.stored(Objects.requireNonNull(stored), engine, settings, events, timers);
    }
}
