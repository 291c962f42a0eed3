package io.github.r2dbcrouting.samples.shop.browser;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;

/** What does the dashboard show of one server at this moment? */
final class DashboardRow {

    private final Locator row;

    DashboardRow(Page dashboard, String server) {
        row = dashboard.locator("[data-testid=server-row][data-server=" + server + "]");
    }

    /** How old what it has may be; infinitely if that is not known. */
    double lagMillis() {
        return number("data-lag-ms", Double.POSITIVE_INFINITY);
    }

    /** How many reads it serves each second. */
    double reads() {
        return number("data-reads", 0);
    }

    private double number(String attribute, double otherwise) {
        String text = row.getAttribute(attribute);
        return text == null || text.isEmpty() ? otherwise : Double.parseDouble(text);
    }
}
