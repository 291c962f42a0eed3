/** What several ways of choosing a server do under the same load, in turns. */
@NullMarked
package io.github.r2dbcrouting.benchmarks.load;

import org.jspecify.annotations.NullMarked;
