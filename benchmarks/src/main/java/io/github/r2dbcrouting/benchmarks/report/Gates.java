package io.github.r2dbcrouting.benchmarks.report;

import io.github.r2dbcrouting.benchmarks.report.Summary.Gate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** What must hold for a run to count? */
public final class Gates {

    /** How stale the naive control must be for the absence of staleness elsewhere to say something. */
    public static final double CONTROL = 0.01;

    private Gates() {}

    /**
     * Returns how many position queries a write may cost.
     *
     * @param writers writers at a time
     * @return the most, for each write
     */
    public static double positionQueries(int writers) {
        return writers >= 64 ? 0.05 : writers >= 16 ? 0.15 : 1.0;
    }

    /**
     * Checks one workload.
     *
     * @param routers how each router fared
     * @param readsItsWrites the names of the routers of which no read may be stale
     * @param control the name of the router that must be seen to be stale, where users read back at once; else empty
     * @param writers how many wrote at a time
     * @return what was checked
     */
    public static List<Gate> check(
            List<RouterSummary> routers, Set<String> readsItsWrites, Optional<String> control, int writers) {
        List<Gate> gates = new ArrayList<>();
        for (RouterSummary router : routers) {
            if (readsItsWrites.contains(router.router())) {
                gates.add(stale(router));
            }
            control.filter(router.router()::equals).ifPresent(name -> gates.add(control(router)));
            Double queries = router.positionQueriesPerWrite();
            if (queries != null && router.writesTotal() > 0) {
                gates.add(positions(router, queries, writers));
            }
        }
        return gates;
    }

    private static Gate stale(RouterSummary router) {
        return new Gate(
                router.router() + ": stale reads",
                router.workload(),
                "0 of at least 1 read",
                router.staleReads() + " of " + router.readsTotal(),
                router.staleReads() == 0 && router.readsTotal() > 0);
    }

    private static Gate control(RouterSummary router) {
        return new Gate(
                router.router() + ", the control: stale reads",
                router.workload(),
                String.format(Locale.ROOT, "more than %.0f %%", CONTROL * 100),
                String.format(Locale.ROOT, "%.2f %%", router.staleShare() * 100),
                router.staleShare() > CONTROL);
    }

    private static Gate positions(RouterSummary router, double queries, int writers) {
        double most = positionQueries(writers);
        return new Gate(
                router.router() + ": position queries per write, " + writers + " writers",
                router.workload(),
                String.format(Locale.ROOT, "at most %.2f", most),
                String.format(Locale.ROOT, "%.3f", queries),
                queries <= most);
    }
}
