/** What has a session written, and how much of that is not yet placed? Not API. */
@NullMarked
package io.github.r2dbcrouting.internal.session;

import org.jspecify.annotations.NullMarked;
