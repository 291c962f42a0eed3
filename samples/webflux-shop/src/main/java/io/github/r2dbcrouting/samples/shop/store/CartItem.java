package io.github.r2dbcrouting.samples.shop.store;

import org.jspecify.annotations.Nullable;
import org.springframework.data.annotation.Id;

/** A row of the cart's table. */
record CartItem(@Id @Nullable Long id, String customer, int productId, int quantity) {}
