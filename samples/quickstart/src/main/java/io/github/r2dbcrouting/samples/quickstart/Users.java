package io.github.r2dbcrouting.samples.quickstart;

import io.github.r2dbcrouting.samples.quickstart.Profiles.Loaded;
import java.time.Duration;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * What does each user do? Saves a profile and is redirected to the page that shows it; every second user edits it once
 * more, and every third one reloads the page.
 *
 * @param profiles where they are stored
 * @param reading what their reads ask
 * @param tally what they count in
 */
record Users(Profiles profiles, Reading reading, Tally tally) {

    /** What a browser takes to follow a redirect, on a good day. */
    static final Duration REDIRECT = Duration.ofMillis(5);

    /** Enough to keep two cores busy, and not so many that all one measures is their queue. */
    private static final int AT_ONCE = 8;

    /**
     * Runs users, some at a time.
     *
     * @param first the number of the first one; nobody else may have it
     * @param count how many there are
     * @return completes when the last one is done; errors when anything fails for anyone
     */
    Mono<Void> run(long first, int count) {
        return Flux.range(0, count)
                .flatMap(offset -> user(first + offset).contextWrite(reading.user()), AT_ONCE)
                .then();
    }

    private Mono<Void> user(long id) {
        Mono<Void> visit = saveAndLookAt(id, 1);
        int last = 1;
        if (id % 2 == 0) {
            last = 2;
            visit = visit.then(saveAndLookAt(id, last));
        }
        if (id % 3 == 0) {
            visit = visit.then(reload(id, last));
        }
        return visit.doOnSuccess(nothing -> tally.userIsDone());
    }

    private Mono<Void> saveAndLookAt(long id, int revision) {
        Mono<Void> save = profiles.save(id, revision)
                .thenReturn(revision)
                .timed()
                .doOnNext(saved -> tally.wrote(saved.elapsed()))
                .then();
        Mono<Void> look = load(id).timed()
                .doOnNext(seen -> tally.readBack(seen.get().server(), seen.get().revision() < revision, seen.elapsed()))
                .then();
        return save.then(Mono.delay(REDIRECT)).then(look);
    }

    private Mono<Void> reload(long id, int revision) {
        return load(id).timed()
                .doOnNext(seen -> tally.read(seen.get().server(), seen.get().revision() < revision, seen.elapsed()))
                .then();
    }

    private Mono<Loaded> load(long id) {
        return profiles.load(id).contextWrite(reading.read());
    }
}
