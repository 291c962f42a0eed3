package io.github.r2dbcrouting.simulation;

import java.util.PriorityQueue;
import reactor.core.Disposable;

/**
 * What happens next?
 *
 * <p>Everything that happens in a simulation is a step: a task at a moment of virtual time. One follows the other on the
 * thread that runs the simulation; which of those that are ready comes first is up to the seed, since each comes after a
 * delay by chance. Time passes only from one step to the next.
 */
final class Agenda {

    static final long MICROSECOND = 1_000;
    static final long MILLISECOND = 1_000_000;

    private final PriorityQueue<Step> steps = new PriorityQueue<>();
    private long now = 1_000 * MILLISECOND;
    private long added;
    private long taken;
    private long hash;
    private long pausedUntil;

    /** One task, which can be taken back. */
    final class Step implements Comparable<Step>, Disposable {
        private long at;
        private final long number;
        private final boolean routers;
        private Runnable task;

        private Step(long at, Runnable task, boolean routers) {
            this.at = at;
            this.number = added++;
            this.task = task;
            this.routers = routers;
        }

        @Override
        public int compareTo(Step other) {
            return at != other.at ? Long.compare(at, other.at) : Long.compare(number, other.number);
        }

        @Override
        public void dispose() {
            task = null;
        }

        @Override
        public boolean isDisposed() {
            return task == null;
        }
    }

    /** Nanoseconds since an arbitrary moment. */
    long now() {
        return now;
    }

    /** How many steps were taken. */
    long taken() {
        return taken;
    }

    /** Tells two runs apart: equal if the same things happened at the same times. */
    long hash() {
        return hash;
    }

    void note(long what) {
        hash = Chance.mix(hash * 31 + what);
    }

    /** Something happens in the cluster or on the network. */
    Step after(long delay, Runnable task) {
        return add(now + delay, task, false);
    }

    /** Something happens in the process of the router: not while that stands still. */
    Step routerAfter(long delay, Runnable task) {
        return add(now + delay, task, true);
    }

    Step routerAt(long time, Runnable task) {
        return add(Math.max(time, now), task, true);
    }

    private Step add(long time, Runnable task, boolean routers) {
        Step step = new Step(time, task, routers);
        steps.add(step);
        return step;
    }

    /** The process of the router stands still, as in a long garbage collection. */
    void pauseRouter(long duration) {
        pausedUntil = Math.max(pausedUntil, now + duration);
    }

    /** Takes the next step, if it is due by the time. */
    boolean step(long until) {
        while (true) {
            Step next = steps.peek();
            if (next == null || next.at > until) {
                now = Math.max(now, until);
                return false;
            }
            steps.poll();
            Runnable task = next.task;
            if (task == null) {
                continue;
            }
            if (next.routers && next.at < pausedUntil) {
                // in the order in which they were due
                next.at = pausedUntil;
                steps.add(next);
                continue;
            }
            now = next.at;
            next.task = null;
            taken++;
            note(now);
            task.run();
            return true;
        }
    }
}
