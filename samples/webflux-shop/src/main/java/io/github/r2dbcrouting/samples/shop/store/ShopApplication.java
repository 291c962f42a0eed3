package io.github.r2dbcrouting.samples.shop.store;

import org.springframework.boot.autoconfigure.SpringBootApplication;

/** The application. Its servers come with properties, as they would anywhere. */
@SpringBootApplication
public class ShopApplication {}
