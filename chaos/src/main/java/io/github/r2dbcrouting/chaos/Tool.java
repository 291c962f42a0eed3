package io.github.r2dbcrouting.chaos;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command line. */
@Command(
        name = "chaos.jar",
        description = "Three applications on a real cluster that breaks, and what their users saw.",
        mixinStandardHelpOptions = true,
        subcommands = {ChaosCommand.class, SoakCommand.class})
public final class Tool {

    private Tool() {}

    /**
     * Runs a command and exits with 0 if every promise was kept.
     *
     * @param arguments the command and its options
     */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new Tool()).execute(arguments));
    }
}
