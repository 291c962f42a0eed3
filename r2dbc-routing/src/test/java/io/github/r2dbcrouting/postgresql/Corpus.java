package io.github.r2dbcrouting.postgresql;

import io.github.r2dbcrouting.spi.StatementText.Kind;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/** The statements of {@code statements.txt}. */
final class Corpus {

    private Corpus() {}

    /** What the texts' applications say of their functions. */
    static final Functions FUNCTIONS =
            Functions.builtIn().with(Set.of(Functions.parse("total"), Functions.parse("billing.due")));

    /** A text, what it tells, and whether it writes although that is unknown. */
    record Entry(Kind kind, boolean leavesState, boolean writes, String sql) {

        static Entry of(String line) {
            String sql = line.substring(14);
            int remark = sql.indexOf(" -- # ");
            String mark = line.substring(8, 14).strip();
            if (!Set.of("-", "state", "write").contains(mark)) {
                throw new IllegalArgumentException("not a mark: " + line);
            }
            return new Entry(
                    Kind.valueOf(line.substring(0, 8).strip()),
                    mark.equals("state"),
                    mark.equals("write"),
                    remark < 0 ? sql : sql.substring(0, remark));
        }
    }

    static List<Entry> read() {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(
                Objects.requireNonNull(Corpus.class.getResourceAsStream("statements.txt")), StandardCharsets.UTF_8))) {
            return lines.lines()
                    .filter(line -> !line.startsWith("#") && !line.isBlank())
                    .map(Entry::of)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
