package io.github.r2dbcrouting.benchmarks.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.StringReader;
import java.util.List;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

class HtmlReportTests {

    private final RouterSummary causal = Runs.router("causal", 0, 0.1);
    private final String page = HtmlReport.of(Runs.summary(causal), List.of(Runs.report(causal)));

    @Test
    void thePageIsWellFormedWhateverNamesSay() throws Exception {
        Document document = parsed(page);

        assertThat(document.getElementsByTagName("svg").getLength()).isEqualTo(7);
        assertThat(document.getElementsByTagName("table").getLength()).isEqualTo(2);
        assertThat(page).contains("a router &lt;called&gt; causal &amp; &quot;so on&quot;");
    }

    @Test
    void nothingIsFetchedFromElsewhere() {
        String withoutNamespace = page.replace("xmlns='http://www.w3.org/2000/svg'", "");

        assertThat(withoutNamespace).doesNotContainPattern(Pattern.compile("https?:|src=|href=|@import|url\\("));
    }

    @Test
    void theDarkHasColoursOfItsOwn() {
        assertThat(page).contains("prefers-color-scheme:dark").contains("--c11:");
    }

    @Test
    void noChartHasAPlaceThatIsNoNumber() {
        assertThat(page).doesNotContain("NaN").doesNotContain("Infinity");
    }

    @Test
    void aRunInWhichNothingHappenedIsDrawn() throws Exception {
        String empty = HtmlReport.of(
                Runs.summary(), List.of(new WorkloadReport("read-only", "nothing", List.of(), List.of())));

        assertThat(parsed(empty).getElementsByTagName("svg").getLength()).isPositive();
        assertThat(empty).doesNotContain("NaN").doesNotContain("Infinity").contains("nothing was measured");
    }

    private static Document parsed(String html) throws Exception {
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new InputSource(new StringReader(html.replaceFirst("<!DOCTYPE html>", ""))));
    }
}
