package io.github.r2dbcrouting.benchmarks.micro;

import io.github.r2dbcrouting.postgresql.PostgresEngine;
import io.github.r2dbcrouting.spi.StatementText;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * What does it cost to tell a read from a write by its text?
 *
 * <p>The decision that it serves: whether texts are remembered, and whether an application that puts values into its
 * texts, so that none comes twice, may be routed by classification, too.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class ClassifierBenchmark {

    private static final int DISTINCT = 1 << 16;
    private static final String TEXT =
            "SELECT o.id, o.total, c.name FROM orders o JOIN customer c ON c.id = o.customer_id"
                    + " WHERE o.created > $1 AND c.region = $2 ORDER BY o.created DESC LIMIT 20";

    private final PostgresEngine engine = new PostgresEngine();
    private final String[] texts = new String[DISTINCT];
    // not a constant, or the compiler looks it up once and for all
    private String text = TEXT;
    private int next;

    /** Makes more texts than are remembered. */
    @Setup
    public void makeTexts() {
        for (int i = 0; i < DISTINCT; i++) {
            texts[i] = TEXT + " OFFSET " + i;
        }
    }

    /**
     * Classifies a text that is known.
     *
     * @return what it is
     */
    @Benchmark
    public StatementText known() {
        return engine.read(text);
    }

    /**
     * Classifies a text that is not known any more: together they have more characters than are remembered.
     *
     * @return what it is
     */
    @Benchmark
    public StatementText unknown() {
        return engine.read(texts[next++ & (DISTINCT - 1)]);
    }
}
