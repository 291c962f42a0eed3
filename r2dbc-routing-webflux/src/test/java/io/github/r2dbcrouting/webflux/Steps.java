package io.github.r2dbcrouting.webflux;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.R2dbcException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.springframework.context.ApplicationContext;
import org.springframework.data.r2dbc.core.R2dbcEntityTemplate;
import org.springframework.data.relational.core.query.Criteria;
import org.springframework.data.relational.core.query.Query;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.transaction.ReactiveTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.reactive.TransactionalOperator;
import org.springframework.transaction.support.DefaultTransactionDefinition;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Single reads and writes through each of Spring's ways in, and a record of where they ran.
 *
 * <p>A read is told by the server that ran it. A write that was not refused ran on the primary, which nothing but the
 * primary itself can confirm: {@link #written()} tells what to look for there. One for each run of a scenario.
 */
final class Steps {

    private static final String READ_ONLY_TRANSACTION = "25006";

    private static final AtomicInteger NOTES = new AtomicInteger();

    private final Notes notes;
    private final R2dbcEntityTemplate template;
    private final DatabaseClient client;
    private final ReactiveTransactionManager manager;
    private final int known;
    private final List<Place> places = Collections.synchronizedList(new ArrayList<>());
    private final List<String> written = Collections.synchronizedList(new ArrayList<>());

    /** Works on the beans of the context; {@code known} is the key of a row that every server has. */
    Steps(ApplicationContext spring, int known) {
        this.notes = spring.getBean(Notes.class);
        this.template = spring.getBean(R2dbcEntityTemplate.class);
        this.client = spring.getBean(DatabaseClient.class);
        this.manager = spring.getBean(ReactiveTransactionManager.class);
        this.known = known;
    }

    List<Place> places() {
        return List.copyOf(places);
    }

    List<String> written() {
        return List.copyOf(written);
    }

    Mono<Void> read() {
        return seen(notes.findById(known).map(Note::place));
    }

    Mono<Void> write() {
        return Mono.defer(() -> {
            String text = newText();
            return wrote(text, notes.save(Note.of(text)));
        });
    }

    Mono<Void> readForUpdate() {
        return seen(notes.findWithLockById(known).single().map(Note::place));
    }

    Mono<Void> readAllAndSaveEach() {
        return notes.findAllById(List.of(known))
                .doOnNext(note -> places.add(note.place()))
                .flatMap(note -> write())
                .then();
    }

    Mono<Void> templateRead() {
        return seen(template.selectOne(Query.query(Criteria.where("id").is(known)), Note.class)
                .map(Note::place));
    }

    Mono<Void> templateWrite() {
        return Mono.defer(() -> {
            String text = newText();
            return wrote(text, template.insert(Note.of(text)));
        });
    }

    Mono<Void> clientRead() {
        return seen(client.sql("SELECT recovering FROM note WHERE id = :id")
                .bind("id", known)
                .mapValue(Boolean.class)
                .one()
                .map(Place::of));
    }

    Mono<Void> clientWrite() {
        return Mono.defer(() -> {
            String text = newText();
            return wrote(
                    text,
                    client.sql("INSERT INTO stored_note (text) VALUES (:text)")
                            .bind("text", text)
                            .fetch()
                            .rowsUpdated());
        });
    }

    Mono<Void> clientReadByFunction() {
        return seen(
                client.sql("SELECT recovering()").mapValue(Boolean.class).one().map(Place::of));
    }

    Mono<Void> onOneConnection(boolean thenWrite) {
        return client.inConnection(connection ->
                rawRead(connection).then(Mono.defer(() -> thenWrite ? rawWrite(connection) : rawRead(connection))));
    }

    private Mono<Void> rawRead(Connection connection) {
        return seen(Flux.from(connection
                        .createStatement("SELECT recovering FROM note WHERE id = $1")
                        .bind(0, known)
                        .execute())
                .concatMap(result -> result.map(row -> Place.of(row.get(0, Boolean.class))))
                .single());
    }

    private Mono<Void> rawWrite(Connection connection) {
        String text = newText();
        return wrote(
                text,
                Flux.from(connection
                                .createStatement("INSERT INTO stored_note (text) VALUES ($1)")
                                .bind(0, text)
                                .execute())
                        .concatMap(result -> result.getRowsUpdated())
                        .single());
    }

    /** Runs works in a transaction of {@code TransactionalOperator}. */
    <T> Mono<T> operator(boolean readOnly, Mono<T> work) {
        DefaultTransactionDefinition definition =
                new DefaultTransactionDefinition(TransactionDefinition.PROPAGATION_REQUIRED);
        definition.setReadOnly(readOnly);
        return TransactionalOperator.create(manager, definition).transactional(work);
    }

    /** Lets a refused write, and what it made of the transaction around it, count as an outcome of its own. */
    Mono<Void> recorded(Mono<Void> scenario) {
        return scenario.onErrorComplete(error -> places.contains(Place.REFUSED));
    }

    private Mono<Void> seen(Mono<Place> read) {
        return read.single().doOnNext(places::add).then();
    }

    private Mono<Void> wrote(String text, Mono<?> write) {
        return write.doOnSuccess(ignored -> {
                    places.add(Place.PRIMARY);
                    written.add(text);
                })
                .doOnError(Steps::readOnlyTransaction, error -> places.add(Place.REFUSED))
                .then();
    }

    private static boolean readOnlyTransaction(Throwable error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof R2dbcException known && READ_ONLY_TRANSACTION.equals(known.getSqlState())) {
                return true;
            }
        }
        return false;
    }

    private static String newText() {
        return "note " + NOTES.incrementAndGet();
    }
}
