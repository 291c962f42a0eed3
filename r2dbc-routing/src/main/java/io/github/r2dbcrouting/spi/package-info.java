/** What may be replaced: the engine, which alone knows a database's own language, and the positions it speaks of. */
@NullMarked
package io.github.r2dbcrouting.spi;

import org.jspecify.annotations.NullMarked;
