package io.github.r2dbcrouting;

import io.github.r2dbcrouting.internal.text.Printable;
import io.github.r2dbcrouting.spi.ServerDescription;
import io.github.r2dbcrouting.spi.StoredTopology;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/**
 * What of that which the database says is followed?
 *
 * <p>Of a server that the application knows: its tags, its weight, whether it is enabled, and never its address. Another
 * one is added only at an address that the application allows, since credentials are sent there. A row that is malformed
 * leaves what was known of its server. A policy that is none leaves the one before it.
 */
final class StoredSettings {

    /** What it is called in messages. */
    static final String NAME = "the database";

    private static final int LONGEST_POLICY = 10_000;

    /** The tables may lack the checks of the script that makes them. */
    private static final int LONGEST_SHOWN = 80;

    private final RunningServers servers;
    private final Set<String> allowed;
    private final RunningServers.@Nullable Template template;
    private final Function<String, @Nullable String> policyText;
    private final BiConsumer<String, String> replacePolicy;
    private final Consumer<RoutingEvent> events;
    private final Map<String, String> followed = new HashMap<>();
    private final Map<String, String> before = new HashMap<>();

    /**
     * Creates the rule.
     *
     * @param servers what is changed
     * @param allowed where servers may be added, each as {@code host:port}
     * @param template how those are connected to; {@code null} if none may be added
     * @param policyText what a policy says now; {@code null} if there is none of the name
     * @param replacePolicy puts a policy into another's place; throws if it is none
     * @param events hears of policies that were replaced
     */
    StoredSettings(
            RunningServers servers,
            Set<String> allowed,
            RunningServers.@Nullable Template template,
            Function<String, @Nullable String> policyText,
            BiConsumer<String, String> replacePolicy,
            Consumer<RoutingEvent> events) {
        this.servers = servers;
        this.allowed =
                allowed.stream().map(host -> host.toLowerCase(Locale.ROOT)).collect(Collectors.toSet());
        this.template = template;
        this.policyText = policyText;
        this.replacePolicy = replacePolicy;
        this.events = events;
    }

    /** The servers that may be added; some of them may be known already. Opens no connection. */
    Mono<Map<String, Roster.Entry>> added(StoredTopology said) {
        RunningServers.Template how = template;
        List<ServerDescription> rows = said.servers().stream()
                .filter(row -> Roster.fault(row) == null && isAllowed(row))
                .toList();
        return how == null || rows.isEmpty() ? Mono.just(Map.of()) : servers.entries(NAME, rows, how);
    }

    /** Follows what the database says. Within the monitor's tasks, one answer after the other. */
    List<String> follow(Roster roster, StoredTopology said, Map<String, Roster.Entry> opened) {
        List<String> problems = new ArrayList<>();
        Map<String, ServerDescription> known = new LinkedHashMap<>();
        Map<String, Roster.Entry> added = new LinkedHashMap<>();
        for (ServerDescription row : said.servers()) {
            String fault = Roster.fault(row);
            if (fault != null) {
                problems.add("the row of a server is not followed: " + fault);
                ServerDescription was = roster.stored().get(row.name());
                Roster.Entry found = roster.foundBy(NAME).get(row.name());
                if (was != null) {
                    known.put(row.name(), was);
                }
                if (found != null) {
                    added.put(row.name(), found);
                }
            } else if (roster.knows(row.name(), NAME)) {
                known.put(row.name(), row);
            } else if (opened.containsKey(row.name())) {
                added.put(row.name(), Objects.requireNonNull(opened.get(row.name())));
            } else {
                problems.add("server '" + row.name() + "' is not added: its address is not among those that the"
                        + " application allows");
            }
        }
        roster.found(NAME, added);
        roster.stored(known);
        follow(said.policies(), problems);
        return problems;
    }

    private boolean isAllowed(ServerDescription row) {
        return row.host() != null
                && row.port() != null
                && allowed.contains((row.host() + ":" + row.port()).toLowerCase(Locale.ROOT));
    }

    private void follow(Map<String, String> policies, List<String> problems) {
        policies.forEach((name, text) -> {
            if (text.equals(followed.get(name))) {
                return;
            }
            try {
                if (text.length() > LONGEST_POLICY) {
                    throw new IllegalArgumentException("it is longer than " + LONGEST_POLICY + " characters");
                }
                String was = policyText.apply(name);
                replacePolicy.accept(name, text);
                if (was != null && !followed.containsKey(name)) {
                    before.put(name, was);
                }
                followed.put(name, text);
                events.accept(new RoutingEvent.PolicyReplaced(NAME, name));
            } catch (IllegalArgumentException refused) {
                problems.add("the policy '" + Printable.of(name, LONGEST_SHOWN) + "' is not followed: "
                        + refused.getMessage());
            }
        });
        for (String gone : List.copyOf(followed.keySet())) {
            String was = before.get(gone);
            if (!policies.containsKey(gone) && was != null) {
                replacePolicy.accept(gone, was);
                events.accept(new RoutingEvent.PolicyReplaced("the application", gone));
            }
            if (!policies.containsKey(gone)) {
                followed.remove(gone);
                before.remove(gone);
            }
        }
    }
}
