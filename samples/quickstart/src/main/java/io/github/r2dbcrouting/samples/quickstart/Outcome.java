package io.github.r2dbcrouting.samples.quickstart;

import java.time.Duration;

/**
 * How did a run end?
 *
 * @param tally what its users saw
 * @param took how long it took
 */
record Outcome(Tally tally, Duration took) {}
