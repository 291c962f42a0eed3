/** What is known of each server, how is it learnt, and which position has a write? Not API. */
@NullMarked
package io.github.r2dbcrouting.internal.monitor;

import org.jspecify.annotations.NullMarked;
