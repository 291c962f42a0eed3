/** How does what a session wrote and saw travel to whoever goes on with it? */
@NullMarked
package io.github.r2dbcrouting.webflux.token;

import org.jspecify.annotations.NullMarked;
