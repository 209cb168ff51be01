// BouncyCastle as a CMP client over HTTP: what it checks of an answer ends the program with 1 where it does not hold,
// and what it found is a line. An error of the authority is a line too, and the program ends with 2.
//
//   Client URL mac    REFERENCE CODE pbm|pbmac1  ir|cr|p10cr|genm  NEW.p8 NEW.der [implicit|decline]
//   Client URL signed CERTIFICATE KEY CHAIN.pem  kur|rr|genm       NEW.p8 NEW.der [implicit|decline]
//
// CERTIFICATE and keys (PKCS #8) are DER; CHAIN.pem are the certificates that answers may be signed below. The new
// certificate, for the key of NEW.p8, goes to NEW.der.

import java.math.BigInteger;
import java.net.URI;
import java.net.http.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.*;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.spec.*;
import java.util.*;
import org.bouncycastle.asn1.*;
import org.bouncycastle.asn1.cmp.*;
import org.bouncycastle.asn1.crmf.*;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.*;
import org.bouncycastle.asn1.sec.ECPrivateKey;
import org.bouncycastle.asn1.x500.*;
import org.bouncycastle.asn1.x509.*;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.cmp.*;
import org.bouncycastle.cert.crmf.PKMACBuilder;
import org.bouncycastle.cert.crmf.jcajce.*;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.operator.*;
import org.bouncycastle.operator.jcajce.*;
import org.bouncycastle.pkcs.jcajce.*;

public class Client {
    static final BouncyCastleProvider BC = new BouncyCastleProvider();
    static final SecureRandom RANDOM = new SecureRandom();
    static final AlgorithmIdentifier HMAC =
        new AlgorithmIdentifier(PKCSObjectIdentifiers.id_hmacWithSHA256, DERNull.INSTANCE);

    /** How requests are protected, and whether an answer is the authority's. */
    interface Proof {
        GeneralName sender();
        byte[] kid();
        ProtectedPKIMessage protect(ProtectedPKIMessageBuilder builder) throws Exception;
        boolean holds(ProtectedPKIMessage answer) throws Exception;
    }

    final String url;
    final Proof proof;
    final byte[] transaction = random();

    Client(String url, Proof proof) {
        this.url = url;
        this.proof = proof;
    }

    public static void main(String[] given) throws Exception {
        Security.addProvider(BC);
        Proof proof = given[1].equals("mac")
            ? new Mac(given[2], given[3].toCharArray(), given[4].equals("pbmac1"))
            : new Signature(Path.of(given[2]), Path.of(given[3]), Path.of(given[4]));
        Client client = new Client("http://" + given[0], proof);
        Path out = Path.of(given[7]);
        String how = given.length > 8 ? given[8] : "";
        switch (given[5]) {
            case "rr" -> client.revoke(((Signature) proof).own);
            case "genm" -> client.ask();
            default -> client.enrol(given[5], Path.of(given[6]), out, how);
        }
    }

    // What is asked

    void enrol(String kind, Path keyFile, Path out, String how) throws Exception {
        KeyPair pair = pair(keyFile);
        PKIBody asked = request(kind, pair, signer(pair.getPrivate()));
        GeneralPKIMessage answer = exchange(asked, null, how.equals("implicit"));
        CertResponse response = CertRepMessage.getInstance(answer.getBody().getContent()).getResponse()[0];
        say(status(response.getStatus()));
        check(response.getCertifiedKeyPair() != null, "there is a certificate");
        check(response.getCertReqId().getValue().intValue() == (kind.equals("p10cr") ? -1 : 0), "certReqId");
        CMPCertificate given = response.getCertifiedKeyPair().getCertOrEncCert().getCertificate();
        X509CertificateHolder made = new X509CertificateHolder(given.getX509v3PKCert());
        check(made.getSubjectPublicKeyInfo().equals(spki(pair)), "the certificate is for the key");
        check(signedBelow(made, answer), "the certificate is signed by one of the chain");
        Files.write(out, made.getEncoded());
        if (implicit(answer.getHeader())) {
            say("implicitly confirmed");
            return;
        }
        confirm(answer, made, response.getCertReqId().getValue(), how.equals("decline"));
    }

