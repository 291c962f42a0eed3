/** What can be measured of a router: meters for Micrometer, which is an optional dependency. */
@NullMarked
package io.github.r2dbcrouting.micrometer;

import org.jspecify.annotations.NullMarked;
