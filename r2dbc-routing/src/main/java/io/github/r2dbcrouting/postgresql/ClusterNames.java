package io.github.r2dbcrouting.postgresql;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Which text do all positions of a cluster name it by?
 *
 * <p>An application holds a position for each of its sessions, and of few clusters: the text would be larger than the rest
 * of it. Thread-safe. Another identifier may take a place at any time, also one that somebody made up: then positions that
 * come later hold another equal text, and that is all.
 */
final class ClusterNames {

    private static final AtomicReferenceArray<String> KNOWN = new AtomicReferenceArray<>(64);

    private ClusterNames() {}

    static String shared(String name) {
        int hash = name.hashCode();
        int place = (hash ^ hash >>> 16) & (KNOWN.length() - 1);
        String known = KNOWN.get(place);
        if (name.equals(known)) {
            return known;
        }
        KNOWN.set(place, name);
        return name;
    }
}
