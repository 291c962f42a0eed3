package io.github.r2dbcrouting.benchmarks.report;

import java.util.ArrayList;
import java.util.List;

/**
 * Where on a chart is a number?
 *
 * @param least the least number
 * @param most the greatest
 * @param from where the least is
 * @param to where the greatest is
 * @param logarithmic whether equal ratios, and not equal differences, are equally far apart
 */
record Axis(double least, double most, double from, double to, boolean logarithmic) {

    private static final int TICKS = 5;

    static Axis linear(double least, double most, double from, double to) {
        return new Axis(least, most > least ? most : least + 1, from, to, false);
    }

    static Axis logarithmic(double least, double most, double from, double to) {
        double low = Math.pow(10, Math.floor(Math.log10(least)));
        double high = Math.pow(10, Math.ceil(Math.log10(most)));
        return new Axis(low, high > low ? high : low * 10, from, to, true);
    }

    double at(double value) {
        double part = logarithmic ? Math.log(value / least) / Math.log(most / least) : (value - least) / (most - least);
        return from + part * (to - from);
    }

    /** Returns round numbers along the axis. */
    List<Double> ticks() {
        List<Double> ticks = new ArrayList<>();
        if (logarithmic) {
            for (double tick = least; tick <= most * 1.0001; tick *= 10) {
                ticks.add(tick);
            }
            return ticks;
        }
        double step = step((most - least) / TICKS);
        for (double tick = Math.ceil(least / step) * step; tick <= most; tick += step) {
            ticks.add(tick);
        }
        return ticks;
    }

    List<double[]> tickPairs() {
        return ticks().stream().map(tick -> new double[] {tick}).toList();
    }

    private static double step(double rough) {
        double power = Math.pow(10, Math.floor(Math.log10(rough)));
        double digits = rough / power;
        return power * (digits <= 1 ? 1 : digits <= 2 ? 2 : digits <= 5 ? 5 : 10);
    }
}
