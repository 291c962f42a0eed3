/** How text for people is laid out. Not API. */
@NullMarked
package io.github.r2dbcrouting.internal.text;

import org.jspecify.annotations.NullMarked;
