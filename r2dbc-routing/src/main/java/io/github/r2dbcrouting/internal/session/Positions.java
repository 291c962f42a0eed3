package io.github.r2dbcrouting.internal.session;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.spi.Position;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * Which positions remain of several?
 *
 * <p>Pure functions. What they return is unmodifiable, and the very list that was passed where nothing else is in it: so
 * those who captured a position together share it, and what an idle session holds is small.
 */
final class Positions {

    private Positions() {}

    /** Those of both that no other covers. Where they are too many, the first ones crowd out those that come then. */
    static List<Position> merged(List<Position> first, List<Position> then) {
        if (then.isEmpty() || covers(first, then)) {
            return first;
        }
        if (first.isEmpty() || covers(then, first)) {
            return then;
        }
        return CausalToken.of(first).merge(CausalToken.of(then)).positions();
    }

    private static boolean covers(List<Position> one, List<Position> other) {
        return one.size() == 1 && other.size() == 1 && one.get(0).covers(other.get(0));
    }

    static List<Position> without(List<Position> positions, Predicate<Position> dropped) {
        return count(positions, dropped) == 0
                ? positions
                : positions.stream().filter(dropped.negate()).toList();
    }

    static int count(List<Position> positions, Predicate<Position> wanted) {
        int count = 0;
        for (int i = 0; i < positions.size(); i++) {
            if (wanted.test(positions.get(i))) {
                count++;
            }
        }
        return count;
    }

    static List<Position> of(String cluster, List<Position> positions) {
        if (positions.size() <= 1) {
            return positions.isEmpty() || positions.get(0).cluster().equals(cluster) ? positions : List.of();
        }
        List<Position> own = new ArrayList<>(positions.size());
        for (int i = 0; i < positions.size(); i++) {
            if (positions.get(i).cluster().equals(cluster)) {
                own.add(positions.get(i));
            }
        }
        return own;
    }
}
