// BouncyCastle at both ends of CMP: verifies what it is given, and leaves messages of its own (see test_bouncycastle.py).
//
//   java -cp bcpkix.jar:bcprov.jar:bcutil.jar Bouncy.java CODE KEY.p8 FOLDER
//
// Every FOLDER/ask-*.der is verified under CODE and its proof of possession checked; a line says what was found. Then
// FOLDER/bc-*.der are written: the same request with each protection and each kind of proof.

import java.math.BigInteger;
import java.nio.file.*;
import java.security.*;
import java.security.interfaces.*;
import java.security.spec.*;
import java.util.*;
import org.bouncycastle.asn1.cmp.*;
import org.bouncycastle.asn1.crmf.*;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.*;
import org.bouncycastle.cert.cmp.*;
import org.bouncycastle.cert.crmf.*;
import org.bouncycastle.cert.crmf.jcajce.*;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.*;
import org.bouncycastle.operator.jcajce.*;
import org.bouncycastle.pkcs.jcajce.*;

public class Bouncy {
    static final String BC = "BC";

    public static void main(String[] given) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        char[] code = given[0].toCharArray();
        Path folder = Paths.get(given[2]);
        try (DirectoryStream<Path> asked = Files.newDirectoryStream(folder, "ask-*.der")) {
            for (Path one : asked) {
                System.out.println(one.getFileName() + " " + read(Files.readAllBytes(one), code));
            }
        }
        KeyPair pair = pair(Files.readAllBytes(Paths.get(given[1])));
        for (String protection : new String[] {"pbm", "pbmac1", "pbmac1-sha512"}) {
            for (String proof : new String[] {"plain", "sender", "mac"}) {
                byte[] made = write(pair, code, protection, proof).toASN1Structure().getEncoded("DER");
                Files.write(folder.resolve("bc-" + protection + "-" + proof + ".der"), made);
            }
        }
    }

    static String read(byte[] data, char[] code) throws Exception {
        ProtectedPKIMessage found = new ProtectedPKIMessage(new GeneralPKIMessage(data));
        boolean verified = found.hasPasswordBasedMacProtection()
            ? found.verify(macs(), code)
            : found.verify(new JcePBMac1CalculatorProviderBuilder().setProvider(BC).build(), code);
        if (!(found.getBody().getContent() instanceof CertReqMessages)) {
            return "verified=" + verified;
        }
        CertReqMessages requests = (CertReqMessages) found.getBody().getContent();
        JcaCertificateRequestMessage one = new JcaCertificateRequestMessage(requests.toCertReqMsgArray()[0]);
        PublicKey key = one.getPublicKey();
        ContentVerifierProvider verifiers = new JcaContentVerifierProviderBuilder().setProvider(BC).build(key);
        POPOSigningKeyInput input = POPOSigningKey
            .getInstance(requests.toCertReqMsgArray()[0].getPopo().getObject()).getPoposkInput();
        boolean proven = input != null && input.getPublicKeyMAC() != null
            ? one.isValidSigningKeyPOP(verifiers, macs(), code)
            : one.isValidSigningKeyPOP(verifiers);
        return "verified=" + verified + " proven=" + proven;
    }

    static PKMACBuilder macs() throws Exception {
        return new PKMACBuilder(new JcePKMACValuesCalculator().setProvider(BC));
    }

    static KeyPair pair(byte[] pkcs8) throws Exception {
        KeyFactory keys = KeyFactory.getInstance("RSA", BC);
        RSAPrivateCrtKey secret = (RSAPrivateCrtKey) keys.generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
        return new KeyPair(
            keys.generatePublic(new RSAPublicKeySpec(secret.getModulus(), secret.getPublicExponent())), secret);
    }

    static ProtectedPKIMessage write(KeyPair pair, char[] code, String protection, String proof) throws Exception {
        GeneralName sender = new GeneralName(new X500Name("CN=bouncy"));
        JcaCertificateRequestMessageBuilder request = new JcaCertificateRequestMessageBuilder(BigInteger.ZERO);
        request.setPublicKey(pair.getPublic());
        if (proof.equals("plain")) {
            request.setSubject(new X500Name("CN=bouncy"));
        } else if (proof.equals("sender")) {
            request.setAuthInfoSender(sender);
        } else {
            request.setAuthInfoPKMAC(macs(), code);
        }
        ContentSigner signer = new JcaContentSignerBuilder("SHA256withRSA").setProvider(BC).build(pair.getPrivate());
        request.setProofOfPossessionSigningKeySigner(signer);
        return new ProtectedPKIMessageBuilder(sender, new GeneralName(new X500Name("CN=authority")))
            .setMessageTime(new Date())
            .setSenderKID("4711".getBytes())
            .setTransactionID(new byte[16])
            .setSenderNonce(new byte[16])
            .setBody(new PKIBody(PKIBody.TYPE_INIT_REQ, new CertReqMessages(request.build().toASN1Structure())))
            .build(mac(protection, code));
    }

    static MacCalculator mac(String protection, char[] code) throws Exception {
        if (protection.equals("pbm")) {
            return macs().build(code);
        }
        boolean longer = protection.endsWith("512");
        return new JcePBMac1CalculatorBuilder(longer ? "HmacSHA512" : "HmacSHA256", longer ? 512 : 256)
            .setProvider(BC).setIterationCount(2000).build(code);
    }
}
