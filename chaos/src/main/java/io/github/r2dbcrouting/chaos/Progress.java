package io.github.r2dbcrouting.chaos;

import java.io.PrintStream;
import java.time.Duration;
import picocli.CommandLine.Help;

/** How far has a run come? A line that is written over on a terminal, and now and then a line elsewhere. */
final class Progress {

    private static final Duration ELSEWHERE = Duration.ofSeconds(10);

    private final PrintStream out;
    private final boolean terminal = Help.Ansi.AUTO.enabled();
    private final long began = System.nanoTime();
    private long last = began;

    Progress(PrintStream out) {
        this.out = out;
    }

    void show(Tally tally, String underWay) {
        long now = System.nanoTime();
        if (!terminal && now - last < ELSEWHERE.toNanos()) {
            return;
        }
        last = now;
        long reads = Math.max(1, tally.reads.sum());
        String line = "%4d s  %,9d asked  %3d %% of reads from replicas  %,d told of a loss  %d stuck  %s"
                .formatted(
                        (now - began) / 1_000_000_000,
                        tally.asked.sum(),
                        100 * tally.readsFromReplicas.sum() / reads,
                        tally.told.sum(),
                        tally.stuck.sum(),
                        underWay);
        if (terminal) {
            out.print("\r\u001b[K" + line);
            out.flush();
        } else {
            out.println(line);
        }
    }

    void end() {
        if (terminal) {
            out.println();
        }
    }
}
