/** What keeps the rules, and how a test takes one mechanism away to show that it is needed. Not API. */
@NullMarked
package io.github.r2dbcrouting.internal.safeguard;

import org.jspecify.annotations.NullMarked;
