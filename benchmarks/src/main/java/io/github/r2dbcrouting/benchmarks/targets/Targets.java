package io.github.r2dbcrouting.benchmarks.targets;

import io.github.r2dbcrouting.benchmarks.report.Machine;
import io.github.r2dbcrouting.benchmarks.report.TextTable;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How far from what it is to reach is the library? */
@Command(
        name = "targets",
        description = "Measures what is to be reached apart from load: round trips, wake-up, sampling, liveness, slots,"
                + " memory. Each starts servers of its own.",
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "Exit codes:%n",
        exitCodeList = {"0:measured", "1:round trips are more than they may be", "2:wrong options"})
public final class Targets implements Callable<Integer> {

    private static final Map<String, Measurement> ALL = new LinkedHashMap<>();

    static {
        ALL.put("round-trips", new RoundTrips());
        ALL.put("wake-up", new WakeUp());
        ALL.put("sampling", new Sampling());
        ALL.put("liveness", new Liveness());
        ALL.put("slots", new Slots());
        ALL.put("memory", new Memory());
    }

    @Spec
    private @Nullable CommandSpec spec;

    @Option(
            names = "--only",
            split = ",",
            description = "some of round-trips, wake-up, sampling, liveness, slots, memory (all)")
    private List<String> only = new ArrayList<>();

    @Option(names = "--quick", description = "a tenth of the rounds")
    private boolean quick;

    @Option(names = "--markdown", description = "prints the table in Markdown")
    private boolean markdown;

    private final PrintStream out = System.out;
    private final PrintStream err = System.err;

    @Override
    public Integer call() {
        List<String> names = only.isEmpty() ? List.copyOf(ALL.keySet()) : only;
        for (String name : names) {
            if (!ALL.containsKey(name) && spec != null) {
                throw new ParameterException(
                        spec.commandLine(), "--only: expected some of " + ALL.keySet() + ", not '" + name + "'");
            }
        }
        Machine.here().forEach((name, value) -> out.printf("%s: %s%n", name, value));
        List<Target> targets = new ArrayList<>();
        for (String name : names) {
            err.printf("measuring %s%n", name);
            Measurement measurement = ALL.get(name);
            if (measurement != null) {
                targets.addAll(measurement.measure(quick));
            }
        }
        out.println();
        out.print(markdown ? markdown(targets) : table(targets));
        return targets.stream().allMatch(target -> target.held() || !target.gate()) ? 0 : 1;
    }

    static String markdown(List<Target> targets) {
        StringBuilder text =
                new StringBuilder("| what | reach | measured, median [quartiles] | verdict |\n|---|---|---|---|\n");
        targets.forEach(target -> text.append(target.markdown()).append('\n'));
        return text.toString();
    }

    private static String table(List<Target> targets) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("what", "reach", "measured", "verdict"));
        targets.forEach(
                target -> rows.add(List.of(target.name(), target.reach(), target.measured(), target.verdict())));
        return TextTable.aligned(rows);
    }
}