    void confirm(GeneralPKIMessage answer, X509CertificateHolder made, BigInteger id, boolean decline)
            throws Exception {
        CertConfirmContent content;
        if (decline) {
            PKIFailureInfo why = new PKIFailureInfo(PKIFailureInfo.badCertTemplate);
            ASN1Encodable no = new PKIStatusInfo(PKIStatus.rejection, null, why);
            ASN1Encodable[] one = {new DEROctetString(new byte[32]), new ASN1Integer(id), no};
            content = CertConfirmContent.getInstance(new DERSequence(new DERSequence(one)));
        } else {
            DigestCalculatorProvider digests = new JcaDigestCalculatorProviderBuilder().setProvider(BC).build();
            content = new CertificateConfirmationContentBuilder().addAcceptedCertificate(made, id).build(digests)
                .toASN1Structure();
        }
        PKIBody body = new PKIBody(PKIBody.TYPE_CERT_CONFIRM, content);
        GeneralPKIMessage last = exchange(body, answer.getHeader().getSenderNonce(), false);
        check(last.getBody().getType() == PKIBody.TYPE_CONFIRM, "the answer is a pkiconf");
        say(decline ? "declined" : "confirmed");
    }

    void revoke(X509CertificateHolder own) throws Exception {
        RevocationDetails details = new RevocationDetailsBuilder()
            .setIssuer(own.getIssuer()).setSerialNumber(own.getSerialNumber()).build();
        Extension reason =
            new Extension(Extension.reasonCode, false, CRLReason.lookup(CRLReason.keyCompromise).getEncoded());
        RevDetails asked = new RevDetails(details.toASN1Structure().getCertDetails(), new Extensions(reason));
        PKIBody body = new PKIBody(PKIBody.TYPE_REVOCATION_REQ, new RevReqContent(asked));
        GeneralPKIMessage answer = exchange(body, null, false);
        say(status(RevRepContent.getInstance(answer.getBody().getContent()).getStatus()[0]));
    }

    void ask() throws Exception {
        GenMsgContent asked = new GenMsgContent(new InfoTypeAndValue(CMPObjectIdentifiers.it_caProtEncCert));
        GeneralPKIMessage answer = exchange(new PKIBody(PKIBody.TYPE_GEN_MSG, asked), null, false);
        InfoTypeAndValue told = GenRepContent.getInstance(answer.getBody().getContent()).toInfoTypeAndValueArray()[0];
        CMPCertificate value = CMPCertificate.getInstance(told.getInfoValue());
        X509CertificateHolder found = new X509CertificateHolder(value.getX509v3PKCert());
        say("encrypt for " + found.getSubject());
    }

    PKIBody request(String kind, KeyPair pair, ContentSigner signer) throws Exception {
        X500Name subject = new X500Name("CN=whoever asks");
        if (kind.equals("p10cr")) {
            var made = new JcaPKCS10CertificationRequestBuilder(subject, pair.getPublic()).build(signer);
            return new PKIBody(PKIBody.TYPE_P10_CERT_REQ, made.toASN1Structure());
        }
        JcaCertificateRequestMessageBuilder one = new JcaCertificateRequestMessageBuilder(BigInteger.ZERO);
        one.setPublicKey(spki(pair)).setProofOfPossessionSigningKeySigner(signer);
        one.setSubject(kind.equals("kur") ? ((Signature) proof).own.getSubject() : subject);
        Map<String, Integer> types =
            Map.of("ir", PKIBody.TYPE_INIT_REQ, "cr", PKIBody.TYPE_CERT_REQ, "kur", PKIBody.TYPE_KEY_UPDATE_REQ);
        return new PKIBody(types.get(kind), new CertReqMessages(CertReqMsg.getInstance(one.build().getEncoded())));
    }

    // Messages

