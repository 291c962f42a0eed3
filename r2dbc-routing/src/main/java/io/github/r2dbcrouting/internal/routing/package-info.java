/** Which server serves this subscription, and why? Not API. */
@NullMarked
package io.github.r2dbcrouting.internal.routing;

import org.jspecify.annotations.NullMarked;
