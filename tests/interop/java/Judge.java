// Two implementations of RFC 5280's path validation, BouncyCastle's and Java's own, each with lists alone and with OCSP
// alone. They fetch both from the addresses in the certificates, and believe nothing without them.
//
//   Judge ROOT.der CA.der PERSON.der…
//
// Four lines for each person: `PERSON.der bc|java list|ocsp: good`, or the reason why not.

import java.io.ByteArrayInputStream;
import java.nio.file.*;
import java.security.*;
import java.security.cert.*;
import java.security.cert.PKIXRevocationChecker.Option;
import java.util.*;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

public class Judge {
    final Provider provider;
    final CertificateFactory read;

    /** The provider of a name; `java` is the platform's own. */
    Judge(String name) throws Exception {
        provider = name.equals("bc") ? new BouncyCastleProvider() : Security.getProvider("SUN");
        read = CertificateFactory.getInstance("X.509", provider);
    }

    public static void main(String[] given) throws Exception {
        System.setProperty("com.sun.security.enableCRLDP", "true");
        System.setProperty("org.bouncycastle.x509.enableCRLDP", "true");
        Security.setProperty("ocsp.enable", "true");
        byte[] root = Files.readAllBytes(Path.of(given[0])), ca = Files.readAllBytes(Path.of(given[1]));
        for (String name : Arrays.copyOfRange(given, 2, given.length)) {
            byte[] person = Files.readAllBytes(Path.of(name));
            for (String who : new String[] {"bc", "java"}) {
                for (String by : new String[] {"list", "ocsp"}) {
                    String found = new Judge(who).judge(root, ca, person, by.equals("list"));
                    System.out.println(Path.of(name).getFileName() + " " + who + " " + by + ": " + found);
                }
            }
        }
    }

    String judge(byte[] root, byte[] ca, byte[] person, boolean byList) throws Exception {
        X509CertSelector wanted = new X509CertSelector();
        wanted.setCertificate(parsed(person));
        Set<TrustAnchor> anchors = Set.of(new TrustAnchor(parsed(root), null));
        PKIXBuilderParameters how = new PKIXBuilderParameters(anchors, wanted);
        var given = new CollectionCertStoreParameters(List.of(parsed(person), parsed(ca)));
        how.addCertStore(CertStore.getInstance("Collection", given));
        how.setExplicitPolicyRequired(true);
        how.setPolicyQualifiersRejected(false);  // the field's critical policies have qualifiers
        CertPathBuilder builder = CertPathBuilder.getInstance("PKIX", provider);
        PKIXRevocationChecker checker = (PKIXRevocationChecker) builder.getRevocationChecker();
        var options = EnumSet.of(Option.NO_FALLBACK, Option.ONLY_END_ENTITY);
        if (byList) {
            options.add(Option.PREFER_CRLS);
        }
        checker.setOptions(options);
        how.addCertPathChecker(checker);
        how.setRevocationEnabled(false);  // the checker above does it
        try {
            builder.build(how);
            return "good";
        } catch (CertPathBuilderException wrong) {
            return reason(wrong);
        }
    }

    static String reason(Throwable wrong) {
        while (wrong.getCause() != null) {
            wrong = wrong.getCause();
        }
        return String.valueOf(wrong.getMessage()).replace('\n', ' ');
    }

    X509Certificate parsed(byte[] der) throws Exception {
        return (X509Certificate) read.generateCertificate(new ByteArrayInputStream(der));
    }
}
