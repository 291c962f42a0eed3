package io.github.r2dbcrouting.spi;

import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import reactor.core.publisher.Mono;

/** The servers behind one name, one for each of its addresses. */
record DnsServers(String name, String host, Duration interval, HostResolver resolver) implements TopologySource {

    @Override
    public Mono<List<ServerDescription>> servers() {
        return Mono.defer(() -> resolver.resolve(host))
                .map(addresses -> addresses.stream()
                        .map(InetAddress::getHostAddress)
                        .distinct()
                        .sorted()
                        .map(address -> new ServerDescription(name + '-' + label(address), address, null))
                        .toList());
    }

    /** An address with nothing in it that no name may hold; without the zone of a link-local one. */
    private static String label(String address) {
        int zone = address.indexOf('%');
        return (zone < 0 ? address : address.substring(0, zone)).replace(':', '-');
    }
}
