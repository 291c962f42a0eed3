/** Clusters larger than any machine at hand, in virtual time. */
@NullMarked
package io.github.r2dbcrouting.benchmarks.simulate;

import org.jspecify.annotations.NullMarked;
