package io.github.r2dbcrouting.samples.quickstart;

import java.time.Duration;
import java.util.Locale;
import org.HdrHistogram.Histogram;

/** How is a number shown to people? The same way everywhere. */
final class Figures {

    private Figures() {}

    static String count(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f %%", share * 100);
    }

    static String seconds(Duration duration) {
        return String.format(Locale.ROOT, "%.1f s", duration.toNanos() / 1e9);
    }

    static String percentiles(Histogram micros) {
        return String.format(
                Locale.ROOT,
                "%.1f / %.1f / %.1f ms",
                micros.getValueAtPercentile(50) / 1e3,
                micros.getValueAtPercentile(95) / 1e3,
                micros.getValueAtPercentile(99) / 1e3);
    }
}
