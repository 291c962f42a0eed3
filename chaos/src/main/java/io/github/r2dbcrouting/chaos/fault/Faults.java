package io.github.r2dbcrouting.chaos.fault;

import java.util.List;
import java.util.stream.Stream;

/** Which faults are there? */
public final class Faults {

    private Faults() {}

    /**
     * Returns every fault.
     *
     * @return all, each of a kind of its own
     */
    public static List<Fault> all() {
        return Stream.of(
                        ReplayFaults.all(),
                        CrashFaults.all(),
                        NetworkFaults.all(),
                        TakeoverFaults.all(),
                        OperatorFaults.all(),
                        RequestFaults.all(),
                        HostFaults.all())
                .flatMap(List::stream)
                .toList();
    }

    /**
     * Returns the faults whose names contain one of some parts.
     *
     * @param parts the parts; none means every fault
     * @return the faults
     * @throws IllegalArgumentException if there is none; the message names all
     */
    public static List<Fault> named(List<String> parts) {
        List<Fault> found = all().stream()
                .filter(fault -> parts.isEmpty() || parts.stream().anyMatch(fault.name()::contains))
                .toList();
        if (found.isEmpty()) {
            throw new IllegalArgumentException("no fault is called " + parts + ", only "
                    + all().stream().map(Fault::name).toList());
        }
        return found;
    }
}
