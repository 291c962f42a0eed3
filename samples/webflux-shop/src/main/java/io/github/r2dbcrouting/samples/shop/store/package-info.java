/** A shop as any team would write it. Of the database's servers it knows nothing but what its annotations say. */
@NullMarked
package io.github.r2dbcrouting.samples.shop.store;

import org.jspecify.annotations.NullMarked;
