/** What single steps cost, by JMH. */
@NullMarked
package io.github.r2dbcrouting.benchmarks.micro;

import org.jspecify.annotations.NullMarked;
