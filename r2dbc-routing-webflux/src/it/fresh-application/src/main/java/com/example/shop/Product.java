package com.example.shop;

import org.springframework.data.annotation.Id;

public record Product(@Id Integer id, String name) {}
