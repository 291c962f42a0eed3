package io.github.r2dbcrouting.samples.shop.browser;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Page.GetByRoleOptions;
import com.microsoft.playwright.assertions.LocatorAssertions.HasTextOptions;
import com.microsoft.playwright.assertions.LocatorAssertions.IsEnabledOptions;
import com.microsoft.playwright.options.AriaRole;
import io.github.r2dbcrouting.samples.shop.demo.DemoServers;
import io.github.r2dbcrouting.samples.shop.demo.RunningShop;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.opentest4j.TestAbortedException;

/** What does a person see, who buys something and then breaks the servers? */
class ShopBrowserIT {

    private static final Duration LIMIT = Duration.ofMinutes(2);

    private static Chromium chromium;
    private static DemoServers servers;
    private static RunningShop shop;

    @BeforeAll
    static void start() {
        Path program = Chromium.find()
                .orElseThrow(() -> new TestAbortedException("There is no Chromium on the PATH, and none at"
                        + " -Dchromium=...: nothing is seen (Debian: apt-get install chromium)"));
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
            click(page, "Delay 1 s server2");
            assertThat(page.locator("#servers li").nth(1)).containsText("paused");
            assertThat(page.locator("#servers li").nth(2)).containsText("applies 1000 ms late");
            clickThroughReadBacks(page, 5);
            click(page, "1,000 times");
            assertThat(page.locator("#many")).isEnabled(new IsEnabledOptions().setTimeout((double) LIMIT.toMillis()));

            assertThat(page.locator("#rounds")).hasText("1,000");
            assertThat(page.locator("#stale")).hasText("0");
            assertThat(page.locator("#failed")).hasText("0");
            assertThat(percent(page.locator("#replica-share")))
                    .as("percent from replicas")
                    .isGreaterThan(50);
            Visit.picture(page, "webflux-shop");
            click(page, "Bring back server1");
            click(page, "Bring back server2");
            visit.assertQuiet();
        }
    }

    @Test
    void theDashboardShowsTheLagRisingAndTheReadsMoving() {
        try (Visit visit = new Visit(chromium.browser(), 1440, 1000)) {
            Page page = visit.page();
            page.navigate(shop.url() + "/");
            page.locator("#users").focus();
            page.locator("#users").press("ArrowRight");
            page.locator("#users").press("ArrowRight");
            Page dashboard = visit.another(shop.url() + "/actuator/r2dbcrouting/dashboard");
            assertThat(dashboard.locator("[data-testid=connection]")).hasText("live");
            DashboardRow one = new DashboardRow(dashboard, "server1");
            DashboardRow two = new DashboardRow(dashboard, "server2");
            DashboardRow three = new DashboardRow(dashboard, "server3");
            until(() -> one.reads() > 0 && two.reads() > 0 && three.reads() == 0);

            click(page, "Pause server1");
            click(page, "Pause server2");

            until(() -> one.lagMillis() > 3000 && two.lagMillis() > 3000);
            until(() -> one.reads() == 0 && two.reads() == 0 && three.reads() > 0);
            Visit.picture(dashboard, "dashboard");
            click(page, "Bring back server1");
            click(page, "Bring back server2");
            until(() -> one.lagMillis() < 1000 && one.reads() > 0);
            assertThat(page.locator("#load-stale")).hasText("0");
            page.locator("#users").focus();
            page.locator("#users").press("Home");
            visit.assertQuiet();
        }
    }

    /** Waits for a condition; Playwright wants to be asked on one thread. */
    private static void until(Callable<Boolean> condition) {
        await().pollInSameThread().atMost(LIMIT).until(condition);
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
                    .hasText(
                            Pattern.compile("Saved as revision " + i + ", read back as " + i + " from .*"),
                            new HasTextOptions().setTimeout((double) LIMIT.toMillis()));
        }
    }

    private static void click(Page page, String name) {
        page.getByRole(AriaRole.BUTTON, new GetByRoleOptions().setName(name)).click();
    }

    private static double percent(Locator locator) {
        return Double.parseDouble(locator.textContent().replace(" %", ""));
    }
}
