#!/bin/sh
# Makes test/interop/smime-fixtures: keys, certificates, signatures and encrypted objects of OpenSSL 3.6 and of Bouncy
# Castle 1.86, which have what the programs of Debian 12 lack: Ed25519, ML-DSA and ML-KEM, X25519, authenticated attributes.
# Then both read what this library writes to and for the same keys, and the script fails where they do not.
#
# The packages openssl, libssl3t64, libc6, zlib1g, libzstd1, libbcprov-java, libbcpkix-java and libbcutil-java of Debian sid,
# unpacked into one folder by dpkg-deb -x, are the TREE; NODE24 is a program with ML-DSA and ML-KEM:
#
#   sh test/generate/smime-fixtures.sh TREE NODE24
set -eu
tree=$(cd "$1" && pwd)
node=$2
here=$(cd "$(dirname "$0")" && pwd)
out=$(dirname "$here")/interop/smime-fixtures
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
java="$tree/usr/share/java"
classes="$java/bcprov.jar:$java/bcpkix.jar:$java/bcutil.jar:$work/classes"

openssl() {
  OPENSSL_CONF="$work/empty" "$tree/usr/lib64/ld-linux-x86-64.so.2" --library-path "$tree/usr/lib/x86_64-linux-gnu" \
    "$tree/usr/bin/openssl" "$@"
}

start() {
  cd "$work"
  rm -rf "$1"
  mkdir "$1"
  cd "$1"
  printf 'Content-Type: text/plain; charset=utf-8\r\n\r\nWherefore art thou?\r\n' > content
}

# Compares what a program makes of our objects, and takes the fixtures over.
finish() {
  "$node" --conditions=xmpp-e2e-source "$here/smime-readback.ts" "$work/$1"
  "read_$1"
  rm ours-*
  # Keys and certificates may begin a minute back, messages are of now.
  date -u -d '+5 minutes' +%Y-%m-%dT%H:%M:%SZ > at
  rm -rf "${out:?}/$1"
  mkdir -p "$out"
  cp -r "$work/$1" "$out/$1"
}

: > "$work/empty"
cat > "$work/ca.cnf" << 'END'
[req]
distinguished_name = dn
prompt = no
[dn]
CN = x
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[sign]
keyUsage = critical,digitalSignature
extendedKeyUsage = emailProtection
subjectKeyIdentifier = hash
subjectAltName = otherName:1.3.6.1.5.5.7.8.5;UTF8:juliet@example.com
[encrypt]
keyUsage = critical,keyEncipherment
extendedKeyUsage = emailProtection
subjectKeyIdentifier = hash
subjectAltName = otherName:1.3.6.1.5.5.7.8.5;UTF8:juliet@example.com
END

root() {
  name=$1
  shift
  openssl genpkey "$@" -out "$name.key"
  openssl req -x509 -new -key "$name.key" -subj "/CN=OpenSSL $name" -days 3650 -config ../ca.cnf -extensions ca \
    -out "$name.pem"
}

leaf() {
  name=$1 by=$2 section=$3
  shift 3
  openssl genpkey "$@" -out "$name.key"
  openssl pkey -in "$name.key" -pubout -out ../public
  openssl x509 -new -force_pubkey ../public -subj "/CN=OpenSSL $name" -CA "$by.pem" -CAkey "$by.key" -days 3650 \
    -extfile ../ca.cnf -extensions "$section" -out "$name.pem"
}

read_openssl() {
  for file in ours-*; do
    name=${file#ours-} kind=${file##*.}
    name=${name%.*}
    case $kind in
      signed)
        # OpenSSL asks for a path, and the anchors differ.
        cat root.pem lattice-root.pem > ../anchors
        openssl cms -verify -binary -inform DER -in "$file" -CAfile ../anchors -purpose any -out ../read 2> /dev/null
        ;;
      *) openssl cms -decrypt -binary -inform DER -in "$file" -recip "$name.pem" -inkey "$name.key" -out ../read ;;
    esac
    cmp ../read content
    echo "OpenSSL reads $file"
  done
}

read_bouncycastle() {
  java -cp "$classes" SmimeFixtures read .
}

start openssl
openssl version > program
root root -algorithm EC -pkeyopt ec_paramgen_curve:P-256
root lattice-root -algorithm ML-DSA-87
leaf ed25519 root sign -algorithm ED25519
# Each form of a private key once for each kind.
leaf ml-dsa-44 lattice-root sign -algorithm ML-DSA-44 -provparam ml-dsa.output_formats=seed-only
leaf ml-dsa-65 lattice-root sign -algorithm ML-DSA-65 -provparam ml-dsa.output_formats=priv-only
leaf ml-dsa-87 lattice-root sign -algorithm ML-DSA-87 -provparam ml-dsa.output_formats=seed-priv
leaf ml-kem-512 lattice-root encrypt -algorithm ML-KEM-512 -provparam ml-kem.output_formats=seed-only
leaf ml-kem-768 lattice-root encrypt -algorithm ML-KEM-768 -provparam ml-kem.output_formats=priv-only
leaf ml-kem-1024 lattice-root encrypt -algorithm ML-KEM-1024 -provparam ml-kem.output_formats=seed-priv
for name in ed25519 ml-dsa-44 ml-dsa-65 ml-dsa-87; do
  by="-signer $name.pem -inkey $name.key -md sha512"
  openssl cms -sign -binary -in content -outform DER -nodetach -stream $by -out "$name.signed"
  openssl cms -sign -binary -in content -outform DER -keyid $by -out "$name.detached"
done
for name in ml-kem-512 ml-kem-768 ml-kem-1024; do
  encrypt="cms -encrypt -binary -in content -outform DER"
  openssl $encrypt -aes-256-gcm -out "$name.gcm" -recip "$name.pem"
  openssl $encrypt -aes-128-cbc -stream -keyid -out "$name.cbc" -recip "$name.pem"
  openssl $encrypt -aes-256-gcm -out "$name.ukm" -recip "$name.pem" -recip_ukm 000102030405060708090a0b0c0d0e0f
done
rm root.key lattice-root.key
finish openssl

start bouncycastle
mkdir -p "$work/classes"
javac -cp "$classes" -d "$work/classes" "$here/SmimeFixtures.java"
echo "Bouncy Castle $(basename "$(readlink "$java/bcprov.jar")" .jar | sed 's/.*-//')" > program
java -cp "$classes" SmimeFixtures write .
finish bouncycastle
