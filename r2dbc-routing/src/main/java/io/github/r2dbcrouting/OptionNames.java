package io.github.r2dbcrouting;

import io.r2dbc.spi.ConnectionFactoryOptions;
import io.r2dbc.spi.Option;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Which options were given, and which one was meant by a name that there is not? */
final class OptionNames {

    /** A slip of the keyboard or two; beyond that a suggestion misleads. */
    private static final int MAX_SLIPS = 2;

    private OptionNames() {}

    /** Every option that has a value, in the order of their names. */
    static List<Option<?>> given(ConnectionFactoryOptions options) {
        TreeSet<Option<?>> all = new TreeSet<>(Comparator.comparing(Option::name));
        // there is no other way to list them
        var unused = ConnectionFactoryOptions.builder().from(options, all::add);
        return List.copyOf(all);
    }

    /** The known name nearest to one that is not known; {@code null} if none is near. */
    static @Nullable String nearest(String name, Collection<String> known) {
        String nearest = null;
        int least = Math.min(MAX_SLIPS, name.length() / 3) + 1;
        for (String candidate : known) {
            int slips = slips(name.toLowerCase(Locale.ROOT), candidate.toLowerCase(Locale.ROOT));
            if (slips < least) {
                least = slips;
                nearest = candidate;
            }
        }
        return nearest;
    }

    /** The insertions, deletions and replacements that lead from one to the other (Levenshtein's distance). */
    private static int slips(String from, String to) {
        int[] above = new int[to.length() + 1];
        for (int j = 0; j <= to.length(); j++) {
            above[j] = j;
        }
        for (int i = 1; i <= from.length(); i++) {
            int[] row = new int[to.length() + 1];
            row[0] = i;
            for (int j = 1; j <= to.length(); j++) {
                int replaced = above[j - 1] + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(replaced, 1 + Math.min(above[j], row[j - 1]));
            }
            above = row;
        }
        return above[to.length()];
    }
}
