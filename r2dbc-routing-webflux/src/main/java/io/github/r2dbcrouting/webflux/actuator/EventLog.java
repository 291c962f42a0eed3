package io.github.r2dbcrouting.webflux.actuator;

import io.github.r2dbcrouting.RoutingEvent;
import io.github.r2dbcrouting.ServerStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;

/**
 * What has changed in the cluster lately? Hears from when it is made, also while nobody looks: who comes to see what
 * happened has not been there when it did. Changes are rare, and only the last {@value #SIZE} are kept. Thread-safe.
 */
final class EventLog implements Disposable {

    static final int SIZE = 100;

    private static final Logger LOG = LoggerFactory.getLogger(EventLog.class);

    private final Disposable hearing;
    private volatile List<Heard> heard = List.of();

    private record Heard(long id, long at, RoutingEvent event) {}

    EventLog(Flux<RoutingEvent> events) {
        this.hearing = events.subscribe(this::add, error -> LOG.warn("topology events are not heard any more", error));
    }

    /** One event after the other, as a stream tells them. */
    private void add(RoutingEvent event) {
        List<Heard> before = heard;
        List<Heard> after = new ArrayList<>(before.subList(Math.max(0, before.size() - SIZE + 1), before.size()));
        after.add(new Heard(end(before), System.nanoTime(), event));
        heard = after;
    }

    /** The number that the next one gets. */
    long end() {
        return end(heard);
    }

    private static long end(List<Heard> heard) {
        return heard.isEmpty() ? 0 : heard.get(heard.size() - 1).id + 1;
    }

    /** Those from a number on, the oldest first. */
    List<RouterReport.Event> since(long from) {
        long now = System.nanoTime();
        return heard.stream()
                .filter(event -> event.id >= from)
                .map(event -> told(event.id, Duration.ofNanos(Math.max(now - event.at, 0)), event.event))
                .toList();
    }

    @Override
    public void dispose() {
        hearing.dispose();
    }

    @Override
    public boolean isDisposed() {
        return hearing.isDisposed();
    }

    private static RouterReport.Event told(long id, Duration ago, RoutingEvent event) {
        return new RouterReport.Event(
                id, ago.toMillis(), event.getClass().getSimpleName(), server(event), inWords(event));
    }

    private static @Nullable String server(RoutingEvent event) {
        if (event instanceof RoutingEvent.PrimaryChanged change) {
            return change.to();
        } else if (event instanceof RoutingEvent.ServerChanged change) {
            return change.server();
        } else if (event instanceof RoutingEvent.ServerAdded added) {
            return added.server();
        } else if (event instanceof RoutingEvent.ServerRemoved removed) {
            return removed.server();
        } else if (event instanceof RoutingEvent.ServerReconfigured changed) {
            return changed.server();
        } else if (event instanceof RoutingEvent.WritePossiblyLost lost) {
            return lost.server();
        }
        return null;
    }

    private static String inWords(RoutingEvent event) {
        if (event instanceof RoutingEvent.PrimaryChanged change) {
            return changed(change);
        } else if (event instanceof RoutingEvent.ServerChanged change) {
            String problem = change.problem();
            return change.server() + " is " + RouterView.lower(change.status())
                    + (change.status() == ServerStatus.UP ? " as " + RouterView.lower(change.role()) : "")
                    + (problem == null ? "" : ": " + problem);
        } else if (event instanceof RoutingEvent.ServerAdded added) {
            return added.server() + " was added";
        } else if (event instanceof RoutingEvent.ServerRemoved removed) {
            return removed.server() + " was removed";
        } else if (event instanceof RoutingEvent.ServerReconfigured changed) {
            return changed.server() + " has the tags " + changed.tags() + " and the weight " + changed.weight();
        } else if (event instanceof RoutingEvent.TopologyRefused refused) {
            return refused.source() + " is not followed: " + refused.problem();
        } else if (event instanceof RoutingEvent.PolicyReplaced replaced) {
            return "policy " + replaced.policy() + " was replaced by " + replaced.source();
        } else if (event instanceof RoutingEvent.WritePossiblyLost lost) {
            return "a write may be lost" + (lost.server() == null ? "" : " that was sent to " + lost.server());
        } else if (event instanceof RoutingEvent.TokenRejected rejected) {
            return "a token was ahead of the primary, at " + rejected.position();
        }
        return event.toString();
    }

    private static String changed(RoutingEvent.PrimaryChanged change) {
        if (change.to() == null) {
            return "there is no primary" + (change.from() == null ? "" : " any more; it was " + change.from());
        }
        return change.to() + " is the primary" + (change.from() == null ? "" : "; before it was " + change.from());
    }
}
