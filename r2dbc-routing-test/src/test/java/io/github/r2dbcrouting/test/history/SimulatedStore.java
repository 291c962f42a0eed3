package io.github.r2dbcrouting.test.history;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A store that keeps every guarantee, as replicas of one log do that are read no earlier than at their session's position.
 * Writes stay under way for a while, some end without anybody knowing how, and failovers lose the end of the log.
 */
final class SimulatedStore {

    private static final int SESSIONS = 12;
    private static final int KEYS = 6;

    private final Random random;
    private final boolean failovers;
    private final boolean endsKnown;
    private final HistoryRecorder recorder = new HistoryRecorder();
    private final List<Entry> log = new ArrayList<>();
    private final List<User> users = new ArrayList<>();
    private final List<Entry> late = new ArrayList<>();
    private long value;
    private int branch;

    private record Entry(boolean list, long key, long value) {}

    /** One thing at a time: what is under way takes effect, and ends, in later steps. */
    private static final class User {
        final long session;
        int position;
        int branch;
        Runnable next = () -> {};
        boolean busy;

        User(long session) {
            this.session = session;
        }
    }

    private SimulatedStore(long seed, boolean failovers, boolean endsKnown) {
        this.random = new Random(seed);
        this.failovers = failovers;
        this.endsKnown = endsKnown;
        for (int i = 0; i < SESSIONS; i++) {
            users.add(new User(i));
        }
    }

    static History run(long seed, int steps, boolean failovers, boolean endsKnown) {
        SimulatedStore store = new SimulatedStore(seed, failovers, endsKnown);
        for (int i = 0; i < steps; i++) {
            store.step();
        }
        return store.finish();
    }

    private void step() {
        if (failovers && random.nextInt(500) == 0 && log.size() > 10) {
            failOver();
        }
        if (!late.isEmpty() && random.nextInt(4) == 0) {
            log.add(late.remove(random.nextInt(late.size())));
        }
        User user = users.get(random.nextInt(users.size()));
        if (user.busy) {
            user.next.run();
        } else if (user.branch != branch) {
            user.branch = branch;
            user.position = log.size();
            recorder.told(user.session);
        } else if (random.nextInt(3) == 0) {
            write(user);
        } else {
            read(user);
        }
    }

    private void failOver() {
        int cut = log.size() - 1 - random.nextInt(5);
        Switch change = recorder.switched();
        while (log.size() > cut) {
            Entry lost = log.remove(log.size() - 1);
            if (lost.list) {
                change.lost(lost.key, lost.value);
            }
        }
        branch++;
        change.followed();
    }

    private void write(User user) {
        boolean list = random.nextBoolean();
        Entry entry = new Entry(list, random.nextInt(KEYS), ++value);
        WriteInvocation write = list
                ? recorder.append(user.session, entry.key, entry.value)
                : recorder.set(user.session, entry.key, entry.value);
        int fate = random.nextInt(20);
        user.busy = true;
        user.next = () -> {
            user.busy = false;
            if (user.branch != branch) {
                // the primary is another one: nobody knows
                write.unknown();
            } else if (fate == 0) {
                write.failed();
            } else if (fate < 3) {
                write.unknown();
                if (fate == 1) {
                    late.add(entry);
                }
            } else {
                log.add(entry);
                user.position = log.size();
                user.busy = true;
                user.next = () -> {
                    user.busy = false;
                    write.ok();
                };
            }
        };
    }

    private void read(User user) {
        boolean list = random.nextBoolean();
        long[] keys = random.nextInt(4) == 0
                ? new long[] {random.nextInt(KEYS), random.nextInt(KEYS)}
                : new long[] {random.nextInt(KEYS)};
        ReadInvocation read =
                list ? recorder.readLists(user.session, keys) : recorder.readRegisters(user.session, keys);
        user.busy = true;
        user.next = () -> {
            user.busy = false;
            if (user.branch != branch) {
                read.failed();
                return;
            }
            int stale = random.nextInt(5) == 0 ? random.nextInt(20) : 0;
            int at = Math.max(user.position, log.size() - stale);
            user.position = at;
            List<List<Long>> seen = new ArrayList<>();
            for (long key : keys) {
                seen.add(list ? values(true, key, at) : last(values(false, key, at)));
            }
            user.busy = true;
            user.next = () -> {
                user.busy = false;
                read.ok(seen, "position " + at);
            };
        };
    }

    private static List<Long> last(List<Long> values) {
        return values.isEmpty() ? values : values.subList(values.size() - 1, values.size());
    }

    private List<Long> values(boolean list, long key, int until) {
        return log.subList(0, until).stream()
                .filter(entry -> entry.list == list && entry.key == key)
                .map(Entry::value)
                .toList();
    }

    private History finish() {
        users.forEach(user -> {
            while (user.busy) {
                user.next.run();
            }
        });
        if (endsKnown) {
            Map<Long, List<Long>> all = new HashMap<>();
            for (long key = 0; key < KEYS; key++) {
                all.put(key, values(true, key, log.size()));
                recorder.finalRegister(key, values(false, key, log.size()));
            }
            all.forEach(recorder::finalList);
        }
        return recorder.history();
    }
}
