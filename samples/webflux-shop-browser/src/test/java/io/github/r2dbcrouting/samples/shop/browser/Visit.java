package io.github.r2dbcrouting.samples.shop.browser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.ColorScheme;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import org.awaitility.core.ConditionTimeoutException;

/** What does one person see, and what happens behind it: is anything complained of, and is anybody else asked? */
final class Visit implements AutoCloseable {

    private static final Path PICTURES = Path.of("target", "pictures");
    private static final Duration LIMIT = Duration.ofMinutes(2);

    private final BrowserContext context;
    private final Page page;
    private final List<String> complaints = new CopyOnWriteArrayList<>();
    private final List<String> hosts = new CopyOnWriteArrayList<>();

    Visit(Browser browser, int width, int height) {
        context = browser.newContext(new Browser.NewContextOptions().setViewportSize(width, height));
        context.setDefaultTimeout((double) LIMIT.toMillis());
        context.onRequest(request -> {
            URI asked = URI.create(request.url());
            // what is in the page itself is asked of nobody
            if (!"data".equals(asked.getScheme()) && !"blob".equals(asked.getScheme())) {
                hosts.add(asked.getHost());
            }
        });
        context.onConsoleMessage(message -> {
            if (message.type().equals("error") || message.type().equals("warning")) {
                complaints.add(message.type() + ": " + message.text());
            }
        });
        context.onWebError(error -> complaints.add("uncaught: " + error.error()));
        page = context.newPage();
    }

    Page page() {
        return page;
    }

    /** Another page of the same person, with the same cookies. */
    Page another(String url) {
        Page another = context.newPage();
        another.navigate(url);
        return another;
    }

    /** Takes a picture in light and one in dark. */
    static void picture(Page page, String name) {
        for (ColorScheme scheme : List.of(ColorScheme.DARK, ColorScheme.LIGHT)) {
            page.emulateMedia(new Page.EmulateMediaOptions().setColorScheme(scheme));
            page.screenshot(new Page.ScreenshotOptions()
                    .setPath(PICTURES.resolve(name + (scheme == ColorScheme.DARK ? "-dark.png" : ".png"))));
        }
    }

    /**
     * Waits until a page shows something, and fails at once if one complains meanwhile: what it complains of is why.
     *
     * @param shown asked again and again, on this thread, which is the one that Playwright wants to be asked on
     */
    void until(Callable<Boolean> shown) {
        try {
            await().pollInSameThread()
                    .atMost(LIMIT)
                    .until(() -> !complaints.isEmpty() || Boolean.TRUE.equals(shown.call()));
        } catch (ConditionTimeoutException e) {
            throw new AssertionError(
                    "not within " + LIMIT + "; instead the first page showed: "
                            + page.locator("body").innerText(),
                    e);
        }
        assertThat(complaints).as("console").isEmpty();
    }

    /** Fails if a page has complained, or has asked anybody but this host. */
    void assertQuiet() {
        assertThat(complaints).as("console").isEmpty();
        assertThat(hosts).as("hosts").isNotEmpty().containsOnly("localhost");
    }

    @Override
    public void close() {
        context.close();
    }
}
