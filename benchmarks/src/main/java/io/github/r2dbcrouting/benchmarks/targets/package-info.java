/** What the library is to reach, and how far it is from there. */
@NullMarked
package io.github.r2dbcrouting.benchmarks.targets;

import org.jspecify.annotations.NullMarked;
