package io.github.r2dbcrouting.postgresql;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.spi.StatementText;
import io.r2dbc.spi.R2dbcNonTransientResourceException;
import io.r2dbc.spi.R2dbcRollbackException;
import io.r2dbc.spi.R2dbcTimeoutException;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PostgresErrorsTests {

    private final PostgresEngine engine = new PostgresEngine();

    @ParameterizedTest
    @CsvSource({
        "25006, cannot execute INSERT in a read-only transaction",
        "25006, was in einer anderen Sprache gesagt wird",
        "0A000, cannot set transaction read-write mode during recovery",
        "0A000, cannot use serializable mode in a hot standby",
        "55000, recovery is in progress"
    })
    void knowsWhatOnlyAPrimaryCanDo(String state, String message) {
        assertThat(engine.needsPrimary(error(state, message))).isTrue();
        assertThat(engine.anotherServerMay(error(state, message))).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "40001, canceling statement due to conflict with recovery",
        "40001, terminating connection due to conflict with recovery",
        "40P01, canceling statement due to conflict with recovery",
        "40P01, deadlock detected",
        "57P01, terminating connection due to administrator command",
        "57P02, terminating connection because of crash of another server process",
        "57P03, the database system is starting up",
        "57P03, the database system is not accepting connections",
        "08006, connection failure"
    })
    void knowsWhatAnotherServerMayDo(String state, String message) {
        assertThat(engine.anotherServerMay(error(state, message))).isTrue();
        assertThat(engine.needsPrimary(error(state, message))).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "0A000, cannot alter type of a column used by a view",
        "55000, currval of sequence is not yet defined in this session",
        "57014, canceling statement due to statement timeout",
        "22012, division by zero",
        "42P01, relation does not exist"
    })
    void leavesAllOthersAlone(String state, String message) {
        assertThat(engine.needsPrimary(error(state, message))).isFalse();
        assertThat(engine.anotherServerMay(error(state, message))).isFalse();
    }

    @Test
    void knowsTheDriversOwnWordsForALostConnection() {
        assertThat(engine.anotherServerMay(new R2dbcNonTransientResourceException("closed")))
                .isTrue();
        assertThat(engine.anotherServerMay(new IOException("reset by peer"))).isTrue();
    }

    @Test
    void takesNobodyElsesErrorForALostConnection() {
        assertThat(engine.anotherServerMay(new IllegalStateException("in a mapping")))
                .isFalse();
        assertThat(engine.anotherServerMay(new R2dbcTimeoutException("too late")))
                .isFalse();
    }

    @Test
    void remembersATextAsAWrite() {
        String sql = "SELECT f($1)";
        assertThat(engine.read(sql).kind()).isNotEqualTo(StatementText.Kind.WRITE);

        engine.learnWrite(sql);

        assertThat(engine.read(sql).kind()).isEqualTo(StatementText.Kind.WRITE);
        assertThat(engine.read(sql).parameters()).isEqualTo(1);
        assertThat(engine.read("SELECT g($1)").kind()).isNotEqualTo(StatementText.Kind.WRITE);
    }

    private static R2dbcRollbackException error(String state, String message) {
        return new R2dbcRollbackException(message, state);
    }
}
