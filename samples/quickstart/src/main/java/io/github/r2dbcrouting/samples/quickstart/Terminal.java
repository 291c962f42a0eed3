package io.github.r2dbcrouting.samples.quickstart;

import java.io.Console;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.time.Duration;

/**
 * How does the demo speak to whoever watches? With a line that is rewritten in place where that is a person at a
 * terminal, and with a line every few seconds where it is a file or a pipe.
 *
 * <p>Thread-safe.
 */
final class Terminal {

    private static final Duration PAUSE_BETWEEN_LINES = Duration.ofSeconds(3);

    private final PrintStream out;
    private final boolean live;
    private int shown;
    private long lastLineAt = System.nanoTime();

    Terminal(PrintStream out, boolean live) {
        this.out = out;
        this.live = live;
    }

    static Terminal ofProcess() {
        return new Terminal(System.out, isTerminal());
    }

    /** Prints a line that stays. */
    synchronized void line(String text) {
        erase();
        out.println(text);
        out.flush();
        lastLineAt = System.nanoTime();
    }

    /** Shows where a run stands; the next call, or the next line, replaces it. */
    synchronized void progress(String text) {
        if (live) {
            erase();
            out.print(text);
            out.flush();
            shown = text.length();
        } else if (System.nanoTime() - lastLineAt > PAUSE_BETWEEN_LINES.toNanos()) {
            line(text);
        }
    }

    /** Takes the progress off the screen, so that something else can be written where it stood. */
    synchronized void erase() {
        if (shown > 0) {
            out.print("\r" + " ".repeat(shown) + "\r");
            out.flush();
            shown = 0;
        }
    }

    /** A stream for messages that do not pass through here, such as warnings: each begins on an empty line. */
    PrintStream besides(PrintStream stream) {
        OutputStream erasing = new FilterOutputStream(stream) {
            @Override
            public void write(int b) throws IOException {
                erase();
                out.write(b);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                erase();
                out.write(bytes, offset, length);
            }
        };
        return new PrintStream(erasing, true, Charset.defaultCharset());
    }

    @SuppressWarnings("SystemConsoleNull") // where it is never null, it is asked itself
    private static boolean isTerminal() {
        Console console = System.console();
        String kind = System.getenv("TERM");
        if (console == null || kind == null || kind.equals("dumb")) {
            return false;
        }
        try {
            return (boolean) Console.class.getMethod("isTerminal").invoke(console);
        } catch (ReflectiveOperationException before22) {
            // until Java 22 there is a console only where there is a terminal
            return true;
        }
    }
}
