package io.github.r2dbcrouting.samples.shop.browser;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static com.microsoft.playwright.assertions.PlaywrightAssertions.setDefaultAssertionTimeout;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Page.GetByRoleOptions;
import com.microsoft.playwright.options.AriaRole;
import io.github.r2dbcrouting.samples.shop.demo.DemoServers;
import io.github.r2dbcrouting.samples.shop.demo.RunningShop;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.opentest4j.TestAbortedException;

/** What does a person see, who buys something and then breaks the servers? */
class ShopBrowserIT {

    /** On a busy machine; what does not come costs the more. */
    private static final Duration LIMIT = Duration.ofMinutes(2);

    private static Chromium chromium;
    private static DemoServers servers;
    private static RunningShop shop;

    @BeforeAll
    static void start() {
        Path program = Chromium.find()
                .orElseThrow(() -> new TestAbortedException("There is no Chromium on the PATH, and none at"
                        + " -Dchromium=...: nothing is seen (Debian: apt-get install chromium)"));
        setDefaultAssertionTimeout((double) LIMIT.toMillis());
        chromium = Chromium.start(program);
        servers = DemoServers.start();
        shop = RunningShop.start(servers, "--server.port=0");
    }

    @AfterAll
    static void stop() {
        if (shop != null) {
            shop.close();
        }
        if (servers != null) {
            servers.close();
        }
        if (chromium != null) {
            chromium.close();
        }
    }

    @Test
    void aThousandReadBacksWithOneReplicaPausedAndAnotherLate() {
        try (Visit visit = new Visit(chromium.browser(), 1440, 1180)) {
            Page page = visit.page();
            page.navigate(shop.url() + "/");
            buySomething(page);

            click(page, "Pause server1");
            assertThat(page.locator("#servers li").nth(1)).containsText("paused");
            click(page, "Delay 1 s server2");
            assertThat(page.locator("#servers li").nth(2)).containsText("applies 1000 ms late");
            clickThroughReadBacks(page, 5);
            click(page, "1,000 times");
            assertThat(page.locator("#rounds")).hasText("1,000");
            assertThat(page.locator("#many")).isEnabled();

            assertThat(page.locator("#stale")).hasText("0");
            assertThat(page.locator("#failed")).hasText("0");
            assertThat(percent(page.locator("#replica-share")))
                    .as("percent from replicas")
                    .isGreaterThan(50);
            Visit.picture(page, "webflux-shop");
            bringBack(visit, "server1", "Pause server1");
            bringBack(visit, "server2", "Delay 1 s server2");
            visit.assertQuiet();
        }
    }

    @Test
    void theDashboardShowsTheLagRisingAndTheReadsMoving() {
        try (Visit visit = new Visit(chromium.browser(), 1440, 1000)) {
            Page page = visit.page();
            page.navigate(shop.url() + "/");
            letIn(page, "ArrowRight", "4");
            letIn(page, "ArrowRight", "8");
            Page dashboard = visit.another(shop.url() + "/actuator/r2dbcrouting/dashboard");
            assertThat(dashboard.locator("[data-testid=connection]")).hasText("live");
            DashboardRow one = new DashboardRow(dashboard, "server1");
            DashboardRow two = new DashboardRow(dashboard, "server2");
            DashboardRow three = new DashboardRow(dashboard, "server3");
            visit.until(() -> one.reads() > 0 && two.reads() > 0 && three.reads() == 0);

            click(page, "Pause server1");
            assertThat(button(page, "Bring back server1")).isVisible();
            click(page, "Pause server2");
            assertThat(button(page, "Bring back server2")).isVisible();

            visit.until(() -> one.lagMillis() > 3000 && two.lagMillis() > 3000);
            visit.until(() -> one.reads() == 0 && two.reads() == 0 && three.reads() > 0);
            Visit.picture(dashboard, "dashboard");
            bringBack(visit, "server1", "Pause server1");
            bringBack(visit, "server2", "Pause server2");
            visit.until(() -> one.lagMillis() < 1000 && one.reads() > 0);
            assertThat(page.locator("#load-stale")).hasText("0");
            letIn(page, "Home", "0");
            visit.assertQuiet();
        }
    }

    private static void buySomething(Page page) {
        click(page, "Add Token Mug");
        assertThat(page.locator("#total")).hasText("14.00");
        click(page, "Add Replica Fern");
        assertThat(page.locator("#total")).hasText("32.00");
        click(page, "Place the order");
        assertThat(page.locator("#cart")).containsText("Nothing in it yet.");
        assertThat(page.locator("#orders li").first()).containsText("placed");
        click(page, "Send to warehouse");
        assertThat(page.locator("#orders li").first()).containsText("packed");
        click(page, "Count");
        assertThat(page.locator("#report-by")).containsText("server3");
    }

    private static void clickThroughReadBacks(Page page, int times) {
        for (int i = 1; i <= times; i++) {
            page.locator("#note").fill("Please ring " + i + " times.");
            click(page, "Save and read back");
            assertThat(page.locator("#read-back"))
                    .hasText(Pattern.compile("Saved as revision " + i + ", read back as " + i + " from .*"));
        }
    }

    /**
     * Undoes what was done to a server, and waits until that is over, which a button tells that is there only then:
     * whoever leaves before would not hear of a failure, and the next test would find the server as it is.
     */
    private static void bringBack(Visit visit, String server, String afterwards) {
        click(visit.page(), "Bring back " + server);
        visit.until(() -> button(visit.page(), afterwards).isVisible());
    }

    /** Moves the slider of the other customers, and waits until the shop has heard of it. */
    private static void letIn(Page page, String key, String users) {
        page.waitForResponse(
                response -> response.url().endsWith("/demo/load?users=" + users) && response.ok(),
                () -> page.locator("#users").press(key));
    }

    private static void click(Page page, String name) {
        button(page, name).click();
    }

    private static Locator button(Page page, String name) {
        return page.getByRole(AriaRole.BUTTON, new GetByRoleOptions().setName(name));
    }

    private static double percent(Locator locator) {
        return Double.parseDouble(locator.textContent().replace(" %", ""));
    }
}
