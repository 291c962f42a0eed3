/** A real cluster, three applications, many users, and whatever can go wrong. */
@NullMarked
package io.github.r2dbcrouting.chaos;

import org.jspecify.annotations.NullMarked;
