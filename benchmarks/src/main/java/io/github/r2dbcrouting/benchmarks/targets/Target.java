package io.github.r2dbcrouting.benchmarks.targets;

/**
 * One thing to reach, and how far it is from there.
 *
 * @param name what is measured
 * @param reach what is to be reached
 * @param measured what was measured
 * @param held whether it was reached
 * @param gate whether a run in which it was not ends with an error
 */
record Target(String name, String reach, String measured, boolean held, boolean gate) {

    /** Returns the verdict in a word. */
    String verdict() {
        return held ? "reached" : "missed";
    }

    /** Returns a row of a table in Markdown. */
    String markdown() {
        return "| " + name + " | " + reach + " | " + measured.replace("|", "\\|") + " | " + verdict() + " |";
    }
}
