package io.github.r2dbcrouting.samples.shop.demo;

import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.core.env.Environment;
import org.springframework.web.reactive.function.client.WebClient;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Flux;

/**
 * Who else is shopping? Users who save a note, read it back and think for a moment, until they are told to leave.
 *
 * <p>Thread-safe.
 */
final class Load implements SmartLifecycle {

    static final int MOST_USERS = 64;

    private static final Logger LOG = LoggerFactory.getLogger(Load.class);
    private static final Duration THINKING = Duration.ofMillis(40);

    private final WebClient.Builder client;
    private final Environment environment;
    private final Disposable.Swap running = Disposables.swap();
    private volatile Standing standing = new Standing(0, new Tally());

    /**
     * How many there are, and what they have seen.
     *
     * @param users how many are shopping
     * @param tally what they, and nobody before them, counted
     */
    record Standing(int users, Tally tally) {}

    Load(WebClient.Builder client, Environment environment) {
        this.client = client;
        this.environment = environment;
    }

    Standing standing() {
        return standing;
    }

    /** Lets so many users in, in place of those who are there; 0 sends everybody home and keeps the counts. */
    void users(int count) {
        Tally tally = count == 0 ? standing.tally() : new Tally();
        standing = new Standing(count, tally);
        running.update(count == 0 ? Disposables.disposed() : all(count, tally));
    }

    /** Nobody comes by themselves. */
    @Override
    public void start() {}

    /** They leave first, while the shop and the threads that serve it are still there. */
    @Override
    public void stop() {
        users(0);
    }

    @Override
    public boolean isRunning() {
        return standing.users() > 0;
    }

    private Disposable all(int count, Tally tally) {
        String url = "http://localhost:" + environment.getProperty("local.server.port");
        return Flux.range(1, count)
                .map(number -> new SimulatedUser(client, url, "load-" + number, tally))
                .flatMap(user -> user.saveAndReadBack().repeatWhen(rounds -> rounds.delayElements(THINKING)), count)
                .subscribe(nothing -> {}, failure -> LOG.warn("the simulated users have stopped", failure));
    }
}
