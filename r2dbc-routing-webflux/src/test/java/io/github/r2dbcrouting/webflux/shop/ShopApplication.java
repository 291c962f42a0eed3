package io.github.r2dbcrouting.webflux.shop;

import org.springframework.boot.autoconfigure.SpringBootApplication;

/** An application that routes by the kind of its queries. */
@SpringBootApplication
public class ShopApplication {}
