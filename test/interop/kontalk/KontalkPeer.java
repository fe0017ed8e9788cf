import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.Security;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Date;
import java.util.Iterator;
import java.util.List;
import org.bouncycastle.bcpg.HashAlgorithmTags;
import org.bouncycastle.bcpg.CompressionAlgorithmTags;
import org.bouncycastle.bcpg.SymmetricKeyAlgorithmTags;
import org.bouncycastle.bcpg.sig.KeyFlags;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openpgp.*;
import org.bouncycastle.openpgp.jcajce.JcaPGPObjectFactory;
import org.bouncycastle.openpgp.operator.PGPDigestCalculator;
import org.bouncycastle.openpgp.operator.jcajce.*;

/**
 * A peer that speaks the dialect of the Kontalk clients with Bouncy Castle: their keys, their packets, their reading of
 * Message/CPIM and their checks, which flag and never refuse.
 *
 * One request a line, words separated by spaces, octets in base64; one answer a line: "ok" and words, or "error" and why.
 *
 *   keygen user-id seconds right|primary-only        -> ok secret certificate
 *   seal secret user-id seconds cipher compress part-octets payload certificate...   -> ok message
 *   open secret certificate user-id now message      -> ok flag,flag payload
 */
public final class KontalkPeer {
  private static final SecureRandom RANDOM = new SecureRandom();

