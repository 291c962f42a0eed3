package io.github.r2dbcrouting.internal.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.r2dbcrouting.Blocking;
import io.github.r2dbcrouting.fake.FakeEngine.Kind;
import io.r2dbc.spi.Batch;
import io.r2dbc.spi.IsolationLevel;
import io.r2dbc.spi.Statement;
import io.r2dbc.spi.ValidationDepth;
import java.util.List;
import java.util.NoSuchElementException;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

class RoutedStatementTests {

    private final Fixture fixture = new Fixture();
    private final RoutedConnection connection =
            new RoutedConnection(fixture.lender(), fixture.engine, null, false, null);

    @Test
    void sendsNothingBeforeItsExecutionIsSubscribed() {
        Statement statement = connection.createStatement("INSERT INTO x VALUES ($1)");

        assertThat(statement.bind("$1", 5).execute()).isNotNull();

        assertThat(fixture.server.opened()).isEmpty();
        assertThat(fixture.engine.count(fixture.server, Kind.INTRODUCE)).isZero();
    }

    @Test
    void reportsAWrongIndexOrNameAtTheCall() {
        Statement statement = connection.createStatement("SELECT $1, '$2', $3");

        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> statement.bind(3, "x"));
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> statement.bind(-1, "x"));
        assertThatExceptionOfType(IndexOutOfBoundsException.class)
                .isThrownBy(() -> statement.bindNull(3, String.class));
        assertThatExceptionOfType(NoSuchElementException.class).isThrownBy(() -> statement.bind("$4", "x"));
        assertThatExceptionOfType(NoSuchElementException.class).isThrownBy(() -> statement.bind("name", "x"));
        assertThatExceptionOfType(NoSuchElementException.class)
                .isThrownBy(() -> statement.bindNull("$0", String.class));
    }

    @Test
    void reportsNullAtTheCall() {
        Statement statement = connection.createStatement("SELECT $1");

        assertThatIllegalArgumentException().isThrownBy(() -> statement.bind(0, null));
        assertThatIllegalArgumentException().isThrownBy(() -> statement.bind("$1", null));
        assertThatIllegalArgumentException().isThrownBy(() -> statement.bind(null, "x"));
        assertThatIllegalArgumentException().isThrownBy(() -> statement.bindNull(0, null));
        assertThatIllegalArgumentException().isThrownBy(() -> statement.bindNull(null, String.class));
    }

    @Test
    void reportsNullGeneratedColumnsAtTheCall() {
        Statement statement = connection.createStatement("INSERT INTO x VALUES (1)");

        assertThatIllegalArgumentException().isThrownBy(() -> statement.returnGeneratedValues((String[]) null));
        assertThatIllegalArgumentException().isThrownBy(() -> statement.returnGeneratedValues("id", null));
    }

    @Test
    void reportsMissingValuesAtTheCall() {
        Statement statement = connection.createStatement("SELECT $1, $2");

        assertThatIllegalStateException().isThrownBy(statement::execute);
        assertThat(statement.bind(0, "x")).isSameAs(statement);
        assertThatIllegalStateException().isThrownBy(statement::execute);
        assertThatIllegalStateException().isThrownBy(statement::add);
        assertThat(statement.bind(1, "y").add()).isSameAs(statement);
        assertThatIllegalStateException().isThrownBy(statement::execute);
        assertThat(statement.bind(0, "x").bind(1, "y").execute()).isNotNull();
    }

    @Test
    void executesWithoutValuesWhereNoneAreNeeded() {
        assertThat(connection.createStatement("SELECT '$1'").execute()).isNotNull();
    }

    @Test
    void returnsGeneratedValuesOfAStatementThatChangesRows() {
        for (String sql : List.of("INSERT INTO x VALUES (1)", "update x SET y = 1", "DELETE FROM x")) {
            Statement statement = connection.createStatement(sql);

            assertThat(statement.returnGeneratedValues("id")).isSameAs(statement);
            assertThat(statement.returnGeneratedValues()).isSameAs(statement);
        }
    }

    @Test
    void returnsNoGeneratedValuesOfAnyOther() {
        assertThatIllegalStateException()
                .isThrownBy(() -> connection.createStatement("SELECT 1").returnGeneratedValues("id"));
        assertThatIllegalStateException()
                .isThrownBy(() -> connection
                        .createStatement("INSERT INTO x VALUES (1) RETURNING id")
                        .returnGeneratedValues("id"));
    }

    @Test
    void refusesANegativeFetchSize() {
        Statement statement = connection.createStatement("SELECT 1");

        assertThatIllegalArgumentException().isThrownBy(() -> statement.fetchSize(-1));
        assertThat(statement.fetchSize(0)).isSameAs(statement);
        assertThat(statement.fetchSize(100)).isSameAs(statement);
    }

    @Test
    void refusesParametersInATextOfSeveralStatements() {
        assertThatIllegalArgumentException().isThrownBy(() -> connection.createStatement("SELECT 1; SELECT $1"));
        assertThat(connection.createStatement("SELECT 1; SELECT '$1'")).isNotNull();
        assertThat(connection.createStatement("SELECT $1;")).isNotNull();
    }

    @Test
    void refusesParametersInABatch() {
        Batch batch = connection.createBatch();

        assertThatIllegalArgumentException().isThrownBy(() -> batch.add("SELECT $1"));
        assertThat(batch.add("SELECT 1").add("SELECT '$1'")).isSameAs(batch).hasToString("RoutedBatch[2 statements]");
    }

    @Test
    void refusesNullAsTheSpecificationAsks() {
        assertThatIllegalArgumentException().isThrownBy(() -> connection.createStatement(null));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> connection.createBatch().add(null));
        assertThatIllegalArgumentException().isThrownBy(() -> connection.createSavepoint(null));
        assertThatIllegalArgumentException().isThrownBy(() -> connection.releaseSavepoint(null));
        assertThatIllegalArgumentException().isThrownBy(() -> connection.rollbackTransactionToSavepoint(null));
        assertThatIllegalArgumentException().isThrownBy(() -> connection.setTransactionIsolationLevel(null));
        assertThatIllegalArgumentException().isThrownBy(() -> connection.setLockWaitTimeout(null));
        assertThatIllegalArgumentException().isThrownBy(() -> connection.setStatementTimeout(null));
        assertThatIllegalArgumentException().isThrownBy(() -> connection.validate(null));
    }

    @Test
    void answersWithoutAServerBeforeOneIsChosen() {
        assertThat(connection.isAutoCommit()).isTrue();
        assertThat(connection.getTransactionIsolationLevel()).isEqualTo(IsolationLevel.READ_COMMITTED);
        assertThat(connection).hasToString("RoutedConnection[primary=none, replica=none]");
        assertThat(Blocking.value(Mono.from(connection.validate(ValidationDepth.LOCAL))))
                .isTrue();
        assertThat(fixture.server.opened()).isEmpty();
    }

    @Test
    void makesNoStatementOnceTheConnectionIsClosed() {
        Blocking.run(connection.close());
        Blocking.run(connection.close());

        assertThatIllegalStateException().isThrownBy(() -> connection.createStatement("SELECT 1"));
        assertThatIllegalStateException().isThrownBy(connection::createBatch);
        assertThat(Blocking.value(Mono.from(connection.validate(ValidationDepth.LOCAL))))
                .isFalse();
    }
}
