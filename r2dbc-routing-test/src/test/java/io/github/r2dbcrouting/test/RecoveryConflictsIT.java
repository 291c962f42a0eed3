package io.github.r2dbcrouting.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;
import static org.awaitility.Awaitility.await;

import io.r2dbc.spi.R2dbcException;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Replay comes first on a replica, and ends whoever is in its way: what this module asks is asked again then. */
@PostgresClusterTest(
        replicas = 1,
        settings = {"max_standby_streaming_delay=0", "log_error_verbosity=terse", "log_min_error_statement=panic"})
class RecoveryConflictsIT {

    private static final Duration SOON = Duration.ofSeconds(20);

    private final PostgresCluster cluster;
    private final PostgresServer primary;
    private final PostgresServer replica;
    private final ExecutorService thread = Executors.newSingleThreadExecutor();
    private final String word = "told to fail " + UUID.randomUUID();

    RecoveryConflictsIT(PostgresCluster cluster) {
        this.cluster = cluster;
        this.primary = cluster.primary();
        this.replica = cluster.replica(0);
    }

    /** Two questions that hold the table while it has a row: one is cancelled for it, the other one loses its session. */
    @BeforeEach
    void createNaps() {
        primary.execute("""
                CREATE TABLE t AS SELECT 1 AS id;
                CREATE FUNCTION naps() RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN
                  IF EXISTS (SELECT FROM t) THEN PERFORM pg_sleep(600); END IF;
                  RETURN 'empty';
                END $$;
                CREATE FUNCTION naps_in_a_block() RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN
                  BEGIN RETURN naps(); EXCEPTION WHEN division_by_zero THEN RETURN 'never'; END;
                END $$;
                CREATE FUNCTION fails(code text, word text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
                  RAISE EXCEPTION USING ERRCODE = code, MESSAGE = word;
                END $$""");
        cluster.awaitReplayed();
    }

    @AfterEach
    void stop() {
        thread.shutdownNow();
    }

    @ValueSource(strings = {"SELECT naps()", "SELECT naps_in_a_block()"})
    @ParameterizedTest
    void aQuestionThatReplayCancelsIsAskedAgain(String question) {
        CompletableFuture<String> answer = CompletableFuture.supplyAsync(() -> replica.query(question), thread);
        awaitAsleep(answer);

        primary.execute("TRUNCATE t");

        assertThat(answer).succeedsWithin(SOON).isEqualTo("empty");
    }

    @Test
    void statementsThatReplayCancelsAreAllSentAgain() {
        CompletableFuture<Void> end = CompletableFuture.runAsync(
                () -> replica.sessions().execute("SET work_mem = '1MB'", "SELECT naps()"), thread);
        awaitAsleep(end);

        primary.execute("TRUNCATE t");

        assertThat(end).succeedsWithin(SOON);
        assertThat(replica.query("SHOW work_mem")).isEqualTo("4MB");
    }

    @ValueSource(strings = {"40001", "40P01"})
    @ParameterizedTest
    void aQuestionIsNotAskedForever(String code) {
        assertThatThrownBy(() -> replica.query(failing(code)))
                .asInstanceOf(type(R2dbcException.class))
                .returns(code, R2dbcException::getSqlState);

        assertThat(failures()).isEqualTo(ControlSessions.ATTEMPTS);
    }

    @ValueSource(strings = {"22012", "57014", "55P03"})
    @ParameterizedTest
    void anotherErrorIsNotRepeated(String code) {
        assertThatThrownBy(() -> replica.query(failing(code)))
                .asInstanceOf(type(R2dbcException.class))
                .returns(code, R2dbcException::getSqlState);

        assertThat(failures()).isEqualTo(1);
    }

    /** There it is a conflict with somebody else's transaction, which the test may be about. */
    @ValueSource(strings = {"40001", "40P01"})
    @ParameterizedTest
    void nothingIsRepeatedOnAPrimary(String code) {
        primary.execute("CREATE SEQUENCE attempts");

        assertThatThrownBy(() -> primary.query("SELECT nextval('attempts'); " + failing(code)))
                .asInstanceOf(type(R2dbcException.class))
                .returns(code, R2dbcException::getSqlState);

        assertThat(primary.query("SELECT last_value FROM attempts")).isEqualTo("1");
    }

    private void awaitAsleep(CompletableFuture<?> running) {
        await().atMost(SOON).until(() -> {
            assertThat(running).isNotDone();
            return replica.query("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
                    .equals("1");
        });
    }

    private String failing(String code) {
        return "SELECT fails('" + code + "', '" + word + "')";
    }

    /** How often the replica has failed as it was told, by its own log. */
    private long failures() {
        return replica.process()
                .logTail()
                .lines()
                .filter(line -> line.contains(word))
                .count();
    }
}
