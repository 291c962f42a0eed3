/** How do HTTP requests and answers carry a session's token? */
@NullMarked
package io.github.r2dbcrouting.webflux.http;

import org.jspecify.annotations.NullMarked;
