/** Reactive building blocks that the router's other packages share. Not API. */
@NullMarked
package io.github.r2dbcrouting.internal.reactive;

import org.jspecify.annotations.NullMarked;
