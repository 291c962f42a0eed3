package io.github.r2dbcrouting.benchmarks.report;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.DoubleFunction;
import java.util.function.DoubleUnaryOperator;

/** How are numbers drawn? As inline SVG whose colours are the page's, and that needs nothing from elsewhere. */
final class Svg {

    private static final int WIDTH = 720;
    private static final int LABELS = 230;
    private static final int ROW = 26;
    private static final int PLOT_HEIGHT = 230;
    private static final int LEFT = 64;

    /**
     * One bar.
     *
     * @param label what it stands for
     * @param value its length
     * @param lower where its whisker begins
     * @param upper where its whisker ends; no whisker if that is not more than where it begins
     * @param text what is written behind it
     * @param colour the number of its colour
     */
    record Bar(String label, double value, double lower, double upper, String text, int colour) {}

    /**
     * One line.
     *
     * @param label what it stands for
     * @param points x and y
     * @param colour the number of its colour
     * @param strong whether it is what the reader looks for
     */
    record Line(String label, List<double[]> points, int colour, boolean strong) {}

    /**
     * One bar of several parts.
     *
     * @param label what it stands for
     * @param parts how much of what; the parts of all bars share their colours
     */
    record Stack(String label, Map<String, Long> parts) {}

    private final StringBuilder text = new StringBuilder();

    private Svg() {}

    static String bars(List<Bar> bars) {
        Svg svg = new Svg();
        double most = bars.stream()
                .mapToDouble(bar -> Math.max(bar.value, bar.upper))
                .max()
                .orElse(0);
        double scale = most == 0 ? 0 : (WIDTH - LABELS - 110) / most;
        svg.open(bars.size() * ROW + 6);
        for (int i = 0; i < bars.size(); i++) {
            Bar bar = bars.get(i);
            int y = i * ROW + 4;
            svg.label(bar.label, LABELS - 8, y + 14, "end");
            svg.add(
                    "<rect x='%d' y='%d' width='%.1f' height='%d' rx='2' class='f%d'><title>%s: %s</title></rect>",
                    LABELS,
                    y,
                    Math.max(bar.value * scale, 0.5),
                    ROW - 8,
                    bar.colour,
                    escape(bar.label),
                    escape(bar.text));
            if (bar.upper > bar.lower) {
                svg.add(
                        "<line x1='%.1f' x2='%.1f' y1='%d' y2='%d' class='whisker'/>",
                        LABELS + bar.lower * scale, LABELS + bar.upper * scale, y + 9, y + 9);
            }
            svg.label(bar.text, LABELS + Math.max(bar.value, bar.upper) * scale + 8, y + 14, "start");
        }
        return svg.close();
    }

    static String lines(
            List<Line> lines,
            boolean logarithmic,
            String unit,
            List<double[]> xTicks,
            DoubleFunction<String> xText,
            DoubleUnaryOperator xPlace) {
        Svg svg = new Svg();
        svg.open(PLOT_HEIGHT + 40);
        double[] ys = lines.stream()
                .flatMap(line -> line.points.stream())
                .mapToDouble(point -> point[1])
                .filter(y -> !logarithmic || y > 0)
                .toArray();
        double[] xs = lines.stream()
                .flatMap(line -> line.points.stream())
                .mapToDouble(point -> xPlace.applyAsDouble(point[0]))
                .toArray();
        if (ys.length == 0 || xs.length == 0) {
            svg.label("nothing was measured", LEFT + 8, 40, "start");
            return svg.close();
        }
        Axis x = Axis.linear(min(xs), max(xs), LEFT, WIDTH - 16);
        Axis y = logarithmic
                ? Axis.logarithmic(min(ys), max(ys), PLOT_HEIGHT, 12)
                : Axis.linear(0, max(ys), PLOT_HEIGHT, 12);
        for (double tick : y.ticks()) {
            svg.add(
                    "<line x1='%d' x2='%d' y1='%.1f' y2='%.1f' class='grid'/>",
                    LEFT, WIDTH - 16, y.at(tick), y.at(tick));
            svg.label(number(tick), LEFT - 8, y.at(tick) + 4, "end");
        }
        svg.label(unit, 4, 10, "start");
        for (double[] tick : xTicks.isEmpty() ? x.tickPairs() : xTicks) {
            double place = x.at(xPlace.applyAsDouble(tick[0]));
            if (place >= LEFT - 1 && place <= WIDTH - 15) {
                svg.label(xText.apply(tick[0]), place, PLOT_HEIGHT + 18, "middle");
            }
        }
        lines.stream().filter(line -> !line.strong).forEach(line -> svg.path(line, x, y, xPlace, logarithmic));
        lines.stream().filter(Line::strong).forEach(line -> svg.path(line, x, y, xPlace, logarithmic));
        return svg.close() + legend(lines);
    }

