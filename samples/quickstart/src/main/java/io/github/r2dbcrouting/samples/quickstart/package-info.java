/** Users who write and read back, from any replica and with causal sessions, on an embedded cluster. */
@NullMarked
package io.github.r2dbcrouting.samples.quickstart;

import org.jspecify.annotations.NullMarked;
