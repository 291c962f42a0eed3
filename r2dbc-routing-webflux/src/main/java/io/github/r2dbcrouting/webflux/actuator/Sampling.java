package io.github.r2dbcrouting.webflux.actuator;

import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.RoutingTable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import reactor.core.Disposable;

/**
 * What does whoever looks see? Hears decisions from when it is made until it is disposed of, and makes one frame after
 * another for all who look.
 *
 * <p>{@link #next} is called by one thread at a time; what is told besides may be asked for by any.
 */
final class Sampling implements Disposable {

    /** So many decisions are in one frame. */
    static final int DECISIONS = 20;

    /** So many are told to who comes later, and to who asks once. */
    static final int RECENT = 60;

    private final RouterView view;
    private final EventLog events;
    private final DecisionLog decisions = new DecisionLog();
    private final Past past = new Past();
    private final Disposable hearing;
    private volatile String last = "";
    private long frames;
    private long lastAt;
    private long decisionsFrom;
    private long eventsFrom;

    Sampling(RoutingConnectionFactory factory, EventLog events) {
        this.view = new RouterView(factory);
        this.events = events;
        this.eventsFrom = events.end();
        this.hearing = factory.listen(decisions);
    }

    /** Makes the next frame, as JSON: it is written once for all who look. */
    String next() {
        long at = System.nanoTime();
        double seconds = frames == 0 ? 0 : Math.max((at - lastAt) / 1e9, 1e-3);
        long decisionsEnd = decisions.end();
        long eventsEnd = events.end();
        RoutingTable table = view.table();
        List<RouterReport.Server> servers = view.servers(table);
        RouterReport.Frame frame = new RouterReport.Frame(
                frames,
                Math.rint(seconds * 1e3) / 1e3,
                table.cluster(),
                table.version(),
                RouterView.primary(table),
                servers,
                view.policies(),
                view.sources(),
                view.counters(),
                decisions.rates(seconds, names(servers)),
                decisions.oneIn(),
                decisions.some(decisionsFrom, DECISIONS),
                events.since(eventsFrom));
        if (frames > 0) {
            decisions.adapt(seconds);
        }
        frames++;
        lastAt = at;
        decisionsFrom = decisionsEnd;
        eventsFrom = eventsEnd;
        past.add(at, frame);
        String written = Json.text(frame);
        last = written;
        return written;
    }

    private static Set<String> names(List<RouterReport.Server> servers) {
        return servers.stream().map(RouterReport.Server::name).collect(Collectors.toSet());
    }

    /** The last frame; empty before the first. */
    String last() {
        return last;
    }

    /** What there was before. */
    RouterReport.Past past() {
        return past.told(System.nanoTime(), decisions.some(0, RECENT), events.since(0));
    }

    /** What was decided lately. */
    RouterReport.Recent recent() {
        List<RouterReport.Decision> newestFirst = new ArrayList<>(decisions.some(0, RECENT));
        Collections.reverse(newestFirst);
        return new RouterReport.Recent(decisions.oneIn(), newestFirst);
    }

    @Override
    public void dispose() {
        hearing.dispose();
    }

    @Override
    public boolean isDisposed() {
        return hearing.isDisposed();
    }
}
