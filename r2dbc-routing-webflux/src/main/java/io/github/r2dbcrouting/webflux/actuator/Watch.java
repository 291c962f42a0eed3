package io.github.r2dbcrouting.webflux.actuator;

import io.github.r2dbcrouting.RoutingConnectionFactory;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.codec.ServerSentEvent;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Scheduler;

/**
 * Who looks, and what do they see?
 *
 * <p>All who look share one {@link Sampling}: it begins with the first of them, and ends {@link #GRACE} after the last, so
 * that nobody's history is gone when a page is loaded again. A viewer that is slow misses frames and holds nothing up.
 * Thread-safe.
 */
final class Watch implements Disposable {

    static final Duration INTERVAL = Duration.ofSeconds(1);
    static final Duration GRACE = Duration.ofSeconds(5);

    /** Who asks once counts as looking for so long: the second question finds what was decided since the first. */
    static final Duration GLANCE = Duration.ofSeconds(30);

    private static final Logger LOG = LoggerFactory.getLogger(Watch.class);
    private static final Duration RECONNECT = Duration.ofSeconds(2);

    private final EventLog events;
    private final Flux<String> frames;
    private final AtomicReference<@Nullable Sampling> sampling = new AtomicReference<>();
    private final Disposable.Swap glance = Disposables.swap();
    private final Sinks.Empty<Void> closed = Sinks.empty();
    private final Scheduler scheduler;

    Watch(RoutingConnectionFactory factory, Scheduler scheduler) {
        this.events = new EventLog(factory.events());
        this.scheduler = scheduler;
        this.frames = Flux.using(
                        () -> begun(factory),
                        begun -> Flux.interval(Duration.ZERO, INTERVAL, scheduler)
                                .onBackpressureDrop()
                                .map(tick -> begun.next()),
                        this::ended)
                .takeUntilOther(closed.asMono())
                .publish()
                .refCount(1, GRACE, scheduler);
    }

    private Sampling begun(RoutingConnectionFactory factory) {
        Sampling begun = new Sampling(factory, events);
        sampling.set(begun);
        return begun;
    }

    private void ended(Sampling ended) {
        ended.dispose();
        sampling.compareAndSet(ended, null);
    }

    /** Whether anything is sampled now. */
    boolean sampling() {
        return sampling.get() != null;
    }

    /**
     * What a page is told: {@code past}, then a {@code frame} each second.
     *
     * @return never ends by itself but when the application does
     */
    Flux<ServerSentEvent<String>> stream() {
        Flux<ServerSentEvent<String>> live = frames.onBackpressureLatest().map(frame -> event("frame", frame));
        return Flux.concat(Flux.defer(this::before), live);
    }

    private Flux<ServerSentEvent<String>> before() {
        Sampling now = sampling.get();
        if (now == null) {
            return Flux.just(event("past", Json.text(new Past().told(System.nanoTime(), List.of(), events()))));
        }
        Flux<ServerSentEvent<String>> past = Flux.just(event("past", Json.text(now.past())));
        String last = now.last();
        return last.isEmpty() ? past : past.concatWithValues(event("frame", last));
    }

    private static ServerSentEvent<String> event(String name, String json) {
        return ServerSentEvent.builder(json).event(name).retry(RECONNECT).build();
    }

    /** Looks for a moment: what is decided from now on is there when this is called again. */
    RouterReport.Recent glance() {
        // the new look begins before the old one ends, so that the sampling goes on
        var unused = glance.update(frames.take(GLANCE, scheduler)
                .subscribe(frame -> {}, error -> LOG.warn("what the router decides is not watched any more", error)));
        Sampling now = sampling.get();
        return now == null ? new RouterReport.Recent(1, List.of()) : now.recent();
    }

    /** What has changed lately, the oldest first. */
    List<RouterReport.Event> events() {
        return events.since(0);
    }

    /** Ends all streams: a server that shuts down waits for them. */
    @Override
    public void dispose() {
        var unused = closed.tryEmitEmpty();
        glance.dispose();
        events.dispose();
    }

    @Override
    public boolean isDisposed() {
        return events.isDisposed();
    }
}
