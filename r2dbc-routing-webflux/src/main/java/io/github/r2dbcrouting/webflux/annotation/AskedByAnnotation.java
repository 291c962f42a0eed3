package io.github.r2dbcrouting.webflux.annotation;

import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.WhenBehind;
import io.github.r2dbcrouting.webflux.RoutingConfigurationException;
import java.time.Duration;
import java.util.function.UnaryOperator;
import org.springframework.boot.convert.DurationStyle;
import org.springframework.core.annotation.MergedAnnotation;

/** What entry does an annotation stand for? Pure. */
final class AskedByAnnotation {

    private final MergedAnnotation<ReadFrom> annotation;
    private final String place;
    private final UnaryOperator<String> placeholders;

    private AskedByAnnotation(MergedAnnotation<ReadFrom> annotation, String place, UnaryOperator<String> placeholders) {
        this.annotation = annotation;
        this.place = place;
        this.placeholders = placeholders;
    }

    /**
     * Reads an annotation.
     *
     * @param annotation what was found
     * @param place where, for people
     * @param placeholders resolves those in texts
     * @return the entry
     * @throws RoutingConfigurationException if it cannot be meant
     */
    static Routing entry(MergedAnnotation<ReadFrom> annotation, String place, UnaryOperator<String> placeholders) {
        return new AskedByAnnotation(annotation, place, placeholders).entry();
    }

    private Routing entry() {
        String policy = text("policy");
        String maxStaleness = text("maxStaleness");
        String maxWait = text("maxWait");
        Freshness.Kind[] kinds = annotation.getEnumArray("freshness", Freshness.Kind.class);
        WhenBehind[] whenBehind = annotation.getEnumArray("whenBehind", WhenBehind.class);
        if (kinds.length > 1 || whenBehind.length > 1) {
            throw refused("names several values where one is meant", "Name one.");
        }
        boolean more = !policy.isEmpty() || !maxStaleness.isEmpty() || !maxWait.isEmpty() || whenBehind.length > 0;
        Routing entry = Routing.read();
        if (kinds.length == 1) {
            if (kinds[0] == Freshness.Kind.LATEST && more) {
                throw refused(
                        "asks for the latest, which only the primary has, and for something of replicas",
                        "Leave out one of the two.");
            }
            entry = entry.freshness(freshness(kinds[0], maxStaleness));
        } else if (!maxStaleness.isEmpty()) {
            entry = entry.freshness(atMost(maxStaleness));
        }
        if (!policy.isEmpty()) {
            entry = entry.policy(policy);
        }
        if (!maxWait.isEmpty()) {
            entry = entry.maxWait(duration("maxWait", maxWait, Duration.ZERO));
        }
        return whenBehind.length == 1 ? entry.whenBehind(whenBehind[0]) : entry;
    }

    private Freshness freshness(Freshness.Kind kind, String maxStaleness) {
        if (kind == Freshness.Kind.AT_MOST) {
            if (maxStaleness.isEmpty()) {
                throw refused(
                        "asks for AT_MOST and does not say how old", "Say maxStaleness = \"500ms\", for example.");
            }
            return atMost(maxStaleness);
        }
        if (!maxStaleness.isEmpty()) {
            throw refused(
                    "asks for " + kind + " and for a bound of age, and a read has one of the two",
                    "Leave out one of them.");
        }
        return switch (kind) {
            case ANY -> Freshness.any();
            case CAUSAL -> Freshness.causal();
            case LATEST -> Freshness.latest();
            case AT_MOST -> throw new AssertionError(kind);
        };
    }

    private Freshness atMost(String maxStaleness) {
        return Freshness.atMost(duration("maxStaleness", maxStaleness, Duration.ofMillis(1)));
    }

    private Duration duration(String attribute, String text, Duration least) {
        Duration duration;
        try {
            duration = DurationStyle.detectAndParse(text);
        } catch (IllegalArgumentException malformed) {
            throw refused(
                    "has " + attribute + " = \"" + text + "\", which is no duration",
                    "Write it as 500ms, 2s, 5m or PT0.5S.");
        }
        if (duration.compareTo(least) < 0) {
            throw refused(
                    "has " + attribute + " = \"" + text + "\", and it must be at least " + least.toMillis() + " ms",
                    "Write a longer one.");
        }
        return duration;
    }

    private String text(String attribute) {
        String text = annotation.getString(attribute);
        try {
            return placeholders.apply(text).trim();
        } catch (IllegalArgumentException unresolved) {
            throw refused(
                    "has " + attribute + " = \"" + text + "\", which cannot be resolved",
                    "Set the property, or give it a default: ${name:default}.");
        }
    }

    private RoutingConfigurationException refused(String what, String action) {
        return new RoutingConfigurationException("@ReadFrom on " + place + " " + what + ".", action);
    }
}
