package io.github.r2dbcrouting.internal.monitor;

import io.github.r2dbcrouting.spi.Introduction;
import io.github.r2dbcrouting.spi.Observation;

/**
 * What did one probe of one server bring?
 *
 * @param introduction what the monitor's connection said when it was opened
 * @param openedAt when that was, by the monitor's clock
 * @param observation what the probe brought
 * @param sentAt when the probe was sent: what it brought is at least as new
 * @param nudged whether the history was nudged between the sending and the observation
 */
record Sample(Introduction introduction, long openedAt, Observation observation, long sentAt, boolean nudged) {}
