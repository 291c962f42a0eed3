package io.github.r2dbcrouting.test.history;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Histories of a store that keeps every guarantee pass; with one answer changed so that it breaks one, that one is found.
 *
 * <p>An answer is shortened by its last value. Which guarantee that breaks is decided here, from what the session had
 * done, seen, or seen of others, without the checker's search.
 */
class PlantedViolationsTests {

    private static final int SEEDS = 8;
    private static final int STEPS = 2500;
    private static final int PLANTED_IN_EACH = 4;
    private static final int MOST_LOOKED_AT = 200;
    private static final Set<Guarantee> ACROSS_SESSIONS =
            EnumSet.of(Guarantee.MONOTONIC_WRITES, Guarantee.WRITES_FOLLOW_READS);

    static Stream<Long> seeds() {
        return Stream.iterate(1L, seed -> seed + 1).limit(SEEDS);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void passesWhatKeepsEveryGuarantee(long seed) {
        assertThat(SimulatedStore.run(seed, STEPS, false, false).check().violations())
                .isEmpty();
        assertThat(SimulatedStore.run(seed, STEPS, false, true).check().violations())
                .isEmpty();
        assertThat(SimulatedStore.run(seed, STEPS, true, true).check().violations())
                .isEmpty();
    }

    @Test
    void findsEachGuaranteeThatWasBroken() {
        Map<Guarantee, Integer> planted = new EnumMap<>(Guarantee.class);

        seeds().forEach(seed -> {
            boolean failovers = seed % 2 == 0;
            History history = SimulatedStore.run(seed, STEPS, failovers, failovers || seed % 3 == 0);
            for (Guarantee guarantee : List.of(
                    Guarantee.READ_YOUR_WRITES,
                    Guarantee.MONOTONIC_READS,
                    Guarantee.MONOTONIC_WRITES,
                    Guarantee.WRITES_FOLLOW_READS)) {
                plant(history, guarantee, seed, planted);
            }
        });

        System.out.println("planted and found: " + planted);
        assertThat(planted.values()).allMatch(count -> count >= 12).hasSize(4);
    }

    @Test
    void findsAnOlderValueOfARegister() {
        Map<Guarantee, Integer> planted = new EnumMap<>(Guarantee.class);

        seeds().forEach(seed -> {
            History history = SimulatedStore.run(seed, STEPS, seed % 2 == 0, true);
            Knowledge knowledge = Knowledge.of(history);
            for (Operation read : answered(history, Action.READ_REGISTERS, seed)) {
                Outdated outdated = knowledge.outdated(read);
                if (outdated != null) {
                    Operation changed = read.seeing(new long[] {outdated.value});

                    assertThat(with(history, read, changed).check().violations())
                            .as("seed %d: %s with %d, %s", seed, read, outdated.value, outdated.breaks)
                            .anySatisfy(one -> {
                                assertThat(one.guarantee()).isEqualTo(outdated.breaks);
                                assertThat(one.operations().get(0)).isSameAs(changed);
                            });
                    planted.merge(outdated.breaks, 1, Integer::sum);
                }
            }
        });

        System.out.println("planted and found in registers: " + planted);
        assertThat(planted)
                .containsOnlyKeys(Guarantee.READ_YOUR_WRITES, Guarantee.MONOTONIC_READS)
                .allSatisfy((guarantee, count) -> assertThat(count).isGreaterThan(12));
    }

    /** A value that a read must not have seen, since its session knew of the next one. */
    private record Outdated(long value, Guarantee breaks) {}

    @Test
    void findsWhatWasLostInALaterAnswer() {
        Map<Guarantee, Integer> planted = new EnumMap<>(Guarantee.class);

        seeds().forEach(seed -> {
            History history = SimulatedStore.run(seed, STEPS, true, true);
            List<Operation> writes = history.operations().stream()
                    .filter(one -> one.action() == Action.APPEND)
                    .toList();
            Random random = new Random(seed);
            for (Operation write : writes) {
                List<Operation> later = history.operations().stream()
                        .filter(read -> read.isAnsweredRead()
                                && read.action() == Action.READ_LISTS
                                && read.keyCount() == 1
                                && read.key(0) == write.key(0)
                                && history.switches().stream()
                                        .anyMatch(change -> change.hasLost(write.key(0), write.value())
                                                && change.followedFrom() < read.invoked()))
                        .toList();
                if (!later.isEmpty()) {
                    Operation read = later.get(random.nextInt(later.size()));
                    long[] seen = Arrays.copyOf(read.seenValues(0), read.seenValues(0).length + 1);
                    seen[seen.length - 1] = write.value();
                    Operation changed = read.seeing(seen);

                    assertThat(with(history, read, changed).check().violations())
                            .as("seed %d: %s with %d", seed, read, write.value())
                            .anySatisfy(one -> {
                                assertThat(one.guarantee()).isEqualTo(Guarantee.NO_LOST_BRANCH);
                                assertThat(one.operations().get(0)).isSameAs(changed);
                            });
                    planted.merge(Guarantee.NO_LOST_BRANCH, 1, Integer::sum);
                }
            }
        });

        System.out.println("planted and found: " + planted);
        assertThat(planted.values()).singleElement().matches(count -> count >= 20);
    }

    /** Some reads of one key that was not empty, drawn by the seed. */
    private static List<Operation> answered(History history, Action action, long seed) {
        List<Operation> reads = new ArrayList<>(history.operations().stream()
                .filter(read -> read.isAnsweredRead()
                        && read.keyCount() == 1
                        && read.action() == action
                        && read.seenValues(0).length > 0)
                .toList());
        Collections.shuffle(reads, new Random(seed));
        return reads.subList(0, Math.min(MOST_LOOKED_AT, reads.size()));
    }

    private static void plant(History history, Guarantee guarantee, long seed, Map<Guarantee, Integer> planted) {
        Knowledge knowledge = Knowledge.of(history);
        List<Operation> fit = answered(history, Action.READ_LISTS, seed).stream()
                .filter(read -> knowledge.brokenBy(read) == guarantee)
                .limit(PLANTED_IN_EACH)
                .toList();
        for (Operation read : fit) {
            long[] seen = read.seenValues(0);
            Operation shortened = read.seeing(Arrays.copyOf(seen, seen.length - 1));
            Verdict verdict = with(history, read, shortened).check();

            assertThat(verdict.violations())
                    .as("seed %d: %s without %d", seed, read, seen[seen.length - 1])
                    .anySatisfy(one -> {
                        assertThat(one.guarantee()).isIn(namesOf(guarantee));
                        assertThat(one.operations().get(0)).isSameAs(shortened);
                        assertThat(one.explanation()).contains("without " + seen[seen.length - 1]);
                    });
            planted.merge(guarantee, 1, Integer::sum);
        }
    }

    /** There may be several ways from a cause to its effect, by registers, too, and the shortest one decides. */
    private static Set<Guarantee> namesOf(Guarantee guarantee) {
        return ACROSS_SESSIONS.contains(guarantee) ? ACROSS_SESSIONS : Set.of(guarantee);
    }

    private static History with(History history, Operation old, Operation changed) {
        List<Operation> operations = new ArrayList<>(history.operations());
        operations.set(operations.indexOf(old), changed);
        return history.with(operations);
    }

    /** Who knew what, by looking at every operation. */
    private record Knowledge(History history, Map<Long, List<Operation>> sessions) {

        static Knowledge of(History history) {
            return new Knowledge(
                    history, history.operations().stream().collect(Collectors.groupingBy(Operation::session)));
        }

        private Stream<Operation> before(Operation operation) {
            return sessions.get(operation.session()).stream().filter(one -> one.completed() < operation.invoked());
        }

        private static boolean saw(Operation read, Operation write) {
            if (!read.isAnsweredRead() || read.action() != Action.READ_LISTS) {
                return false;
            }
            for (int i = 0; i < read.keyCount(); i++) {
                if (read.key(i) == write.key(0) && read.seen(i).contains(write.value())) {
                    return true;
                }
            }
            return false;
        }

        /** What is broken by leaving out the last value; {@code null} if nothing is, or more than one may be named. */
        Guarantee brokenBy(Operation read) {
            long last = read.seenValues(0)[read.seenValues(0).length - 1];
            Operation write = history.operations().stream()
                    .filter(one -> one.action() == Action.APPEND && one.key(0) == read.key(0) && one.value() == last)
                    .findFirst()
                    .orElseThrow();
            if (lost(write)) {
                return null;
            }
            boolean own = before(read).anyMatch(one -> one == write && one.outcome() == Outcome.OK);
            boolean seen = before(read).anyMatch(one -> saw(one, write));
            if (own || seen) {
                return own == seen ? null : own ? Guarantee.READ_YOUR_WRITES : Guarantee.MONOTONIC_READS;
            }
            if (write.session() == read.session()) {
                return null;
            }
            List<Operation> seenWrites = history.operations().stream()
                    .filter(one -> one.action() == Action.APPEND && one.session() != read.session())
                    .filter(one -> before(read).anyMatch(other -> saw(other, one)))
                    .toList();
            boolean byItsSession = seenWrites.stream().anyMatch(didBefore(write));
            boolean byAReader =
                    seenWrites.stream().anyMatch(other -> before(other).anyMatch(earlier -> saw(earlier, write)));
            if (byItsSession == byAReader) {
                return null;
            }
            return byItsSession ? Guarantee.MONOTONIC_WRITES : Guarantee.WRITES_FOLLOW_READS;
        }

        /** The value just before the latest one that its session had set itself, or had seen of others. */
        @Nullable
        Outdated outdated(Operation read) {
            long[] order = history.registers().get(read.key(0));
            int own = latest(
                    order,
                    before(read)
                            .filter(one -> one.action() == Action.SET
                                    && one.key(0) == read.key(0)
                                    && one.outcome() == Outcome.OK)
                            .map(Operation::value));
            int seen = latest(
                    order,
                    before(read)
                            .filter(one -> one.isAnsweredRead() && one.action() == Action.READ_REGISTERS)
                            .flatMap(one -> IntStream.range(0, one.keyCount())
                                    .filter(i -> one.key(i) == read.key(0) && one.seenValues(i).length > 0)
                                    .mapToObj(i -> one.seenValues(i)[0])));
            int known = Math.max(own, seen);
            return known < 1 || own == seen
                    ? null
                    : new Outdated(
                            order[known - 1], own > seen ? Guarantee.READ_YOUR_WRITES : Guarantee.MONOTONIC_READS);
        }

        private static int latest(long[] order, Stream<Long> values) {
            List<Long> places = Arrays.stream(order).boxed().toList();
            return values.mapToInt(places::indexOf).max().orElse(-1);
        }

        private boolean lost(Operation write) {
            return history.switches().stream().anyMatch(change -> change.hasLost(write.key(0), write.value()));
        }

        private static Predicate<Operation> didBefore(Operation write) {
            return other -> other.session() == write.session()
                    && write.outcome() == Outcome.OK
                    && write.completed() < other.invoked();
        }
    }
}
