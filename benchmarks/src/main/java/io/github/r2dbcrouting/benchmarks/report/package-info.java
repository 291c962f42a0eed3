/** What is left of a run: a table, a summary for programs, and a page for people. */
@NullMarked
package io.github.r2dbcrouting.benchmarks.report;

import org.jspecify.annotations.NullMarked;
