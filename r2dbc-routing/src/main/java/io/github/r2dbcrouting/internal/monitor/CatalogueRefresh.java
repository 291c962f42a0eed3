package io.github.r2dbcrouting.internal.monitor;

import io.github.r2dbcrouting.internal.reactive.Detached;
import io.github.r2dbcrouting.internal.reactive.Serial;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;

/**
 * When is the primary asked again which functions the database has?
 *
 * <p>As soon as there is a primary, and then from time to time. What was learned holds until something else is. Runs
 * within the monitor's tasks.
 */
final class CatalogueRefresh {

    private static final Logger LOG = LoggerFactory.getLogger(CatalogueRefresh.class);

    /** Until there is a primary. */
    private static final Duration RETRY = Duration.ofMillis(100);

    private final Duration period;
    private final Duration limit;
    private final Serial serial;
    private final Scheduler scheduler;
    private final Supplier<@Nullable ServerSampler> primary;
    private boolean failed;

    /**
     * Creates one that asks nothing yet.
     *
     * @param period how long after an answer, or a failure, it is asked again
     * @param limit how long an answer may take
     * @param primary who asks the primary; {@code null} while there is none
     */
    CatalogueRefresh(
            Duration period,
            Duration limit,
            Serial serial,
            Scheduler scheduler,
            Supplier<@Nullable ServerSampler> primary) {
        this.period = period;
        this.limit = limit;
        this.serial = serial;
        this.scheduler = scheduler;
        this.primary = primary;
    }

    void refresh() {
        if (scheduler.isDisposed()) {
            return;
        }
        ServerSampler sampler = primary.get();
        if (sampler == null) {
            later(RETRY);
            return;
        }
        Mono<Void> answer = Mono.defer(sampler::learnFunctions)
                .timeout(limit, scheduler)
                .doOnSuccess(learned -> serial.execute(() -> over(null)))
                .doOnError(error -> serial.execute(() -> over(error)));
        Detached.run(answer, error -> LOG.debug("the catalogue of functions could not be read", error));
    }

    /** Said once, and once more only after it has gone well again. */
    private void over(@Nullable Throwable error) {
        if (error != null && !failed) {
            LOG.warn(
                    "the functions of the database could not be looked up ({}); what is known of them is kept",
                    Problems.describe(error));
        }
        failed = error != null;
        later(period);
    }

    private void later(Duration pause) {
        if (!scheduler.isDisposed()) {
            scheduler.schedule(() -> serial.execute(this::refresh), pause.toNanos(), TimeUnit.NANOSECONDS);
        }
    }
}
