package io.github.r2dbcrouting.webflux;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import reactor.core.publisher.Mono;

/**
 * What does an application do with Spring, and where does each step of it belong? One row of the table.
 *
 * @param title what is done, for people
 * @param steps what is read and written, in order
 * @param expected where each step belongs, for each of {@link Asked}
 * @param work does it
 */
record Scenario(
        String title,
        List<String> steps,
        Map<Asked, List<Place>> expected,
        BiFunction<Steps, Transactions, Mono<Void>> work) {

    /** Between two bars stands one word for each step, or one for all of them. */
    static final List<Scenario> ALL = List.of(
            scenario(
                    "repository read (`findById`)",
                    "read",
                    "| primary | replica | replica | primary |",
                    (on, tx) -> on.read()),
            scenario(
                    "repository write (`save`)",
                    "write",
                    "| primary | primary | primary | primary |",
                    (on, tx) -> on.write()),
            scenario(
                    "repository, both in one chain (`findAllById(…).flatMap(save)`)",
                    "read, write",
                    "| primary | replica, primary | replica, primary | primary |",
                    (on, tx) -> on.readAllAndSaveEach()),
            scenario(
                    "repository query with `@Lock`",
                    "read",
                    "| primary | primary | primary | primary |",
                    (on, tx) -> on.readForUpdate()),
            scenario(
                    "`R2dbcEntityTemplate`: `selectOne`, `insert`",
                    "read, write",
                    "| primary | replica, primary | replica, primary | primary |",
                    (on, tx) -> on.templateRead().then(on.templateWrite())),
            scenario(
                    "`DatabaseClient`: a `SELECT`, an `INSERT`",
                    "read, write",
                    "| primary | replica, primary | replica, primary | primary |",
                    (on, tx) -> on.clientRead().then(on.clientWrite())),
            scenario(
                    "`DatabaseClient`: a `SELECT` of a volatile function of the application's",
                    "read",
                    "| primary | primary | replica | primary |",
                    (on, tx) -> on.clientReadByFunction()),
            scenario(
                    "`DatabaseClient.inConnection`, only reads",
                    "read, read",
                    "| primary | replica | replica | primary |",
                    (on, tx) -> on.onOneConnection(false)),
            scenario(
                    "`DatabaseClient.inConnection`, a read and then a write on one connection",
                    "read, write",
                    "| primary | replica, primary | replica, primary | primary |",
                    (on, tx) -> on.onOneConnection(true)),
            scenario(
                    "`@Transactional(readOnly = true)`",
                    "read, write",
                    "| primary, refused | replica, refused | replica, refused | primary, refused |",
                    (on, tx) -> tx.readOnly(on.read(), on.write())),
            scenario(
                    "`@Transactional(readOnly = true, isolation = REPEATABLE_READ)`",
                    "read, read",
                    "| primary | replica | replica | primary |",
                    (on, tx) -> tx.readOnlyRepeatable(on.read(), on.read())),
            scenario(
                    "`@Transactional(readOnly = true, isolation = SERIALIZABLE)`",
                    "read",
                    "| primary | primary | primary | primary |",
                    (on, tx) -> tx.readOnlySerializable(on.read())),
            scenario(
                    "`TransactionalOperator`, read-only",
                    "read",
                    "| primary | replica | replica | primary |",
                    (on, tx) -> on.operator(true, on.read())),
            scenario(
                    "`@Transactional`",
                    "read, write",
                    "| primary | primary | primary | primary |",
                    (on, tx) -> tx.readWrite(on.read(), on.write())),
            scenario(
                    "`TransactionalOperator`",
                    "read, write",
                    "| primary | primary | primary | primary |",
                    (on, tx) -> on.operator(false, on.read().then(on.write()))),
            scenario(
                    "read-only, in it `REQUIRED` read-write",
                    "read, inner read, inner write",
                    "| primary, primary, refused | replica, replica, refused | replica, replica, refused"
                            + " | primary, primary, refused |",
                    (on, tx) -> tx.readOnly(on.read(), tx.readWrite(on.read(), on.write()))),
            scenario(
                    "read-write, in it `REQUIRED` read-only",
                    "write, inner read",
                    "| primary | primary | primary | primary |",
                    (on, tx) -> tx.readWrite(on.write(), tx.readOnly(on.read()))),
            scenario(
                    "read-only, in it `REQUIRES_NEW` read-write",
                    "read, inner write, read",
                    "| primary | replica, primary, replica | replica, primary, replica | primary |",
                    (on, tx) -> tx.readOnly(on.read(), tx.newReadWrite(on.write()), on.read())),
            // under the session the outer transaction counts as a write without a position until it ends
            scenario(
                    "read-write, in it `REQUIRES_NEW` read-only",
                    "write, inner read, write",
                    "| primary | primary | primary, replica, primary | primary |",
                    (on, tx) -> tx.readWrite(on.write(), tx.newReadOnly(on.read()), on.write())),
            scenario(
                    "`NESTED`, with nothing around it",
                    "read, write",
                    "| primary | primary | primary | primary |",
                    (on, tx) -> tx.nested(on.read(), on.write())),
            scenario(
                    "`NESTED` read-only, with nothing around it",
                    "read",
                    "| primary | replica | replica | primary |",
                    (on, tx) -> tx.nestedReadOnly(on.read())),
            scenario(
                    "read-write, in it `NESTED`",
                    "write, inner read, inner write",
                    "| primary | primary | primary | primary |",
                    (on, tx) -> tx.readWrite(on.write(), tx.nested(on.read(), on.write()))),
            scenario(
                    "read-only, in it `NESTED`",
                    "read, inner read, read",
                    "| primary | replica | replica | primary |",
                    (on, tx) -> tx.readOnly(on.read(), tx.nested(on.read()), on.read())),
            scenario(
                    "`SUPPORTS`, with nothing around it",
                    "read, write",
                    "| primary | replica, primary | replica, primary | primary |",
                    (on, tx) -> tx.supports(on.read(), on.write())),
            scenario(
                    "read-only, in it `SUPPORTS`",
                    "read, inner read, inner write",
                    "| primary, primary, refused | replica, replica, refused | replica, replica, refused"
                            + " | primary, primary, refused |",
                    (on, tx) -> tx.readOnly(on.read(), tx.supports(on.read(), on.write()))),
            scenario(
                    "read-write, in it `SUPPORTS`",
                    "read, inner read, inner write",
                    "| primary | primary | primary | primary |",
                    (on, tx) -> tx.readWrite(on.read(), tx.supports(on.read(), on.write()))),
            scenario(
                    "`NOT_SUPPORTED`, with nothing around it",
                    "read, write",
                    "| primary | replica, primary | replica, primary | primary |",
                    (on, tx) -> tx.notSupported(on.read(), on.write())),
            scenario(
                    "read-only, in it `NOT_SUPPORTED`",
                    "read, inner read, inner write, read",
                    "| primary | replica, replica, primary, replica | replica, replica, primary, replica | primary |",
                    (on, tx) -> tx.readOnly(on.read(), tx.notSupported(on.read(), on.write()), on.read())),
            scenario(
                    "read-write, in it `NOT_SUPPORTED`",
                    "write, inner read, inner write",
                    "| primary | primary | primary, replica, primary | primary |",
                    (on, tx) -> tx.readWrite(on.write(), tx.notSupported(on.read(), on.write()))));

    private static Scenario scenario(
            String title, String steps, String columns, BiFunction<Steps, Transactions, Mono<Void>> work) {
        List<String> names = List.of(steps.split(", "));
        List<String> texts = List.of(columns.substring(1).split("\\|"));
        List<Asked> titles = List.of(Asked.values());
        if (texts.size() != titles.size()) {
            throw new IllegalArgumentException(title + " has " + texts.size() + " columns");
        }
        Map<Asked, List<Place>> expected = new EnumMap<>(Asked.class);
        for (int i = 0; i < titles.size(); i++) {
            expected.put(titles.get(i), places(texts.get(i).strip(), names.size()));
        }
        return new Scenario(title, names, expected, work);
    }

    private static List<Place> places(String column, int steps) {
        List<Place> places = Stream.of(column.split(", "))
                .map(word -> Place.valueOf(word.toUpperCase(Locale.ROOT)))
                .toList();
        if (places.size() != 1 && places.size() != steps) {
            throw new IllegalArgumentException(steps + " steps, and '" + column + "'");
        }
        return places.size() == 1 ? Collections.nCopies(steps, places.get(0)) : places;
    }

    List<Place> expected(Asked asked) {
        return expected.get(asked);
    }

    /** Whether it leaves something behind that can be read. */
    boolean writes() {
        return steps.stream().anyMatch(step -> step.endsWith("write"))
                && !expected(Asked.SESSION).contains(Place.REFUSED);
    }

    /** Runs it, and completes also if a write was refused. */
    Mono<Void> run(Steps on, Transactions transactions) {
        return on.recorded(work.apply(on, transactions));
    }

    /** The table as it stands in the documentation. */
    static List<String> table() {
        List<String> lines = new ArrayList<>();
        lines.add(row("what runs", "its steps", Asked::toString));
        lines.add(row("---", "---", asked -> "---"));
        for (Scenario scenario : ALL) {
            lines.add(
                    row(scenario.title, String.join(", ", scenario.steps), asked -> inWords(scenario.expected(asked))));
        }
        return lines;
    }

    private static String row(String first, String second, Function<Asked, String> others) {
        return Stream.concat(Stream.of(first, second), Stream.of(Asked.values()).map(others))
                .collect(Collectors.joining(" | ", "| ", " |"));
    }

    private static String inWords(List<Place> places) {
        boolean oneForAll = Collections.frequency(places, places.get(0)) == places.size();
        return places.stream()
                .limit(oneForAll ? 1 : places.size())
                .map(place -> place == Place.REPLICA ? "**replica**" : place.toString())
                .collect(Collectors.joining(", "));
    }

    @Override
    public String toString() {
        return title;
    }
}
