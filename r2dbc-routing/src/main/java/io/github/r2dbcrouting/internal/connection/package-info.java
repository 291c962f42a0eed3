/** How is a connection lent, used and given back, exactly once? Not API. */
@NullMarked
package io.github.r2dbcrouting.internal.connection;

import org.jspecify.annotations.NullMarked;
