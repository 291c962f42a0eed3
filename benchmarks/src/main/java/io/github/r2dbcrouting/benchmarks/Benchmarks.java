package io.github.r2dbcrouting.benchmarks;

import io.github.r2dbcrouting.benchmarks.load.Load;
import io.github.r2dbcrouting.benchmarks.micro.Micro;
import io.github.r2dbcrouting.benchmarks.report.Compare;
import io.github.r2dbcrouting.benchmarks.simulate.Simulate;
import io.github.r2dbcrouting.benchmarks.targets.Targets;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command line of the benchmarks. */
@Command(
        name = "benchmarks",
        description = "What routing costs, measured in interleaved runs.",
        mixinStandardHelpOptions = true,
        subcommands = {Load.class, Compare.class, Targets.class, Simulate.class, Micro.class, CaptureOverhead.class})
public final class Benchmarks {

    private Benchmarks() {}

    /**
     * Runs one benchmark and exits with 0 if it could be measured.
     *
     * @param arguments the name of the benchmark and its options
     */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new Benchmarks()).execute(arguments));
    }
}
