package io.github.r2dbcrouting.internal.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.r2dbc.spi.Result;
import io.r2dbc.spi.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;

class BindingsTests {

    private final Bindings bindings = new Bindings(2);

    @Test
    void replaysWhatWasBound() {
        bindings.bind(1, "b");
        bindings.bindNull(0, String.class);

        assertThat(replayed()).containsExactly("0=null String", "1=b");
    }

    @Test
    void replaysSeveralSetsInTheirOrder() {
        bindings.bind(0, "a");
        bindings.bind(1, "b");
        bindings.add();
        bindings.bind(0, "c");
        bindings.bindNull(1, Integer.class);

        assertThat(replayed()).containsExactly("0=a", "1=b", "add", "0=c", "1=null Integer");
    }

    @Test
    void replacesAValueThatIsBoundTwice() {
        bindings.bind(0, "a");
        bindings.bind(0, "b");
        bindings.bind(1, "c");

        assertThat(replayed()).containsExactly("0=b", "1=c");
    }

    @Test
    void keepsTheValuesAsTheyAreWhenFinished() {
        bindings.bind(0, "a");
        bindings.bind(1, "b");
        var finished = bindings.finish();

        bindings.bind(0, "changed");

        Recorder recorder = new Recorder();
        assertThat(Bindings.replay(finished, recorder)).isSameAs(recorder);
        assertThat(recorder.calls).containsExactly("0=a", "1=b");
    }

    @Test
    void replaysNothingWithoutParameters() {
        Bindings none = new Bindings(0);

        assertThat(none.finish()).isEmpty();
    }

    @Test
    void refusesAClassAsAValue() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> bindings.bind(0, String.class))
                .withMessageContaining("bindNull")
                .withMessageContaining("java.lang.String");
        bindings.bind(0, "String.class");
        bindings.bindNull(1, Class.class);
        assertThat(replayed()).containsExactly("0=String.class", "1=null Class");
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 2, 3, Integer.MAX_VALUE, Integer.MIN_VALUE})
    void refusesAnIndexThatIsNotThere(int index) {
        assertThatExceptionOfType(IndexOutOfBoundsException.class)
                .isThrownBy(() -> bindings.bind(index, "x"))
                .withMessageContaining("2");
        assertThatExceptionOfType(IndexOutOfBoundsException.class)
                .isThrownBy(() -> bindings.bindNull(index, String.class));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "$",
                "$0",
                "$3",
                "1",
                "x",
                ":1",
                "$1 ",
                " $1",
                "$-1",
                "$+1",
                "$1a",
                "$99999",
                "$999999999999",
                "$١",
                "?1"
            })
    void refusesANameThatIsNotThere(String name) {
        assertThatExceptionOfType(NoSuchElementException.class)
                .isThrownBy(() -> bindings.indexOf(name))
                .withMessageContaining("$1 to $2");
    }

    @Test
    void findsTheIndexOfAName() {
        assertThat(bindings.indexOf("$1")).isZero();
        assertThat(bindings.indexOf("$2")).isEqualTo(1);
        assertThat(new Bindings(65_535).indexOf("$65535")).isEqualTo(65_534);
    }

    @Test
    void refusesNull() {
        assertThatIllegalArgumentException().isThrownBy(() -> bindings.bind(0, null));
        assertThatIllegalArgumentException().isThrownBy(() -> bindings.bindNull(0, null));
        assertThatIllegalArgumentException().isThrownBy(() -> bindings.indexOf(null));
    }

    @Test
    void refusesToFinishWithoutEveryValue() {
        assertThatIllegalStateException().isThrownBy(bindings::finish).withMessageContaining("2 parameters");
        bindings.bind(0, "a");
        assertThatIllegalStateException().isThrownBy(bindings::finish).withMessageContaining("$2");
        bindings.bind(1, "b");
        assertThat(bindings.finish()).hasSize(1);
    }

    @Test
    void refusesToAddWithoutEveryValue() {
        assertThatIllegalStateException().isThrownBy(bindings::add);
        bindings.bind(1, "b");
        assertThatIllegalStateException().isThrownBy(bindings::add).withMessageContaining("$1");
    }

    @Test
    void refusesToFinishWithASetThatWasBegunByAddOnly() {
        bindings.bind(0, "a");
        bindings.bind(1, "b");
        bindings.add();

        assertThatIllegalStateException().isThrownBy(bindings::finish).withMessageContaining("add()");
    }

    @Test
    void keepsNoValueFromOneSetToTheNext() {
        bindings.bind(0, "a");
        bindings.bind(1, "b");
        bindings.add();
        bindings.bind(0, "c");

        assertThatIllegalStateException().isThrownBy(bindings::finish).withMessageContaining("$2");
    }

    @Test
    void namesNoValueInItsMessages() {
        bindings.bind(0, "hunter2");

        assertThatIllegalStateException().isThrownBy(bindings::finish).withMessageNotContaining("hunter2");
        assertThatExceptionOfType(IndexOutOfBoundsException.class)
                .isThrownBy(() -> bindings.bind(7, "hunter2"))
                .withMessageNotContaining("hunter2");
    }

    private List<String> replayed() {
        Recorder recorder = new Recorder();
        assertThat(Bindings.replay(bindings.finish(), recorder)).isSameAs(recorder);
        return recorder.calls;
    }

    private static final class Recorder implements Statement {

        final List<String> calls = new ArrayList<>();

        @Override
        public Statement add() {
            calls.add("add");
            return this;
        }

        @Override
        public Statement bind(int index, Object value) {
            calls.add(index + "=" + value);
            return this;
        }

        @Override
        public Statement bind(String name, Object value) {
            throw new AssertionError("values are bound by index");
        }

        @Override
        public Statement bindNull(int index, Class<?> type) {
            calls.add(index + "=null " + type.getSimpleName());
            return this;
        }

        @Override
        public Statement bindNull(String name, Class<?> type) {
            throw new AssertionError("values are bound by index");
        }

        @Override
        public Publisher<? extends Result> execute() {
            return Flux.empty();
        }
    }
}
