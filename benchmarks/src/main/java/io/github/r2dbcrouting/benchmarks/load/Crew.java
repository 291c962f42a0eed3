package io.github.r2dbcrouting.benchmarks.load;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Which user does the next thing?
 *
 * <p>The one that has been idle for longest. Work for which no user is idle waits for the next that becomes so. Safe for
 * use by several threads.
 */
final class Crew {

    private final Deque<User> idle;
    private final Deque<Consumer<User>> waiting = new ArrayDeque<>();

    /**
     * Creates users who have done nothing yet.
     *
     * @param users how many
     * @param random draws their order
     */
    Crew(int users, Random random) {
        List<User> all = new ArrayList<>(Stream.generate(User::new).limit(users).toList());
        Collections.shuffle(all, random);
        idle = new ArrayDeque<>(all);
    }

    /**
     * Lets a user do something, now or as soon as one is idle.
     *
     * @param work what to do; it must end with {@link #done(User)}
     */
    void give(Consumer<User> work) {
        User user;
        synchronized (this) {
            user = idle.pollFirst();
            if (user == null) {
                waiting.addLast(work);
                return;
            }
        }
        work.accept(user);
    }

    /**
     * Takes a user back who is ready for something else.
     *
     * @param user the user
     */
    void done(User user) {
        Consumer<User> next;
        synchronized (this) {
            next = waiting.pollFirst();
            if (next == null) {
                idle.addLast(user);
                return;
            }
        }
        next.accept(user);
    }
}
