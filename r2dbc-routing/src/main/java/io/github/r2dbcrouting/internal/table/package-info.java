/** Where the monitor and the requests meet: one reference to an immutable table. Not API. */
@NullMarked
package io.github.r2dbcrouting.internal.table;

import org.jspecify.annotations.NullMarked;
