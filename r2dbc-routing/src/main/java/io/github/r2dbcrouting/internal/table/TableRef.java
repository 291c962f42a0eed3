package io.github.r2dbcrouting.internal.table;

import io.github.r2dbcrouting.RoutingTable;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Predicate;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Schedulers;

/**
 * The one place where the monitor and the requests meet.
 *
 * <p>The monitor alone publishes, from one thread; requests read, and leave questions behind that make the monitor look
 * sooner. Reading is one volatile read.
 */
public final class TableRef {

    private final Sinks.Many<RoutingTable> updates = Sinks.many().replay().latest();
    private final List<Consumer<? super RoutingTable>> readers = new CopyOnWriteArrayList<>();
    private final Questions questions;
    private final Watch watch;
    private volatile RoutingTable current = new RoutingTable(0, List.of(), null, null);

    /**
     * Creates a reference to the empty table.
     *
     * @param questions where requests leave their questions
     */
    public TableRef(Questions questions) {
        this.questions = questions;
        this.watch = new Watch(this);
    }

    /**
     * Returns the latest table.
     *
     * @return the table; the empty one, of version 0, before the first is published
     */
    public RoutingTable current() {
        return current;
    }

    /**
     * Replaces the table. Called by the monitor only, never by two threads at once.
     *
     * @param table the new table
     */
    public void publish(RoutingTable table) {
        RoutingTable before = current;
        current = table;
        readers.forEach(reader -> reader.accept(table));
        watch.published(before, table);
        updates.emitNext(table, Sinks.EmitFailureHandler.FAIL_FAST);
    }

    /**
     * Shows somebody every table from the next one on, before anybody who waits for one is woken.
     *
     * @param reader called within the monitor's task, with one table at a time: it must return at once, and not throw
     */
    public void onPublished(Consumer<? super RoutingTable> reader) {
        readers.add(reader);
    }

    /**
     * Waits for a table. None is missed between the look and the wait: the latest one is replayed.
     *
     * @param wanted what the table must be like
     * @return the first such table, the current one if it is; never completes without one, except when the router is
     *     closed
     */
    public Mono<RoutingTable> await(Predicate<RoutingTable> wanted) {
        // not within the monitor's task, which nobody else may hold up
        return updates.asFlux()
                .filter(wanted)
                .take(1)
                .singleOrEmpty()
                .flatMap(table -> Mono.just(table).subscribeOn(Schedulers.parallel()));
    }

    /**
     * Returns where requests leave their questions.
     *
     * @return the questions
     */
    public Questions questions() {
        return questions;
    }

    /**
     * Returns who waits for a replica.
     *
     * @return the watch
     */
    public Watch watch() {
        return watch;
    }

    /**
     * Returns whether anybody waits for a replica.
     *
     * @return whether somebody does at this moment
     */
    public boolean awaited() {
        return watch.size() > 0;
    }

    /** Completes all who wait, empty. */
    public void close() {
        watch.close();
        updates.emitComplete(Sinks.EmitFailureHandler.FAIL_FAST);
    }
}
