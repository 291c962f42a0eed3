/** What routing costs, measured in interleaved runs with a row for the noise beside each. */
@NullMarked
package io.github.r2dbcrouting.benchmarks;

import org.jspecify.annotations.NullMarked;
