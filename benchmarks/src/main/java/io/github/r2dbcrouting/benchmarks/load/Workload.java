package io.github.r2dbcrouting.benchmarks.load;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** What do users do? */
enum Workload {
    /** The shortest answer that there is: what lies around a statement weighs most. */
    SELECT_1(100, 0, 0, 0, 0),
    /** Rows by their keys, and nothing else. */
    READ_ONLY(0, 100, 0, 0, 0),
    /** Nine reads to each write. */
    READ_90(0, 90, 10, 0, 0),
    /** As many reads as writes. */
    READ_50(0, 50, 50, 0, 0),
    /** Each write is followed by a read of the same row. */
    READ_BACK(0, 0, 0, 100, 0),
    /** Pages of rows, now and then a sum over many, and some writes. */
    LISTING(0, 0, 10, 0, 80);

    /** What is done in one go. */
    enum Step {
        /** A constant. */
        SELECT_1,
        /** One row. */
        READ,
        /** One row is changed. */
        WRITE,
        /** One row is changed, and read after the user's think time. */
        WRITE_AND_READ_BACK,
        /** Twenty rows. */
        LIST,
        /** A sum over two thousand rows. */
        REPORT
    }

    private final int select1;
    private final int read;
    private final int write;
    private final int readBack;
    private final int list;

    Workload(int select1, int read, int write, int readBack, int list) {
        this.select1 = select1;
        this.read = read;
        this.write = write;
        this.readBack = readBack;
        this.list = list;
    }

    /**
     * Returns what a user does next.
     *
     * @param percent a number from 0 to below 100, drawn uniformly
     * @return the step
     */
    Step step(int percent) {
        int below = select1;
        if (percent < below) {
            return Step.SELECT_1;
        }
        below += read;
        if (percent < below) {
            return Step.READ;
        }
        below += write;
        if (percent < below) {
            return Step.WRITE;
        }
        below += readBack;
        if (percent < below) {
            return Step.WRITE_AND_READ_BACK;
        }
        return percent < below + list ? Step.LIST : Step.REPORT;
    }

    /**
     * Returns which part of what users do are writes.
     *
     * @return from 0 to 1; 1 also if each write is followed by a read
     */
    double writing() {
        return (write + readBack) / 100.0;
    }

    /** Returns the name on the command line and in the summary. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /**
     * Returns the workload of a name.
     *
     * @param name as {@link #toString()} writes it
     * @return the workload
     */
    static Workload of(String name) {
        return Arrays.stream(values())
                .filter(workload -> workload.toString().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "expected one of " + List.of(values()) + " as a workload, not '" + name + "'"));
    }
}
