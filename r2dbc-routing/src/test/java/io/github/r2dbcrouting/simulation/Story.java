package io.github.r2dbcrouting.simulation;

import io.github.r2dbcrouting.simulation.Happening.What;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Supplier;

/**
 * What happens, under which circumstances?
 *
 * <p>A seed draws a story. That, and the seed of everything that happens by chance while it is played, decide all of it.
 *
 * @param seed of what happens by chance while it is played
 * @param happenings what happens, in the order of time
 */
record Story(long seed, Settings settings, List<Happening> happenings) {

    static final int USERS = 3;
    private static final int KEYS = 3;

    /** Hears what happens, in words, if anybody wants to know. */
    interface Teller {
        Teller SILENT = words -> {};

        void tell(Supplier<String> words);
    }

    static Story drawn(long seed) {
        Chance chance = Chance.of(seed, 1);
        return new Story(seed, Settings.drawn(chance), new Drawing(chance).happenings());
    }

    /** Within so many microseconds everything in it begins. */
    long length() {
        return happenings.isEmpty() ? 0 : happenings.get(happenings.size() - 1).at();
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        text.append("seed ").append(seed).append(": ").append(settings).append('\n');
        happenings.forEach(happening -> text.append(happening).append('\n'));
        return text.toString();
    }

    /** Draws what happens: users all the time, and a few troubles. */
    private static final class Drawing {

        private final Chance chance;
        private final List<Happening> all = new ArrayList<>();
        private int numbers;

        private Drawing(Chance chance) {
            this.chance = chance;
        }

        List<Happening> happenings() {
            long at = 0;
            int wanted = chance.between(10, 28);
            // in bursts: what is done at once meets what has not come about yet
            for (int i = 0; i < wanted; i++) {
                at += chance.percent(30) ? chance.below(25_000) : chance.below(2_500);
                user(at);
            }
            int troubles = chance.between(1, 3);
            for (int i = 0; i < troubles; i++) {
                trouble(chance.below(at + 1));
            }
            Collections.sort(all);
            return List.copyOf(all);
        }

        private void add(long at, What what, int who, int key, int amount) {
            all.add(new Happening(at, what, who, key, amount, ++numbers));
        }

        private void user(long at) {
            int user = chance.below(USERS);
            int key = chance.below(KEYS);
            int patience = chance.percent(12) ? chance.between(1, 6_000) : 0;
            int luck = chance.below(100);
            if (luck < 26) {
                add(at, chance.percent(70) ? What.APPEND : What.APPEND_LITERAL, user, key, patience);
            } else if (luck < 34) {
                add(at, What.TRANSACTION, user, key, patience);
            } else if (luck < 66) {
                add(at, What.READ, user, key, patience);
            } else if (luck < 72) {
                add(at, What.WAITING_READ, user, key, patience);
            } else if (luck < 79) {
                add(at, What.READ_ANY, user, key, patience);
            } else if (luck < 84) {
                add(at, What.READ_AT_MOST, user, key, chance.oneOf(List.of(20, 50, 100, 200)));
            } else if (luck < 87) {
                add(at, What.LATEST, user, key, patience);
            } else if (luck < 92) {
                add(at, What.READ_ONLY_TRANSACTION, user, key, patience);
            } else {
                add(at, What.HAND_OVER, user, chance.below(USERS), 0);
            }
        }

        private void trouble(long at) {
            int replica = 1 + chance.below(2);
            int any = chance.below(3);
            switch (chance.below(17)) {
                case 0, 1 -> add(at, What.PAUSE_REPLAY, replica, 0, chance.between(2, 80));
                case 2, 3 -> replicaCrash(at, replica);
                case 4 -> add(at, What.BACKEND_CRASH, 0, 0, 0);
                case 5 -> add(at, What.KILL, any, 0, chance.between(1, 100));
                case 6, 7, 8 -> failover(at, replica);
                case 9 -> add(at, What.CUT_CLIENTS, any, 0, chance.between(5, 150));
                case 10 -> add(at, What.CUT_UPSTREAM, replica, 0, chance.between(5, 150));
                case 11 -> add(at, chance.percent(50) ? What.UNFINISHED : What.OPEN_WRITER, 0, 0, 0);
                case 12 -> add(at, What.RELOAD, 0, 0, chance.below(2));
                case 13 -> add(at, What.RESET, any, 0, 0);
                case 14 -> add(at, What.PAUSE_ROUTER, 0, 0, chance.between(1, 120));
                case 15 -> add(at, What.RESTART_POINT, replica, 0, 0);
                default -> add(at, What.FLUSH_PAGES, 0, 0, 0);
            }
        }

        /** What was replayed is gone for a while, and users go on as if nothing had happened. */
        private void replicaCrash(long at, int replica) {
            int user = chance.below(USERS);
            int key = chance.below(KEYS);
            add(at, What.APPEND, user, key, 0);
            long then = at + chance.between(5_000, 60_000);
            boolean whole = chance.percent(30);
            add(then, whole ? What.KILL : What.BACKEND_CRASH, replica, 0, whole ? chance.between(1, 10) : 0);
            if (chance.percent(80)) {
                add(then, What.PAUSE_REPLAY, replica, 0, chance.between(20, 120));
            }
            for (int i = 0; i < 4; i++) {
                add(then + 1_000 + chance.below(30_000), What.READ, user, key, 0);
            }
        }

        /** In any order, and not always all of it. */
        private void failover(long at, int promoted) {
            if (chance.percent(60)) {
                add(at, What.KILL, 0, 0, chance.between(20, 200));
            } else if (chance.percent(50)) {
                add(at, What.CUT_UPSTREAM, promoted, 0, chance.between(5, 50));
            }
            long then = at + chance.below(20_000);
            add(then, What.PROMOTE, promoted, 0, 0);
            if (chance.percent(70)) {
                add(then + chance.below(60_000), What.FOLLOW, 3 - promoted, promoted, 0);
            }
            if (chance.percent(40)) {
                add(then + chance.below(120_000), What.REBUILD, 0, 0, 0);
            }
            if (chance.percent(6)) {
                add(then + chance.below(10_000), What.PROMOTE, 3 - promoted, 0, 0);
            }
            for (int i = 0; i < 8; i++) {
                int user = chance.below(USERS);
                int key = chance.below(KEYS);
                add(then + chance.below(150_000), chance.percent(40) ? What.APPEND : What.READ, user, key, 0);
            }
        }
    }
}