    GeneralPKIMessage exchange(PKIBody body, ASN1OctetString theirs, boolean implicit) throws Exception {
        byte[] nonce = random();
        ProtectedPKIMessageBuilder builder =
            new ProtectedPKIMessageBuilder(proof.sender(), new GeneralName(new X500Name(new RDN[0])))
                .setMessageTime(new Date()).setTransactionID(transaction).setSenderNonce(nonce)
                .setSenderKID(proof.kid()).setBody(body);
        if (theirs != null) {
            builder.setRecipNonce(theirs.getOctets());
        }
        if (implicit) {
            builder.addGeneralInfo(new InfoTypeAndValue(CMPObjectIdentifiers.it_implicitConfirm, DERNull.INSTANCE));
        }
        byte[] sent = proof.protect(builder).toASN1Structure().getEncoded(ASN1Encoding.DER);
        HttpRequest asked = HttpRequest.newBuilder(URI.create(url)).header("Content-Type", "application/pkixcmp")
            .POST(HttpRequest.BodyPublishers.ofByteArray(sent)).build();
        HttpResponse<byte[]> got = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()
            .send(asked, HttpResponse.BodyHandlers.ofByteArray());
        check(got.headers().firstValue("content-type").orElse("").equals("application/pkixcmp"), "the media type");
        GeneralPKIMessage answer = new GeneralPKIMessage(got.body());
        if (answer.getBody().getType() == PKIBody.TYPE_ERROR) {
            System.out.println(status(ErrorMsgContent.getInstance(answer.getBody().getContent()).getPKIStatusInfo()));
            System.exit(2);
        }
        check(answer.hasProtection() && proof.holds(new ProtectedPKIMessage(answer)), "the protection of the answer");
        PKIHeader header = answer.getHeader();
        check(Arrays.equals(header.getTransactionID().getOctets(), transaction), "the transaction is the same");
        check(Arrays.equals(header.getRecipNonce().getOctets(), nonce), "recipNonce is the senderNonce of the request");
        check(header.getSenderNonce().getOctets().length == 16, "senderNonce has 128 bits");
        return answer;
    }

    /** Under a reference number and its code. */
    static class Mac implements Proof {
        final byte[] reference;
        final char[] code;
        final boolean pbmac1;

        Mac(String reference, char[] code, boolean pbmac1) {
            this.reference = reference.getBytes(StandardCharsets.UTF_8);
            this.code = code;
            this.pbmac1 = pbmac1;
        }

        public GeneralName sender() {
            return new GeneralName(new X500Name("CN=" + new String(reference, StandardCharsets.UTF_8)));
        }

        public byte[] kid() { return reference; }

        public ProtectedPKIMessage protect(ProtectedPKIMessageBuilder builder) throws Exception {
            return builder.build(pbmac1 ? strong() : old());
        }

        public boolean holds(ProtectedPKIMessage answer) throws Exception {
            check(answer.hasPasswordBasedMacProtection() != pbmac1, "the answer is protected as the request was");
            PBEMacCalculatorProvider strong = new JcePBMac1CalculatorProviderBuilder().setProvider(BC).build();
            return answer.verify(pbmac1 ? strong : macs(), code);
        }

        MacCalculator old() throws Exception {
            AlgorithmIdentifier hash = new AlgorithmIdentifier(NISTObjectIdentifiers.id_sha256);
            return macs().setParameters(new PBMParameter(random(), hash, 1000, HMAC)).build(code);
        }

        MacCalculator strong() throws Exception {
            PBKDF2Params kdf = new PBKDF2Params(random(), 10000, 32, HMAC);
            PBMAC1Params params = new PBMAC1Params(new AlgorithmIdentifier(PKCSObjectIdentifiers.id_PBKDF2, kdf), HMAC);
            MacCalculator made = new JcePBMac1CalculatorBuilder(params).setProvider(BC).build(code);
            // BouncyCastle 1.72 names id-PBES2 as the derivation in its own identifier; RFC 8018 has id-PBKDF2 there.
            AlgorithmIdentifier named = new AlgorithmIdentifier(PKCSObjectIdentifiers.id_PBMAC1, params);
            return new MacCalculator() {
                public AlgorithmIdentifier getAlgorithmIdentifier() { return named; }
                public java.io.OutputStream getOutputStream() { return made.getOutputStream(); }
                public byte[] getMac() { return made.getMac(); }
                public GenericKey getKey() { return made.getKey(); }
            };
        }

        static PKMACBuilder macs() throws Exception {
            return new PKMACBuilder(new JcePKMACValuesCalculator().setProvider(BC));
        }
    }

    /** Under the sender's own certificate. */
    static class Signature implements Proof {
        final X509CertificateHolder own;
        final PrivateKey key;
        final List<X509CertificateHolder> chain = new ArrayList<>();

