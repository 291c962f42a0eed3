package io.github.r2dbcrouting.webflux.actuator;

import io.github.r2dbcrouting.Intent;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What were the last {@value #POINTS} frames, as far as charts need it? Added to by one thread at a time, and told to any.
 */
final class Past {

    /** Two minutes. */
    static final int POINTS = 120;

    private static final String READ = RouterView.lower(Intent.READ);

    private volatile List<Point> points = List.of();

    private record Point(long at, Map<String, RouterReport.Server> servers, Map<String, Double> reads) {}

    void add(long at, RouterReport.Frame frame) {
        Map<String, RouterReport.Server> servers = new LinkedHashMap<>();
        frame.servers().forEach(server -> servers.put(server.name(), server));
        Map<String, Double> reads = new LinkedHashMap<>();
        for (RouterReport.Rate rate : frame.rates()) {
            if (rate.server() != null && READ.equals(rate.intent())) {
                reads.merge(rate.server(), rate.perSecond(), Double::sum);
            }
        }
        List<Point> before = points;
        List<Point> after = new ArrayList<>(before.subList(Math.max(0, before.size() - POINTS + 1), before.size()));
        after.add(new Point(at, servers, reads));
        points = after;
    }

    RouterReport.Past told(long now, List<RouterReport.Decision> decisions, List<RouterReport.Event> events) {
        List<Point> all = points;
        Set<String> names = new LinkedHashSet<>();
        all.forEach(point -> names.addAll(point.servers.keySet()));
        Map<String, List<@Nullable Double>> staleness = new LinkedHashMap<>();
        Map<String, List<@Nullable Long>> bytesBehind = new LinkedHashMap<>();
        Map<String, List<Double>> reads = new LinkedHashMap<>();
        for (String name : names) {
            staleness.put(name, each(all, point -> {
                RouterReport.Server server = point.servers.get(name);
                return server == null ? null : server.staleness();
            }));
            bytesBehind.put(name, each(all, point -> {
                RouterReport.Server server = point.servers.get(name);
                return server == null ? null : server.bytesBehind();
            }));
            reads.put(name, each(all, point -> point.reads.getOrDefault(name, 0.0)));
        }
        return new RouterReport.Past(
                each(all, point -> Math.rint((now - point.at) / 1e8) / 10),
                staleness,
                bytesBehind,
                reads,
                decisions,
                events);
    }

    private static <T extends @Nullable Object> List<T> each(List<Point> points, Function<Point, T> value) {
        List<T> values = new ArrayList<>(points.size());
        points.forEach(point -> values.add(value.apply(point)));
        return values;
    }
}
