/**
 * A real PostgreSQL primary with streaming replicas in the test's own process tree, and the faults to put it through.
 */
@NullMarked
package io.github.r2dbcrouting.test;

import org.jspecify.annotations.NullMarked;
