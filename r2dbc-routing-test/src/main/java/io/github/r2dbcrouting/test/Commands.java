package io.github.r2dbcrouting.test;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** What do programs say when they are run to their end, and how are other processes told something? */
final class Commands {

    private Commands() {}

    record Result(int exitCode, String output) {}

    static Result run(List<String> command) {
        return run(command, "");
    }

    /** Runs to the end; {@code input} is what the program reads. */
    static Result run(List<String> command, String input) {
        try {
            Process process = builder(command).redirectErrorStream(true).start();
            try (OutputStream in = process.getOutputStream()) {
                in.write(input.getBytes(StandardCharsets.UTF_8));
            }
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return new Result(process.waitFor(), output);
        } catch (IOException e) {
            throw new ClusterException("Could not run " + command.get(0) + ": " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ClusterException("Interrupted while running " + command.get(0), e);
        }
    }

    /** A builder whose program sees none of the user's PGHOST, PGPASSFILE, PGOPTIONS and the like. */
    static ProcessBuilder builder(List<String> command) {
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().keySet().removeIf(name -> name.startsWith("PG"));
        builder.environment().put("LC_ALL", "C");
        return builder;
    }

    /** Sends a signal by the shell's own {@code kill}; slim images have no other. Processes already gone are no error. */
    static void signal(String name, Stream<ProcessHandle> processes) {
        List<String> pids =
                processes.map(process -> Long.toString(process.pid())).toList();
        if (!pids.isEmpty()) {
            run(Stream.concat(Stream.of("sh", "-c", "kill -" + name + " \"$@\"", "kill"), pids.stream())
                    .toList());
        }
    }

    /**
     * Whether a process has ended, be it that nobody has taken notice: orphans go to the first process of the machine or
     * the container, which may take its time to reap them, or never do it.
     */
    static boolean hasEnded(ProcessHandle process) {
        if (!process.isAlive()) {
            return true;
        }
        try {
            String stat = Files.readString(
                    Path.of("/proc", Long.toString(process.pid()), "stat"), StandardCharsets.ISO_8859_1);
            // the state follows the name in parentheses, which may hold anything
            return stat.startsWith(") Z", stat.lastIndexOf(')'));
        } catch (IOException e) {
            return !process.isAlive();
        }
    }
}
