import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Security;
import java.security.spec.PKCS8EncodedKeySpec;
import org.bouncycastle.asn1.ASN1InputStream;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.cms.CMSObjectIdentifiers;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.CMSAuthEnvelopedData;
import org.bouncycastle.cms.CMSEnvelopedData;
import org.bouncycastle.cms.KeyAgreeRecipientInformation;
import org.bouncycastle.cms.KeyTransRecipientInformation;
import org.bouncycastle.cms.RecipientInformation;
import org.bouncycastle.cms.RecipientInformationStore;
import org.bouncycastle.cms.jcajce.JceKeyAgreeEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyTransEnvelopedRecipient;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/** Every recipient that the certificate fits is tried, until one opens. */
public class BouncyCastle {
    static byte[] decrypt(byte[] message, X509CertificateHolder certificate, PrivateKey key) throws Exception {
        ContentInfo info = ContentInfo.getInstance(new ASN1InputStream(message).readObject());
        RecipientInformationStore recipients =
            info.getContentType().equals(CMSObjectIdentifiers.authEnvelopedData)
                ? new CMSAuthEnvelopedData(info).getRecipientInfos()
                : new CMSEnvelopedData(info).getRecipientInfos();
        Exception failure = new Exception("it is for somebody else");
        for (RecipientInformation recipient : recipients.getRecipients()) {
            if (!recipient.getRID().match(certificate)) {
                continue;
            }
            try {
                if (recipient instanceof KeyTransRecipientInformation) {
                    return recipient.getContent(new JceKeyTransEnvelopedRecipient(key).setProvider("BC"));
                } else if (recipient instanceof KeyAgreeRecipientInformation) {
                    return recipient.getContent(new JceKeyAgreeEnvelopedRecipient(key).setProvider("BC"));
                }
            } catch (Exception error) {
                failure = error;
            }
        }
        throw failure;
    }

    static PrivateKey key(byte[] pkcs8) throws Exception {
        var algorithm = PrivateKeyInfo.getInstance(pkcs8).getPrivateKeyAlgorithm().getAlgorithm();
        String name = algorithm.equals(PKCSObjectIdentifiers.rsaEncryption) ? "RSA"
            : algorithm.equals(X9ObjectIdentifiers.id_ecPublicKey) ? "EC" : "X25519";
        return KeyFactory.getInstance(name, "BC").generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
    }

    public static void main(String[] arguments) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        BufferedReader jobs = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = jobs.readLine()) != null; ) {
            String[] job = line.split("\t");
            Path identity = Path.of(job[1]);
            try {
                byte[] plaintext = decrypt(
                    Files.readAllBytes(Path.of(job[0])),
                    new X509CertificateHolder(Files.readAllBytes(identity.resolve("cert.der"))),
                    key(Files.readAllBytes(identity.resolve("key.der"))));
                Files.write(Path.of(job[2]), plaintext);
                System.out.println("OK");
            } catch (Exception error) {
                System.out.println("refused: " + error.toString().replace('\n', ' '));
            } // An Error, as the overflow of the stack, ends the program: it crashed.
        }
    }
}
