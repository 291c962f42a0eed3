package io.github.r2dbcrouting;

import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.CertificateBuilder.ExtendedKeyUsage;
import io.netty.pkitesting.CertificateBuilder.KeyUsage;
import io.netty.pkitesting.X509Bundle;

/** An authority, and the certificates that it issues: made for the test at hand, valid for a day. */
final class Certificates {

    private final X509Bundle authority;

    private Certificates(X509Bundle authority) {
        this.authority = authority;
    }

    static Certificates of(String name) throws Exception {
        return new Certificates(new CertificateBuilder()
                .subject("CN=" + name)
                .setIsCertificateAuthority(true)
                .setKeyUsage(true, KeyUsage.keyCertSign)
                .buildSelfSigned());
    }

    /** What clients trust. */
    String root() {
        return authority.getRootCertificatePEM();
    }

    X509Bundle server(String dnsName) throws Exception {
        return server(dnsName, "192.0.2.1");
    }

    X509Bundle server(String dnsName, String address) throws Exception {
        return new CertificateBuilder()
                .subject("CN=" + dnsName)
                .setKeyUsage(true, KeyUsage.digitalSignature)
                .addExtendedKeyUsage(ExtendedKeyUsage.PKIX_KP_SERVER_AUTH)
                .addSanDnsName(dnsName)
                .addSanIpAddress(address)
                .buildIssuedBy(authority);
    }
}
