package io.github.r2dbcrouting.benchmarks.micro;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What does each step cost by itself, in time and in bytes? */
@Command(
        name = "micro",
        description = "Runs the JMH benchmarks, with bytes per operation, on one thread and on two.",
        mixinStandardHelpOptions = true)
public final class Micro implements Callable<Integer> {

    @Parameters(arity = "0..*", description = "regular expressions of the benchmarks to run (all)")
    private List<String> patterns = new ArrayList<>();

    @Option(names = "--quick", description = "short iterations, one fork, one thread")
    private boolean quick;

    @Option(names = "--threads", split = ",", description = "numbers of threads (1,2; quick: 1)")
    private List<Integer> threads = new ArrayList<>();

    private final PrintStream out = System.out;

    @Override
    public Integer call() throws RunnerException {
        List<Integer> counts = !threads.isEmpty() ? threads : quick ? List.of(1) : List.of(1, 2);
        List<String> lines = new ArrayList<>();
        for (int count : counts) {
            ChainedOptionsBuilder options = new OptionsBuilder()
                    .threads(count)
                    .forks(quick ? 1 : 3)
                    .warmupIterations(quick ? 3 : 5)
                    .warmupTime(TimeValue.milliseconds(quick ? 200 : 1_000))
                    .measurementIterations(quick ? 5 : 10)
                    .measurementTime(TimeValue.milliseconds(quick ? 200 : 1_000))
                    .shouldFailOnError(true)
                    .addProfiler(GCProfiler.class);
            (patterns.isEmpty() ? List.of("io.github.r2dbcrouting.benchmarks.*") : patterns).forEach(options::include);
            lines.addAll(lines(count, new Runner(options.build()).run()));
        }
        out.println();
        lines.forEach(out::println);
        return 0;
    }

    private static List<String> lines(int threads, Collection<RunResult> results) {
        return results.stream()
                .map(result -> {
                    Result<?> time = result.getPrimaryResult();
                    String parameters = result.getParams().getParamsKeys().stream()
                            .map(key -> key + "=" + result.getParams().getParam(key))
                            .collect(Collectors.joining(" "));
                    Result<?> bytes = result.getSecondaryResults().get("gc.alloc.rate.norm");
                    return String.format(
                            Locale.ROOT,
                            "%-44s %-34s %d threads  %10.1f +-%.1f %s  %8.0f B/op",
                            shortName(result.getParams().getBenchmark()),
                            parameters,
                            threads,
                            time.getScore(),
                            Double.isNaN(time.getScoreError()) ? 0 : time.getScoreError(),
                            time.getScoreUnit(),
                            bytes == null ? Double.NaN : bytes.getScore());
                })
                .toList();
    }

    private static String shortName(String benchmark) {
        String[] parts = benchmark.split("\\.", -1);
        return parts[parts.length - 2] + "." + parts[parts.length - 1];
    }
}
