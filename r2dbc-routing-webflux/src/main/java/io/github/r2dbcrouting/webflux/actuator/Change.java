package io.github.r2dbcrouting.webflux.actuator;

import io.github.r2dbcrouting.PolicySyntaxException;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.ServerSpec;
import io.github.r2dbcrouting.Topology;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What shall be different? Holds until it is said otherwise, or the application is started again. */
final class Change {

    private static final String RULES = "rules of the policy language, such as tags(near)->min(2); all()";

    private static final Pattern TAG = Pattern.compile("[A-Za-z0-9_-]+");

    private final RoutingConnectionFactory factory;

    Change(RoutingConnectionFactory factory) {
        this.factory = factory;
    }

    /** Puts a policy in the place of the one of the same name, or adds it. */
    Mono<Void> policy(String name, @Nullable String text) {
        return Mono.fromRunnable(() -> {
            if (text == null) {
                throw Refused.bad("text", "there is no text", RULES);
            }
            try {
                factory.replacePolicy(name, text);
            } catch (PolicySyntaxException bad) {
                throw Refused.bad("text", bad.getMessage(), RULES, bad.offset());
            } catch (IllegalArgumentException bad) {
                throw Refused.bad("name", bad.getMessage(), "letters, digits and _");
            }
        });
    }

    /**
     * Gives a server other tags or another weight, drains or resumes it. All that is said is looked at before any of it is
     * done.
     */
    Mono<Void> server(String name, @Nullable String tags, @Nullable String weight, @Nullable String enabled) {
        return Mono.defer(() -> {
            Topology topology = factory.topology();
            if (!factory.serverNames().contains(name)) {
                throw Refused.missing("name", "there is no server '" + name + "'", "one of " + factory.serverNames());
            }
            // all of it is read before any of it is done
            List<Mono<Void>> steps = new ArrayList<>();
            if (tags != null) {
                steps.add(topology.tags(name, listed(tags)));
            }
            if (weight != null) {
                steps.add(topology.weight(name, number(weight)));
            }
            if (enabled != null) {
                steps.add(bool(enabled) ? topology.enable(name) : topology.disable(name));
            }
            if (steps.isEmpty()) {
                throw Refused.bad("body", "nothing shall be different", "tags, weight or enabled");
            }
            return Flux.concat(steps)
                    .then()
                    // it was removed meanwhile
                    .onErrorMap(
                            IllegalArgumentException.class,
                            gone -> Refused.bad("name", gone.getMessage(), "one of " + factory.serverNames()));
        });
    }

    private static String[] listed(String tags) {
        String[] listed = Arrays.stream(tags.split(",", -1))
                .map(String::trim)
                .filter(tag -> !tag.isEmpty())
                .toArray(String[]::new);
        for (int i = 0; i < listed.length; i++) {
            if (!TAG.matcher(listed[i]).matches()) {
                throw Refused.bad(
                        "tags",
                        "number " + (i + 1) + " of them is no tag",
                        "letters, digits, _ and -, with commas between the tags");
            }
        }
        return listed;
    }

    private static double number(String weight) {
        try {
            double number = Double.parseDouble(weight);
            if (number >= ServerSpec.LEAST_WEIGHT && number <= ServerSpec.GREATEST_WEIGHT) {
                return number;
            }
        } catch (NumberFormatException bad) {
            // as any other text that is no weight
        }
        throw Refused.bad(
                "weight",
                "'" + weight + "' is no weight",
                "a number from " + ServerSpec.LEAST_WEIGHT + " to " + ServerSpec.GREATEST_WEIGHT);
    }

    private static boolean bool(String enabled) {
        return switch (enabled) {
            case "true" -> true;
            case "false" -> false;
            default -> throw Refused.bad("enabled", "'" + enabled + "' is neither", "true or false");
        };
    }
}
