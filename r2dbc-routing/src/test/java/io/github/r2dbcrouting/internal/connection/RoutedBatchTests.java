package io.github.r2dbcrouting.internal.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.postgresql.PostgresEngine;
import io.github.r2dbcrouting.spi.StatementText;
import io.github.r2dbcrouting.spi.StatementText.Kind;
import org.junit.jupiter.api.Test;

class RoutedBatchTests {

    private final Fixture fixture = new Fixture();
    private final RoutedConnection connection =
            new RoutedConnection(fixture.lender(), fixture.engine, null, false, null);

    @Test
    void readsOnlyIfEachOfItsStatementsDoes() {
        assertThat(batch("SELECT 1", "TABLE note", "SHOW search_path").kind()).isEqualTo(Kind.READ);
        assertThat(batch("SELECT 1", "SELECT touch()").kind()).isEqualTo(Kind.UNKNOWN);
        assertThat(batch("SELECT touch()", "SELECT 1").kind()).isEqualTo(Kind.UNKNOWN);
        assertThat(batch("SELECT 1; SELECT 2", "SELECT 1").kind()).isEqualTo(Kind.UNKNOWN);
    }

    @Test
    void writesIfOneOfItsStatementsDoesWhereverItStands() {
        assertThat(batch("DELETE FROM note", "SELECT 1", "SELECT touch()").kind())
                .isEqualTo(Kind.WRITE);
        assertThat(batch("SELECT 1", "SELECT nextval('s')", "SELECT 1").kind()).isEqualTo(Kind.WRITE);
        assertThat(batch("SELECT touch()", "SELECT 1", "SELECT 1 FOR UPDATE").kind())
                .isEqualTo(Kind.WRITE);
    }

    @Test
    void leavesStateIfOneOfItsStatementsDoes() {
        assertThat(batch("SELECT 1", "SET work_mem = '5MB'", "SELECT 1"))
                .returns(true, StatementText::leavesState)
                .returns(Kind.WRITE, StatementText::kind);
        assertThat(batch("SELECT 1", "DELETE FROM note").leavesState()).isFalse();
    }

    @Test
    void tellsTogetherWhatItsStatementsTell() {
        StatementText text = batch("SELECT 1", "SET synchronous_commit = off", "DELETE FROM note");

        assertThat(text).isEqualTo(new StatementText(0, 3, Kind.WRITE, true, false, true, true));
    }

    private StatementText batch(String... statements) {
        RoutedBatch batch = new RoutedBatch(connection, new PostgresEngine());
        for (String sql : statements) {
            assertThat(batch.add(sql)).isSameAs(batch);
        }
        return batch.text();
    }
}
