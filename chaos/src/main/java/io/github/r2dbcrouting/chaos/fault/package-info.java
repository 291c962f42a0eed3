/** What goes wrong, and in which order? */
@NullMarked
package io.github.r2dbcrouting.chaos.fault;

import org.jspecify.annotations.NullMarked;
