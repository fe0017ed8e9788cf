// Keys, certificates, signatures and encrypted objects by Bouncy Castle, for smime-fixtures.sh:
//   write FOLDER   makes them
//   read FOLDER    opens FOLDER/ours-*, which this library wrote to and for the same keys

import java.io.*;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.*;
import java.security.cert.X509Certificate;
import java.security.spec.*;
import java.util.*;
import org.bouncycastle.asn1.*;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.cms.AttributeTable;
import org.bouncycastle.asn1.cms.CMSAttributes;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.*;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.*;
import org.bouncycastle.cms.*;
import org.bouncycastle.cms.jcajce.*;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.jcajce.*;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.operator.jcajce.*;
import org.bouncycastle.operator.OutputAEADEncryptor;

public class SmimeFixtures {
    static final ASN1ObjectIdentifier X25519_HKDF_SHA256 = new ASN1ObjectIdentifier("1.2.840.113549.1.9.16.3.19");
    static final ASN1ObjectIdentifier AES256_GCM = CMSAlgorithm.AES256_GCM, AES128_CBC = CMSAlgorithm.AES128_CBC;
    static Path folder;
    static byte[] content;

    public static void main(String[] arguments) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        folder = Path.of(arguments[1]);
        content = Files.readAllBytes(folder.resolve("content"));
        if (arguments[0].equals("write")) write();
        else read();
    }

    static void write() throws Exception {
        KeyPair root = generate("EC", new ECGenParameterSpec("P-256"));
        X509Certificate anchor = certify("root", root.getPublic(), null, root.getPrivate(), "SHA256withECDSA", 0);
        save("root.pem", anchor);
        int serial = 1;
        for (String name : new String[] {"Ed25519", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"}) {
            KeyPair keys = generate(name, null);
            X509Certificate certificate =
                certify(name, keys.getPublic(), anchor, root.getPrivate(), "SHA256withECDSA", serial++, KeyUsage.digitalSignature);
            String file = save(name, keys, certificate);
            CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
            generator.addSignerInfoGenerator(
                new JcaSignerInfoGeneratorBuilder(new JcaDigestCalculatorProviderBuilder().setProvider("BC").build())
                    .build(new JcaContentSignerBuilder(name).setProvider("BC").build(keys.getPrivate()), certificate));
            generator.addCertificate(new JcaX509CertificateHolder(certificate));
            put(file + ".signed", generator.generate(new CMSProcessableByteArray(content), true).getEncoded("DER"));
            put(file + ".detached", generator.generate(new CMSProcessableByteArray(content), false).getEncoded("DER"));
        }
        KeyPair sender = generate("X25519", null);
        List<RecipientInfoGenerator> everybody = new ArrayList<>();
        String[] names = {"X25519", "ML-KEM-512", "ML-KEM-768", "ML-KEM-1024", "P-256", "P-384", "P-521", "RSA-2048"};
        for (String name : names) {
            KeyPair keys =
                name.startsWith("P-") ? generate("EC", new ECGenParameterSpec(name))
                : name.equals("RSA-2048") ? generate("RSA", new RSAKeyGenParameterSpec(2048, RSAKeyGenParameterSpec.F4))
                : generate(name, null);
            boolean agrees = name.equals("X25519") || name.startsWith("P-");
            X509Certificate certificate = certify(name, keys.getPublic(), anchor, root.getPrivate(), "SHA256withECDSA", serial++,
                agrees ? KeyUsage.keyAgreement : KeyUsage.keyEncipherment);
            String file = save(name, keys, certificate);
            everybody.add(recipient(name, certificate, sender, false));
            put(file + ".gcm", authEnveloped(List.of(recipient(name, certificate, sender, false)), null, false));
            put(file + ".cbc", enveloped(recipient(name, certificate, sender, false)));
            // With X25519 it makes another key of ukm than RFC 8418 section 2.2 does.
            if (name.startsWith("P-")) put(file + ".ukm", enveloped(recipient(name, certificate, sender, true)));
            if (name.equals("P-256") || name.equals("RSA-2048") || name.equals("X25519")) {
                RecipientInfoGenerator one = recipient(name, certificate, sender, false);
                put(file + ".attributes", authEnveloped(List.of(one), attributes(), false));
                put(file + ".unauthenticated", authEnveloped(List.of(one), attributes(), true));
            }
        }
        put("everybody.gcm", authEnveloped(everybody, null, false));
    }

    static RecipientInfoGenerator recipient(String name, X509Certificate certificate, KeyPair sender, boolean ukm)
            throws Exception {
        if (name.startsWith("ML-KEM")) {
            return new JceKEMRecipientInfoGenerator(certificate, CMSAlgorithm.AES256_WRAP)
                .setKDF(new AlgorithmIdentifier(PKCSObjectIdentifiers.id_alg_hkdf_with_sha256)).setProvider("BC");
        }
        if (name.startsWith("RSA")) {
            AlgorithmParameters oaep = AlgorithmParameters.getInstance("OAEP", "BC");
            oaep.init(new javax.crypto.spec.OAEPParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256,
                javax.crypto.spec.PSource.PSpecified.DEFAULT));
            AlgorithmIdentifier identifier = new AlgorithmIdentifier(PKCSObjectIdentifiers.id_RSAES_OAEP,
                ASN1Primitive.fromByteArray(oaep.getEncoded()));
            return new JceKeyTransRecipientInfoGenerator(certificate, identifier).setProvider("BC");
        }
        boolean x25519 = name.equals("X25519");
        KeyPair ephemeral = x25519 ? sender : generate("EC", new ECGenParameterSpec(name));
        ASN1ObjectIdentifier derivation =
            x25519 ? X25519_HKDF_SHA256
            : name.equals("P-256") ? CMSAlgorithm.ECDH_SHA256KDF
            : name.equals("P-384") ? CMSAlgorithm.ECDH_SHA384KDF : CMSAlgorithm.ECDH_SHA512KDF;
        JceKeyAgreeRecipientInfoGenerator generator = new JceKeyAgreeRecipientInfoGenerator(derivation,
            ephemeral.getPrivate(), ephemeral.getPublic(), CMSAlgorithm.AES256_WRAP)
            .addRecipient(certificate).setProvider("BC");
        return ukm ? generator.setUserKeyingMaterial(new byte[] {0, 1, 2, 3, 4, 5, 6, 7}) : generator;
    }

    static CMSAttributeTableGenerator attributes() {
        Hashtable<ASN1ObjectIdentifier, Attribute> table = new Hashtable<>();
        table.put(CMSAttributes.contentType, new Attribute(CMSAttributes.contentType, new DERSet(PKCSObjectIdentifiers.data)));
        ASN1ObjectIdentifier hint = PKCSObjectIdentifiers.pkcs_9.branch("16.2.4");
        table.put(hint, new Attribute(hint, new DERSet(new DERUTF8String("a hint"))));
        return new SimpleAttributeTableGenerator(new AttributeTable(table));
    }

    static byte[] authEnveloped(List<RecipientInfoGenerator> recipients, CMSAttributeTableGenerator attributes,
            boolean unauthenticated) throws Exception {
        CMSAuthEnvelopedDataGenerator generator = new CMSAuthEnvelopedDataGenerator();
        for (RecipientInfoGenerator recipient : recipients) generator.addRecipientInfoGenerator(recipient);
        if (attributes != null && unauthenticated) generator.setUnauthenticatedAttributeGenerator(attributes);
        else if (attributes != null) generator.setAuthenticatedAttributeGenerator(attributes);
        OutputAEADEncryptor cipher =
            (OutputAEADEncryptor) new JceCMSContentEncryptorBuilder(AES256_GCM).setProvider("BC").build();
        return generator.generate(new CMSProcessableByteArray(content), cipher).toASN1Structure().getEncoded("DER");
    }

    static byte[] enveloped(RecipientInfoGenerator recipient) throws Exception {
        CMSEnvelopedDataGenerator generator = new CMSEnvelopedDataGenerator();
        generator.addRecipientInfoGenerator(recipient);
        return generator.generate(new CMSProcessableByteArray(content),
            new JceCMSContentEncryptorBuilder(AES128_CBC).setProvider("BC").build()).getEncoded();
    }

    static KeyPair generate(String algorithm, AlgorithmParameterSpec parameters) throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm, "BC");
        if (parameters != null) generator.initialize(parameters);
        return generator.generateKeyPair();
    }

    static X509Certificate certify(String name, PublicKey key, X509Certificate issuer, PrivateKey signer, String algorithm,
            int serial, int... usage) throws Exception {
        Date start = new Date(System.currentTimeMillis() / 1000 * 1000 - 60_000);
        Date end = new Date(start.getTime() + 3650L * 86_400_000);
        X500Name subject = new X500Name("CN=Bouncy Castle " + name);
        JcaX509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
            issuer == null ? subject : new JcaX509CertificateHolder(issuer).getSubject(),
            BigInteger.valueOf(1000 + serial), start, end, subject, key);
        JcaX509ExtensionUtils utils = new JcaX509ExtensionUtils();
        builder.addExtension(Extension.subjectKeyIdentifier, false, utils.createSubjectKeyIdentifier(key));
        if (issuer == null) {
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
        } else {
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(usage[0]));
            builder.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(KeyPurposeId.id_kp_emailProtection));
            GeneralName address = new GeneralName(GeneralName.otherName, new DERSequence(new ASN1Encodable[] {
                new ASN1ObjectIdentifier("1.3.6.1.5.5.7.8.5"), new DERTaggedObject(true, 0, new DERUTF8String("juliet@example.com"))}));
            builder.addExtension(Extension.subjectAlternativeName, false, new GeneralNames(address));
        }
        X509CertificateHolder holder = builder.build(new JcaContentSignerBuilder(algorithm).setProvider("BC").build(signer));
        return new JcaX509CertificateConverter().setProvider("BC").getCertificate(holder);
    }

    static String save(String name, KeyPair keys, X509Certificate certificate) throws Exception {
        String file = name.toLowerCase();
        save(file + ".key", PrivateKeyInfo.getInstance(keys.getPrivate().getEncoded()));
        save(file + ".pem", certificate);
        return file;
    }

    static void save(String name, Object object) throws Exception {
        StringWriter text = new StringWriter();
        try (JcaPEMWriter writer = new JcaPEMWriter(text)) { writer.writeObject(object); }
        put(name, text.toString().getBytes(StandardCharsets.US_ASCII));
    }

    static void put(String name, byte[] octets) throws IOException { Files.write(folder.resolve(name), octets); }

    static Object load(String name) throws Exception {
        try (PEMParser parser = new PEMParser(new FileReader(folder.resolve(name).toFile()))) { return parser.readObject(); }
    }

    static void read() throws Exception {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "ours-*")) {
            for (Path file : files) {
                String[] parts = file.getFileName().toString().substring(5).split("\\.");
                byte[] ours = Files.readAllBytes(file);
                boolean right = parts[1].equals("signed") ? verifies(ours, parts[0]) : Arrays.equals(decrypt(ours, parts), content);
                if (!right) throw new IllegalStateException(file + " is not read");
                System.out.println("Bouncy Castle reads " + file.getFileName());
            }
        }
    }

    static boolean verifies(byte[] ours, String name) throws Exception {
        CMSSignedData data = new CMSSignedData(ours);
        X509CertificateHolder certificate = (X509CertificateHolder) load(name + ".pem");
        SignerInformation signer = data.getSignerInfos().getSigners().iterator().next();
        return Arrays.equals((byte[]) data.getSignedContent().getContent(), content)
            && signer.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(certificate));
    }

    static byte[] decrypt(byte[] ours, String[] parts) throws Exception {
        Object pem = load(parts[0] + ".key");
        PrivateKeyInfo info = pem instanceof PEMKeyPair ? ((PEMKeyPair) pem).getPrivateKeyInfo() : (PrivateKeyInfo) pem;
        PrivateKey key = new JcaPEMKeyConverter().setProvider("BC").getPrivateKey(info);
        RecipientInformationStore store = parts[1].equals("gcm")
            ? new CMSAuthEnvelopedData(ours).getRecipientInfos() : new CMSEnvelopedData(ours).getRecipientInfos();
        RecipientInformation recipient = store.getRecipients().iterator().next();
        boolean gcm = parts[1].equals("gcm");
        if (parts[0].startsWith("ml-kem")) {
            return recipient.getContent(gcm ? new JceKEMAuthEnvelopedRecipient(key).setProvider("BC")
                : new JceKEMEnvelopedRecipient(key).setProvider("BC"));
        }
        if (parts[0].startsWith("rsa")) {
            return recipient.getContent(gcm ? new JceKeyTransAuthEnvelopedRecipient(key).setProvider("BC")
                : new JceKeyTransEnvelopedRecipient(key).setProvider("BC"));
        }
        return recipient.getContent(gcm ? new JceKeyAgreeAuthEnvelopedRecipient(key).setProvider("BC")
            : new JceKeyAgreeEnvelopedRecipient(key).setProvider("BC"));
    }
}
