package io.github.r2dbcrouting.benchmarks.micro;

import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerState;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * What does a new table cost, now that a sample has come?
 *
 * <p>The decision that it serves: how much may be computed when a sample arrives, so that it need not be when a request
 * does. At 500 samples a second of each watched server it must stay far below a millisecond for any cluster.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class TableRebuildBenchmark {

    /** How many servers there are. */
    @Param({"3", "16", "64", "1024"})
    public int servers;

    private List<ServerState> states = List.of();

    /** Makes the servers. */
    @Setup
    public void makeServers() {
        states = Tables.servers(servers);
    }

    /**
     * Builds a table.
     *
     * @return the table
     */
    @Benchmark
    public RoutingTable rebuild() {
        return Tables.of(states);
    }
}
