/** How much time has passed? Not API. */
@NullMarked
package io.github.r2dbcrouting.internal.clock;

import org.jspecify.annotations.NullMarked;
