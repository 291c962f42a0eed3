/** Everything that knows PostgreSQL: its SQL, its write-ahead log, its errors. Nothing outside names an LSN. */
@NullMarked
package io.github.r2dbcrouting.postgresql;

import org.jspecify.annotations.NullMarked;
