// BouncyCastle reads what the authority publishes: the list and the OCSP answer that a certificate names.
//
//   Reader CA.der PERSON.der…
//
// Two lines for each person: `PERSON.der list: good`, `PERSON.der ocsp: revoked 1`, or what does not hold.

import java.net.URI;
import java.net.http.*;
import java.nio.file.*;
import java.security.SecureRandom;
import java.util.*;
import org.bouncycastle.asn1.*;
import org.bouncycastle.asn1.ocsp.OCSPObjectIdentifiers;
import org.bouncycastle.asn1.x509.*;
import org.bouncycastle.cert.*;
import org.bouncycastle.cert.ocsp.*;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.*;
import org.bouncycastle.operator.jcajce.*;

public class Reader {
    static final BouncyCastleProvider BC = new BouncyCastleProvider();

    final X509CertificateHolder above, own;

    Reader(X509CertificateHolder above, X509CertificateHolder own) {
        this.above = above;
        this.own = own;
    }

    public static void main(String[] given) throws Exception {
        X509CertificateHolder above = new X509CertificateHolder(Files.readAllBytes(Path.of(given[0])));
        for (String name : Arrays.copyOfRange(given, 1, given.length)) {
            Path file = Path.of(name);
            Reader one = new Reader(above, new X509CertificateHolder(Files.readAllBytes(file)));
            System.out.println(file.getFileName() + " list: " + one.list());
            System.out.println(file.getFileName() + " ocsp: " + one.ocsp());
        }
    }

    String list() throws Exception {
        DistributionPoint point = CRLDistPoint.fromExtensions(own.getExtensions()).getDistributionPoints()[0];
        X509CRLHolder list = new X509CRLHolder(fetch(HttpRequest.newBuilder(http(point))));
        if (!list.isSignatureValid(verifier(above))) {
            return "the signature is wrong";
        }
        Extension scope = list.getExtension(Extension.issuingDistributionPoint);
        IssuingDistributionPoint idp = IssuingDistributionPoint.getInstance(scope.getParsedValue());
        if (!scope.isCritical() || !idp.getDistributionPoint().equals(point.getDistributionPoint())) {
            return "it is the list of another point";
        }
        X509CRLEntryHolder entry = list.getRevokedCertificate(own.getSerialNumber());
        if (entry == null) {
            return "good";
        }
        Extension reason = entry.getExtension(Extension.reasonCode);
        return "revoked " + (reason == null ? 0 : ASN1Enumerated.getInstance(reason.getParsedValue()).intValueExact());
    }

    String ocsp() throws Exception {
        CertificateID id = new CertificateID(digests().get(CertificateID.HASH_SHA1), above, own.getSerialNumber());
        byte[] octets = new byte[32];
        new SecureRandom().nextBytes(octets);
        ASN1ObjectIdentifier kind = OCSPObjectIdentifiers.id_pkix_ocsp_nonce;
        Extension nonce = new Extension(kind, false, new DEROctetString(octets).getEncoded());
        OCSPReqBuilder question = new OCSPReqBuilder().addRequest(id).setRequestExtensions(new Extensions(nonce));
        byte[] asked = question.build().getEncoded();
        OCSPResp answer = new OCSPResp(fetch(HttpRequest.newBuilder(responder())
            .header("Content-Type", "application/ocsp-request").POST(HttpRequest.BodyPublishers.ofByteArray(asked))));
        BasicOCSPResp basic = (BasicOCSPResp) answer.getResponseObject();
        X509CertificateHolder signer = basic.getCerts()[0];
        if (!signer.isSignatureValid(verifier(above)) || !basic.isSignatureValid(verifier(signer))) {
            return "the signature is wrong";
        }
        ExtendedKeyUsage purposes = ExtendedKeyUsage.fromExtensions(signer.getExtensions());
        if (!purposes.hasKeyPurposeId(KeyPurposeId.id_kp_OCSPSigning)) {
            return "the signer may not answer";
        }
        SingleResp single = basic.getResponses()[0];
        if (!nonce.equals(basic.getExtension(kind)) || !single.getCertID().equals(id)) {
            return "it answers another question";
        }
        CertificateStatus status = single.getCertStatus();
        if (status == CertificateStatus.GOOD) {
            return "good";
        }
        return status instanceof RevokedStatus revoked ? "revoked " + revoked.getRevocationReason() : "unknown";
    }

    URI responder() {
        AuthorityInformationAccess access = AuthorityInformationAccess.fromExtensions(own.getExtensions());
        return Arrays.stream(access.getAccessDescriptions())
            .filter(one -> one.getAccessMethod().equals(AccessDescription.id_ad_ocsp))
            .map(one -> URI.create(one.getAccessLocation().getName().toString())).findFirst().orElseThrow();
    }

    static URI http(DistributionPoint point) {
        GeneralName[] names = GeneralNames.getInstance(point.getDistributionPoint().getName()).getNames();
        return Arrays.stream(names).map(one -> one.getName().toString()).filter(one -> one.startsWith("http"))
            .map(URI::create).findFirst().orElseThrow();
    }

    static ContentVerifierProvider verifier(X509CertificateHolder signer) throws Exception {
        return new JcaContentVerifierProviderBuilder().setProvider(BC).build(signer);
    }

    static DigestCalculatorProvider digests() throws Exception {
        return new JcaDigestCalculatorProviderBuilder().setProvider(BC).build();
    }

    static byte[] fetch(HttpRequest.Builder asked) throws Exception {
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        HttpResponse<byte[]> got = client.send(asked.build(), HttpResponse.BodyHandlers.ofByteArray());
        if (got.statusCode() != 200) {
            throw new IllegalStateException("HTTP " + got.statusCode());
        }
        return got.body();
    }
}
