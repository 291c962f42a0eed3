package io.github.r2dbcrouting.test.history;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What had to be seen? One operation comes before another if its session did it before, or if a read saw it, or by
 * several such steps. Searches walk them backwards, and no further than to the time at which what they seek began, so
 * that a search is as large as the read was stale.
 */
final class Causes {

    private final Index index;
    private long searches;

    /** What is searched for, and when does a search have to stop? */
    record Question(Node read, long since, boolean forgetsWhatWasTold) {}

    Causes(Index index) {
        this.index = index;
    }

    long newSearch() {
        return ++searches;
    }

    /**
     * Finds a write that a read had to see.
     *
     * @param asked the read
     * @param search its number, which those that are sought bear
     * @return the write, with the way back to the read in {@link Node#from}; {@code null} if there is none
     */
    @Nullable
    Node find(Question asked, long search) {
        Deque<Node> frontier = new ArrayDeque<>();
        Node start = asked.read;
        start.reached = search;
        start.from = null;
        Node found = expand(start, asked, search, frontier);
        while (found == null && !frontier.isEmpty()) {
            found = expand(frontier.removeFirst(), asked, search, frontier);
        }
        return found;
    }

    private @Nullable Node expand(Node node, Question asked, long search, Deque<Node> frontier) {
        Node found = bySession(node, asked, search, frontier);
        return found != null ? found : bySight(node, asked, search, frontier);
    }

    /** What its session had done before. Of what all earlier operations lead to, those that overlap stand for the rest. */
    private @Nullable Node bySession(Node node, Question asked, long search, Deque<Node> frontier) {
        long begun = 0;
        for (int i = node.position - 1; i >= 0; i--) {
            Node before = node.session.get(i);
            if (before.latestEnd < begun) {
                break;
            }
            if (before.completed() < node.invoked()) {
                begun = Math.max(begun, before.invoked());
                if (asked.forgetsWhatWasTold && index.toldBetween(before, before.completed(), node.invoked())) {
                    continue;
                }
                if (reach(before, node, false, asked, search, frontier)) {
                    return before;
                }
            }
        }
        return null;
    }

    private @Nullable Node bySight(Node node, Question asked, long search, Deque<Node> frontier) {
        if (!node.isAnswer() || (node.unfollowed && node.from != null)) {
            return null;
        }
        for (int k = 0; k < node.operation.keyCount(); k++) {
            KeyHistory key = index.key(node.operation, k);
            long[] values = node.operation.seenValues(k);
            for (int i = values.length - 1; i >= 0; i--) {
                int place = key.position(values[i]);
                if (place >= 0 && key.latestUpTo(place) < asked.since) {
                    break;
                }
                Node write = key.write(values[i]);
                if (write != null && reach(write, node, true, asked, search, frontier)) {
                    return write;
                }
            }
        }
        return null;
    }

    /** Returns whether it is sought, and had to be seen: a write of unknown outcome only once somebody has seen it. */
    @SuppressWarnings("ReferenceEquality") // there is one object for each session
    private static boolean reach(
            Node node, Node from, boolean bySight, Question asked, long search, Deque<Node> frontier) {
        boolean fresh = node.reached != search;
        if (fresh) {
            node.reached = search;
            node.from = from;
            node.bySight = bySight;
        }
        boolean certain = bySight ? node.seen != search : fresh && node.operation.outcome() == Outcome.OK;
        if (bySight) {
            node.seen = search;
        }
        if (certain && node.sought == search) {
            node.from = from;
            node.bySight = bySight;
            return true;
        }
        // whatever leads to what is sought began, or was answered, after that
        long latest = node.operation.action().writes() ? node.invoked() : node.completed();
        if (fresh && latest > asked.since) {
            if (node.session == asked.read.session) {
                frontier.addFirst(node);
            } else {
                frontier.addLast(node);
            }
        }
        return false;
    }

    /** The steps from a read back to what was found: the read, then whatever leads on. */
    static List<Node> way(Node found) {
        List<Node> way = new ArrayList<>();
        for (Node node = found; node != null; node = node.from) {
            way.add(0, node);
        }
        return way;
    }
}
