package io.github.r2dbcrouting.chaos;

import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Runs steady load with churn, and looks whether anything grows. */
@Command(
        name = "soak",
        description = "Runs steady load with churn, and looks whether anything grows. Exits with 0 if nothing does.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class SoakCommand implements Callable<Integer> {

    @Option(names = "--minutes", description = "how long", defaultValue = "30")
    private double minutes;

    @Option(names = "--users", description = "how many users there are at a time", defaultValue = "32")
    private int users;

    @Option(
            names = "--think-time",
            description = "milliseconds that a user waits after each operation, at most",
            defaultValue = "20")
    private int thinkTime;

    @Option(names = "--every", description = "seconds between two looks", defaultValue = "10")
    private int every;

    @Override
    public Integer call() throws Exception {
        Soak soak = new Soak(
                Duration.ofMillis(Math.round(minutes * 60_000)),
                users,
                Duration.ofMillis(thinkTime),
                Duration.ofSeconds(every));
        Soak.Result result = soak.run(new Progress(System.out));
        System.out.println(result);
        return result.flat() ? 0 : 1;
    }
}
