package io.github.r2dbcrouting.chaos;

import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Runs faults against a cluster under load, and judges what the users saw. */
@Command(
        name = "chaos",
        description = "Runs faults against a cluster under load, and judges what the users saw. Exits with 0 if every"
                + " guarantee was kept and nothing is left over.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class ChaosCommand implements Callable<Integer> {

    @Option(names = "--minutes", description = "how long faults are injected", defaultValue = "1")
    private double minutes;

    @Option(names = "--seed", description = "decides which faults come in which order; random if not given")
    private @Nullable Long seed;

    @Option(names = "--users", description = "how many users there are at a time", defaultValue = "32")
    private int users;

    @Option(
            names = "--think-time",
            description = "milliseconds that a user waits after each operation, at most",
            defaultValue = "20")
    private int thinkTime;

    @Option(
            names = "--faults",
            description = "only kinds whose names contain one of these, separated by commas",
            split = ",")
    private List<String> faults = List.of();

    @Option(
            names = "--without",
            description = "takes a mechanism away, to see what the checker says: ${COMPLETION-CANDIDATES}")
    private @Nullable Safeguard without;

    @Option(names = "--edn", description = "where to write the history for elle-cli, of lists")
    private @Nullable Path edn;

    @Override
    public Integer call() throws Exception {
        long chosen = seed == null ? ThreadLocalRandom.current().nextLong(1_000_000) : seed;
        Plan plan = new Plan(
                Duration.ofMillis(Math.round(minutes * 60_000)),
                chosen,
                users,
                Duration.ofMillis(thinkTime),
                faults,
                without,
                edn);
        Report report = ChaosRun.run(plan, new Progress(System.out));
        System.out.println(report);
        return report.good() ? 0 : 1;
    }
}