    private void path(Line line, Axis x, Axis y, DoubleUnaryOperator xPlace, boolean logarithmic) {
        StringBuilder points = new StringBuilder();
        for (double[] point : line.points) {
            if (!logarithmic || point[1] > 0) {
                points.append(
                        String.format(Locale.ROOT, "%.1f,%.1f ", x.at(xPlace.applyAsDouble(point[0])), y.at(point[1])));
            }
        }
        add(
                "<polyline points='%s' class='s%d%s'><title>%s</title></polyline>",
                points.toString().strip(), line.colour, line.strong ? " strong" : "", escape(line.label));
    }

    private static String legend(List<Line> lines) {
        StringBuilder html = new StringBuilder("<p class='legend'>");
        lines.forEach(line -> html.append("<span><i class='b")
                .append(line.colour)
                .append("'></i>")
                .append(escape(line.label))
                .append("</span> "));
        return html.append("</p>").toString();
    }

    static String stacks(List<Stack> stacks) {
        Svg svg = new Svg();
        svg.open(stacks.size() * ROW + 6);
        List<String> parts = List.copyOf(new TreeSet<>(
                stacks.stream().flatMap(stack -> stack.parts.keySet().stream()).toList()));
        for (int i = 0; i < stacks.size(); i++) {
            Stack stack = stacks.get(i);
            int y = i * ROW + 4;
            svg.label(stack.label, LABELS - 8, y + 14, "end");
            long sum = stack.parts.values().stream().mapToLong(Long::longValue).sum();
            double x = LABELS;
            for (int part = 0; part < parts.size(); part++) {
                long count = stack.parts.getOrDefault(parts.get(part), 0L);
                double width = sum == 0 ? 0 : count * (double) (WIDTH - LABELS - 16) / sum;
                if (count > 0) {
                    svg.add(
                            "<rect x='%.1f' y='%d' width='%.1f' height='%d' class='f%d'><title>%s: %s, %.1f %%</title></rect>",
                            x,
                            y,
                            Math.max(width - 1, 0.5),
                            ROW - 8,
                            part,
                            escape(parts.get(part)),
                            number((double) count),
                            100.0 * count / sum);
                }
                x += width;
            }
        }
        StringBuilder legend = new StringBuilder("<p class='legend'>");
        for (int part = 0; part < parts.size(); part++) {
            legend.append("<span><i class='b")
                    .append(part)
                    .append("'></i>")
                    .append(escape(parts.get(part)))
                    .append("</span> ");
        }
        return svg.close() + legend.append("</p>");
    }

    static String number(double value) {
        double size = Math.abs(value);
        if (size >= 1_000_000) {
            return String.format(Locale.ROOT, "%.3gM", value / 1e6);
        }
        if (size >= 10_000) {
            return String.format(Locale.ROOT, "%.0fk", value / 1e3);
        }
        return size >= 100 || value == Math.rint(value)
                ? String.format(Locale.ROOT, "%.0f", value)
                : String.format(Locale.ROOT, "%.3g", value);
    }

    /**
     * Makes a text safe between tags and in attributes.
     *
     * @param raw any text
     * @return the same to whoever reads the page
     */
    static String escape(String raw) {
        return raw.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("'", "&#39;");
    }

    private void open(int height) {
        add("<svg viewBox='0 0 %d %d' role='img' xmlns='http://www.w3.org/2000/svg'>", WIDTH, height);
    }

    private String close() {
        return text.append("</svg>").toString();
    }

    private void label(String words, double x, double y, String anchor) {
        add("<text x='%.1f' y='%.1f' text-anchor='%s'>%s</text>", x, y, anchor, escape(words));
    }

    @SuppressWarnings("AnnotateFormatMethod") // private, and only called with literals
    private void add(String format, Object... arguments) {
        text.append(String.format(Locale.ROOT, format, arguments));
    }

    private static double min(double[] values) {
        return java.util.Arrays.stream(values).min().orElse(0);
    }

    private static double max(double[] values) {
        return java.util.Arrays.stream(values).max().orElse(0);
    }
}
