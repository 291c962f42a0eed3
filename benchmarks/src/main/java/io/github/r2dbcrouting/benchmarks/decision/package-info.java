/** What one decision costs, by the number of servers and policies. */
@NullMarked
package io.github.r2dbcrouting.benchmarks.decision;

import org.jspecify.annotations.NullMarked;
