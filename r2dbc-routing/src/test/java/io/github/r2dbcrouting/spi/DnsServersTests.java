package io.github.r2dbcrouting.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.r2dbcrouting.Blocking;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

class DnsServersTests {

    private static TopologySource over(HostResolver resolver) {
        return TopologySource.dns("shop", "db.internal", Duration.ofSeconds(1), resolver);
    }

    private static InetAddress address(int... bytes) throws UnknownHostException {
        byte[] all = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            all[i] = (byte) bytes[i];
        }
        return InetAddress.getByAddress(all);
    }

    @Test
    void makesAServerOfEachAddressInAnOrderThatDoesNotChange() throws UnknownHostException {
        InetAddress four = address(10, 0, 0, 4);
        InetAddress five = address(10, 0, 0, 5);
        InetAddress six = address(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

        List<ServerDescription> one = Blocking.value(
                over(host -> Mono.just(List.of(five, six, four, five))).servers());
        List<ServerDescription> other =
                Blocking.value(over(host -> Mono.just(List.of(four, five, six))).servers());

        assertThat(one).isEqualTo(other);
        assertThat(one)
                .extracting(ServerDescription::name)
                .containsExactly("shop-10.0.0.4", "shop-10.0.0.5", "shop-fd00-0-0-0-0-0-0-1");
        assertThat(one)
                .extracting(ServerDescription::host)
                .containsExactly("10.0.0.4", "10.0.0.5", "fd00:0:0:0:0:0:0:1");
    }

    @Test
    void asksAnewForEachSubscriptionAndSaysWhatFailed() {
        int[] asked = {0};
        TopologySource source = over(host -> {
            asked[0]++;
            return Mono.error(new UnknownHostException(host));
        });
        assertThat(asked[0]).isZero();

        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> Blocking.value(source.servers())).hasMessageContaining("db.internal");
        }
        assertThat(asked[0]).isEqualTo(2);
    }

    @Test
    void alwaysSaysTheSameWhereItIsFixed() {
        List<ServerDescription> servers = List.of(new ServerDescription("db0", "h", 5432));

        assertThat(Blocking.value(TopologySource.fixed("fixed", servers).servers()))
                .isEqualTo(servers);
    }
}