        Signature(Path certificate, Path keyFile, Path chainFile) throws Exception {
            own = new X509CertificateHolder(Files.readAllBytes(certificate));
            key = pair(keyFile).getPrivate();
            try (PEMParser pem = new PEMParser(Files.newBufferedReader(chainFile))) {
                for (Object one = pem.readObject(); one != null; one = pem.readObject()) {
                    chain.add((X509CertificateHolder) one);
                }
            }
        }

        public GeneralName sender() { return new GeneralName(own.getSubject()); }

        public byte[] kid() { return SubjectKeyIdentifier.fromExtensions(own.getExtensions()).getKeyIdentifier(); }

        public ProtectedPKIMessage protect(ProtectedPKIMessageBuilder builder) throws Exception {
            return builder.addCMPCertificate(own).build(signer(key));
        }

        public boolean holds(ProtectedPKIMessage answer) throws Exception {
            X509CertificateHolder signer = answer.getCertificates()[0];
            X500Name sender = X500Name.getInstance(answer.getHeader().getSender().getName());
            check(signer.getSubject().equals(sender), "the signer is the sender");
            check(signed(signer, chain), "the signer is certified by the chain");
            return answer.verify(new JcaContentVerifierProviderBuilder().setProvider(BC).build(signer));
        }
    }

    // What is looked at

    static boolean signedBelow(X509CertificateHolder made, GeneralPKIMessage answer) throws Exception {
        return signed(made, Arrays.asList(new ProtectedPKIMessage(answer).getCertificates()));
    }

    static boolean signed(X509CertificateHolder made, List<X509CertificateHolder> above) throws Exception {
        for (X509CertificateHolder one : above) {
            if (one.getSubject().equals(made.getIssuer())
                && made.isSignatureValid(new JcaContentVerifierProviderBuilder().setProvider(BC).build(one))) {
                return true;
            }
        }
        return false;
    }

    static boolean implicit(PKIHeader header) {
        InfoTypeAndValue[] infos = header.getGeneralInfo();
        ASN1ObjectIdentifier wanted = CMPObjectIdentifiers.it_implicitConfirm;
        return infos != null && Arrays.stream(infos).anyMatch(one -> one.getInfoType().equals(wanted));
    }

    static String status(PKIStatusInfo info) {
        String text = info.getStatusString() == null ? "" : info.getStatusString().getStringAtUTF8(0).getString();
        int bits = info.getFailInfo() == null ? -1 : new PKIFailureInfo((DERBitString) info.getFailInfo()).intValue();
        return "status " + info.getStatus() + " failure " + bits + " " + text;
    }

    /** A private key and the public one that belongs to it. */
    static KeyPair pair(Path file) throws Exception {
        PrivateKeyInfo info = PrivateKeyInfo.getInstance(Files.readAllBytes(file));
        PrivateKey key = BouncyCastleProvider.getPrivateKey(info);
        if (key instanceof RSAPrivateCrtKey rsa) {
            KeySpec open = new RSAPublicKeySpec(rsa.getModulus(), rsa.getPublicExponent());
            return new KeyPair(KeyFactory.getInstance("RSA", BC).generatePublic(open), key);
        }
        ASN1BitString point = ECPrivateKey.getInstance(info.parsePrivateKey()).getPublicKey();
        byte[] spki = new SubjectPublicKeyInfo(info.getPrivateKeyAlgorithm(), point.getBytes()).getEncoded();
        return new KeyPair(KeyFactory.getInstance("EC", BC).generatePublic(new X509EncodedKeySpec(spki)), key);
    }

    static ContentSigner signer(PrivateKey key) throws Exception {
        String algorithm = key instanceof RSAPrivateCrtKey ? "SHA256withRSA" : "SHA256withECDSA";
        return new JcaContentSignerBuilder(algorithm).setProvider(BC).build(key);
    }

    static SubjectPublicKeyInfo spki(KeyPair pair) {
        return SubjectPublicKeyInfo.getInstance(pair.getPublic().getEncoded());
    }

    static byte[] random() {
        byte[] found = new byte[16];
        RANDOM.nextBytes(found);
        return found;
    }

    static void say(String text) { System.out.println(text); }

    static void check(boolean holds, String what) {
        if (!holds) {
            System.out.println("does not hold: " + what);
            System.exit(1);
        }
    }
}