  public static void main(String[] arguments) throws Exception {
    Security.addProvider(new BouncyCastleProvider());
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] words = line.split(" ", -1);
      String answer;
      try {
        answer = "ok " + answer(words);
      } catch (Exception error) {
        answer = "error " + error.getMessage();
      }
      System.out.println(answer.replace('\n', ' '));
      System.out.flush();
    }
  }

  private static String answer(String[] words) throws Exception {
    switch (words[0]) {
      case "keygen":
        return keygen(text(words[1]), date(words[2]), words[3].equals("right"));
      case "seal":
        return seal(words);
      case "open":
        return open(octets(words[1]), octets(words[2]), text(words[3]), date(words[4]), octets(words[5]));
      default:
        throw new IllegalArgumentException("unknown command");
    }
  }

  private static byte[] octets(String base64) {
    return Base64.getDecoder().decode(base64);
  }

  private static String text(String base64) {
    return new String(octets(base64), StandardCharsets.UTF_8);
  }

  private static String base64(byte[] octets) {
    return Base64.getEncoder().encodeToString(octets);
  }

  private static Date date(String seconds) {
    return Date.from(Instant.ofEpochSecond(Long.parseLong(seconds)));
  }

  // Keys: RSA 2048 certifies and authenticates, ECDSA P-256 signs, ECDH P-256 decrypts; no preferences, no features.

  private static PGPKeyPair pair(int algorithm, String name, Date created) throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance(name, "BC");
    if (name.equals("RSA")) generator.initialize(2048, RANDOM);
    else generator.initialize(new ECGenParameterSpec("P-256"), RANDOM);
    return new JcaPGPKeyPair(algorithm, generator.generateKeyPair(), created);
  }

  private static String keygen(String userId, Date created, boolean right) throws Exception {
    PGPKeyPair primary = pair(PGPPublicKey.RSA_GENERAL, "RSA", created);
    PGPKeyPair signing = pair(PGPPublicKey.ECDSA, "ECDSA", created);
    PGPKeyPair encryption = pair(PGPPublicKey.ECDH, "ECDH", created);
    PGPDigestCalculator sha1 = new JcaPGPDigestCalculatorProviderBuilder().build().get(HashAlgorithmTags.SHA1);
    PGPKeyRingGenerator ring =
        new PGPKeyRingGenerator(
            PGPSignature.POSITIVE_CERTIFICATION,
            primary,
            userId,
            sha1,
            flags(KeyFlags.CERTIFY_OTHER | KeyFlags.AUTHENTICATION, created).generate(),
            null,
            signer(PGPPublicKey.RSA_GENERAL),
            null);
    PGPSignatureGenerator back = new PGPSignatureGenerator(signer(PGPPublicKey.ECDSA));
    back.init(PGPSignature.PRIMARYKEY_BINDING, signing.getPrivateKey());
    PGPSignatureSubpacketGenerator backTime = new PGPSignatureSubpacketGenerator();
    backTime.setSignatureCreationTime(false, created);
    back.setHashedSubpackets(backTime.generate());
    PGPSignatureSubpacketGenerator sign = flags(KeyFlags.SIGN_DATA, created);
    // The clients sign over the primary key alone, as for a certification of it, and leave the subkey out.
    sign.addEmbeddedSignature(
        false,
        right
            ? back.generateCertification(primary.getPublicKey(), signing.getPublicKey())
            : back.generateCertification(primary.getPublicKey()));
    ring.addSubKey(signing, sign.generate(), null);
    ring.addSubKey(encryption, flags(KeyFlags.ENCRYPT_COMMS, created).generate(), null);
    return base64(ring.generateSecretKeyRing().getEncoded()) + " " + base64(ring.generatePublicKeyRing().getEncoded());
  }

  private static PGPSignatureSubpacketGenerator flags(int flags, Date created) {
    PGPSignatureSubpacketGenerator made = new PGPSignatureSubpacketGenerator();
    made.setKeyFlags(false, flags);
    made.setSignatureCreationTime(false, created);
    return made;
  }

  private static JcaPGPContentSignerBuilder signer(int algorithm) {
    return new JcaPGPContentSignerBuilder(algorithm, HashAlgorithmTags.SHA256).setProvider("BC");
  }

  private static PGPPrivateKey unlocked(PGPSecretKey key) throws Exception {
    return key.extractPrivateKey(null);
  }

  private static PGPSecretKeyRing secretRing(byte[] octets) throws Exception {
    return new PGPSecretKeyRing(octets, new JcaKeyFingerprintCalculator());
  }

  private static PGPPublicKeyRing publicRing(byte[] octets) throws Exception {
    return new PGPPublicKeyRing(octets, new JcaKeyFingerprintCalculator());
  }

  /** Which flags a key has, from the signature that binds it. */
  private static boolean has(PGPPublicKey key, int flag) {
    for (Iterator<PGPSignature> it = key.getSignatures(); it.hasNext(); ) {
      PGPSignature signature = it.next();
      if (signature.getHashedSubPackets() == null) continue;
      if ((signature.getHashedSubPackets().getKeyFlags() & flag) != 0) return true;
    }
    return false;
  }

  private static PGPPublicKey keyFor(PGPPublicKeyRing ring, int flag) {
    for (PGPPublicKey key : ring) if (has(key, flag)) return key;
    throw new IllegalArgumentException("no key with this flag");
  }

  private static PGPSecretKey keyFor(PGPSecretKeyRing ring, int flag) {
    for (PGPSecretKey key : ring) if (has(key.getPublicKey(), flag)) return key;
    throw new IllegalArgumentException("no key with this flag");
  }

  // Messages.

  private static String seal(String[] words) throws Exception {
    PGPSecretKey key = keyFor(secretRing(octets(words[1])), KeyFlags.SIGN_DATA);
    String userId = text(words[2]);
    Date at = date(words[3]);
    int cipher = words[4].equals("aes192") ? SymmetricKeyAlgorithmTags.AES_192 : SymmetricKeyAlgorithmTags.AES_256;
    boolean compress = words[5].equals("zip");
    int part = Integer.parseInt(words[6]);
    byte[] payload = octets(words[7]);
    PGPEncryptedDataGenerator encryption =
        new PGPEncryptedDataGenerator(
            new JcePGPDataEncryptorBuilder(cipher).setWithIntegrityPacket(true).setSecureRandom(RANDOM).setProvider("BC"));
    for (int i = 8; i < words.length; i++) {
      PGPPublicKey recipient = keyFor(publicRing(octets(words[i])), KeyFlags.ENCRYPT_COMMS);
      encryption.addMethod(new JcePublicKeyKeyEncryptionMethodGenerator(recipient).setProvider("BC"));
    }
    PGPSignatureGenerator signature = new PGPSignatureGenerator(signer(key.getPublicKey().getAlgorithm()));
    signature.init(PGPSignature.BINARY_DOCUMENT, unlocked(key));
    PGPSignatureSubpacketGenerator hashed = new PGPSignatureSubpacketGenerator();
    hashed.setSignatureCreationTime(false, at);
    signature.setHashedSubpackets(hashed.generate());
    PGPSignatureSubpacketGenerator unhashed = new PGPSignatureSubpacketGenerator();
    unhashed.addSignerUserID(false, userId);
    unhashed.setIssuerKeyID(false, key.getKeyID());
    signature.setUnhashedSubpackets(unhashed.generate());
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    OutputStream encrypted = encryption.open(out, new byte[part]);
    PGPCompressedDataGenerator compression = new PGPCompressedDataGenerator(CompressionAlgorithmTags.ZIP);
    OutputStream inner = compress ? compression.open(encrypted, new byte[part]) : encrypted;
    signature.generateOnePassVersion(false).encode(inner);
    PGPLiteralDataGenerator literal = new PGPLiteralDataGenerator();
    OutputStream content = literal.open(inner, PGPLiteralData.BINARY, "", at, new byte[part]);
    content.write(payload);
    signature.update(payload);
    literal.close();
    signature.generate().encode(inner);
    if (compress) compression.close();
    encryption.close();
    return base64(out.toByteArray());
  }

  private static String open(byte[] secret, byte[] certificate, String me, Date now, byte[] message) throws Exception {
    PGPSecretKeyRing ring = secretRing(secret);
    PGPSecretKey mine = keyFor(ring, KeyFlags.ENCRYPT_COMMS);
    List<String> flags = new ArrayList<>();
    Object first = new JcaPGPObjectFactory(message).nextObject();
    if (!(first instanceof PGPEncryptedDataList)) throw new IllegalArgumentException("Encrypted data expected");
    PGPPublicKeyEncryptedData encrypted = null;
    for (PGPEncryptedData one : (PGPEncryptedDataList) first) {
      if (!(one instanceof PGPPublicKeyEncryptedData)) continue;
      PGPPublicKeyEncryptedData candidate = (PGPPublicKeyEncryptedData) one;
      if (candidate.getKeyID() == mine.getKeyID()) encrypted = candidate;
    }
    if (encrypted == null) throw new IllegalArgumentException("Not encrypted to this key");
    InputStream clear =
        encrypted.getDataStream(
            new JcePublicKeyDataDecryptorFactoryBuilder().setProvider("BC").build(unlocked(mine)));
    Object packed = new JcaPGPObjectFactory(clear).nextObject();
    if (!(packed instanceof PGPCompressedData)) throw new IllegalArgumentException("Compressed data packet expected");
    JcaPGPObjectFactory factory = new JcaPGPObjectFactory(((PGPCompressedData) packed).getDataStream());
    Object announced = factory.nextObject();
    if (!(announced instanceof PGPOnePassSignatureList)) throw new IllegalArgumentException("Not signed");
    PGPOnePassSignature onePass = ((PGPOnePassSignatureList) announced).get(0);
    PGPLiteralData literal = (PGPLiteralData) factory.nextObject();
    byte[] content = literal.getInputStream().readAllBytes();
    PGPSignatureList signatures = (PGPSignatureList) factory.nextObject();
    PGPPublicKeyRing sender = publicRing(certificate);
    PGPPublicKey signer = sender.getPublicKey(onePass.getKeyID());
    if (signer == null) flags.add("unknown-signer");
    else {
      onePass.init(new JcaPGPContentVerifierBuilderProvider().setProvider("BC"), signer);
      onePass.update(content);
      if (!onePass.verify(signatures.get(0))) flags.add("bad-signature");
    }
    if (!encrypted.isIntegrityProtected() || !encrypted.verify()) flags.add("integrity");
    readCpim(content, sender.getPublicKey().getUserIDs().next(), me, now, flags);
    return (flags.isEmpty() ? "none" : String.join(",", flags)) + " " + base64(content);
  }

  /** One header line, headers, a type, a body; everything that does not fit is a flag on what is shown. */
  private static void readCpim(byte[] content, String senderId, String me, Date now, List<String> flags) {
    String all = new String(content, StandardCharsets.UTF_8).replace("\r\n", "\n");
    String[] blocks = all.split("\n\n", 4);
    if (blocks.length < 4 || !blocks[0].equalsIgnoreCase("Content-type: Message/CPIM")) {
      flags.add("no-cpim");
      return;
    }
    String from = null;
    String to = null;
    String time = null;
    for (String line : blocks[1].split("\n")) {
      if (line.startsWith("From: ")) from = line.substring(6);
      if (line.startsWith("To: ")) to = line.substring(4);
      if (line.startsWith("DateTime: ")) time = line.substring(10);
    }
    String type = blocks[2].substring(blocks[2].indexOf(':') + 1).split(";")[0].trim();
    if (!Arrays.asList("text/plain", "application/xmpp+xml").contains(type)) flags.add("type");
    if (!senderId.equals(from)) flags.add("sender");
    if (to == null || !Arrays.asList(to.split("; ")).contains(me)) flags.add("recipient");
    if (type.equals("text/plain")) {
      try {
        long distance = Math.abs(OffsetDateTime.parse(time).toEpochSecond() - now.toInstant().getEpochSecond());
        if (distance > 86400) flags.add("time");
      } catch (Exception unreadable) {
        flags.add("time");
      }
    }
  }
}
