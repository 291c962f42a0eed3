package io.github.r2dbcrouting.internal.reactive;

import java.util.function.Consumer;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;

/** Runs what must happen although nobody waits for it, such as giving a connection back. */
public final class Detached {

    private Detached() {}

    /**
     * Subscribes on behalf of nobody. Nothing can cancel it.
     *
     * @param work what must happen
     * @param onError hears of its failure
     */
    public static void run(Publisher<?> work, Consumer<? super Throwable> onError) {
        work.subscribe(new BaseSubscriber<Object>() {
            @Override
            protected void hookOnSubscribe(Subscription subscription) {
                requestUnbounded();
            }

            @Override
            protected void hookOnError(Throwable error) {
                onError.accept(error);
            }
        });
    }
}
