package io.github.r2dbcrouting.postgresql;

import io.github.r2dbcrouting.spi.StatementText.Kind;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;

/** The statements of {@code statements.txt}. */
final class Corpus {

    private Corpus() {}

    record Entry(Kind kind, boolean leavesState, String sql) {

        static Entry of(String line) {
            String sql = line.substring(14);
            int remark = sql.indexOf(" -- # ");
            return new Entry(
                    Kind.valueOf(line.substring(0, 8).strip()),
                    line.substring(8, 14).strip().equals("state"),
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
