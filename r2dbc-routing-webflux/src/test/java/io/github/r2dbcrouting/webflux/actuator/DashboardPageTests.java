package io.github.r2dbcrouting.webflux.actuator;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.predicate.RuntimeHintsPredicates;

class DashboardPageTests {

    private static final Pattern REFERENCE = Pattern.compile("(?:src|href|from)=?\\s*\"([^\"#][^\"]*)\"");

    private final DashboardPage page = new DashboardPage();

    @ParameterizedTest
    @ValueSource(strings = {"dashboard.html", "dashboard.css", "dashboard.js", "charts.js", "icon.svg"})
    void refersToItsOwnFilesAndNoOtherHost(String name) {
        String text = text(name).replace("http://www.w3.org/2000/svg", "");

        assertThat(text).doesNotContain("http:", "https:", "//cdn", "@import", "url(");
        Matcher references = REFERENCE.matcher(text);
        while (references.find()) {
            String file = references.group(1).replaceFirst("^(dashboard|\\.)/", "");
            assertThat(page.file(file)).as(references.group(1)).isNotNull();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"dashboard.js", "charts.js"})
    void putsNothingIntoThePageButText(String name) {
        assertThat(text(name))
                .doesNotContain("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(");
    }

    @Test
    void needsNothingThatItsHeadersForbid() {
        assertThat(text("dashboard.html")).doesNotContain("style=", "<style", "onclick", "<script>");
    }

    /** Counted in the file that makes the rows: a cell without a header is nothing to a screen reader. */
    @Test
    void hasAHeaderForEachCellOfAReason() {
        Matcher header = Pattern.compile("<table class=\"reasons\">\\s*<thead[^>]*>(.*)</thead>")
                .matcher(text("dashboard.html"));
        Matcher cells = Pattern.compile("element\\(\"th\", \\{ scope: \"row\", class: \"what\" }, label\\),"
                        + " element\\(\"td\".*, known\\.percent, known\\.rate\\);")
                .matcher(text("dashboard.js"));

        assertThat(header.find()).isTrue();
        assertThat(cells.find()).isTrue();
        assertThat(header.group(1).split("<th ", -1)).hasSize(1 + 4);
    }

    @Test
    void knowsNoOtherFile() {
        assertThat(page.file("package-info.class")).isNull();
        assertThat(page.file("../actuator/dashboard.js")).isNull();
    }

    @Test
    void isThereInANativeImage() {
        RuntimeHints hints = new RuntimeHints();

        new RoutingEndpointAutoConfiguration.PageHints().registerHints(hints, null);

        assertThat(new String[] {"dashboard.html", "dashboard.css", "dashboard.js", "charts.js", "icon.svg"})
                .allSatisfy(name -> assertThat(hints)
                        .matches(RuntimeHintsPredicates.resource().forResource(DashboardPage.FOLDER + name)));
        assertThat(hints)
                .matches(RuntimeHintsPredicates.resource()
                        .forResource(DashboardPage.FOLDER + "Watch.class")
                        .negate());
    }

    private String text(String name) {
        return new String(Objects.requireNonNull(page.file(name)).content(), StandardCharsets.UTF_8);
    }
}
