#!/bin/sh
# Makes test/interop/openpgp-fixtures: keys and messages of Sequoia, GopenPGP and rPGP in version 4 and version 6. They
# come from programs newer than those of Debian 12, which run in a tree of Debian 13:
#
#   debootstrap --variant=minbase --include=sqop,gosop,rsop trixie TREE
#   sh test/generate/openpgp-fixtures.sh TREE
set -eu
tree=$1
out=$(cd "$(dirname "$0")/../interop" && pwd)/openpgp-fixtures
content='Content-Type: text/plain; charset=utf-8\r\n\r\nWherefore art thou?\r\n'

make() {
  writer=$1 program=$2 profile=$3 key=$4 message=$5
  dir=$out/$writer-$profile
  rm -rf "$dir" "$tree/fixture"
  mkdir -p "$dir" "$tree/fixture"
  sop() { chroot "$tree" "$program" "$@"; }
  for who in juliet@example.com romeo@example.net; do
    name=${who%@*}
    sop generate-key $key "xmpp:$who" > "$tree/fixture/$name.key"
    sop extract-cert < "$tree/fixture/$name.key" > "$tree/fixture/$name.cert"
  done
  # Signatures are no older than their keys.
  sleep 1
  printf "$content" > "$tree/fixture/content"
  sop sign /fixture/juliet.key < "$tree/fixture/content" > "$tree/fixture/signature"
  sop encrypt $message /fixture/romeo.cert < "$tree/fixture/content" > "$tree/fixture/encrypted"
  sop encrypt $message --sign-with=/fixture/juliet.key /fixture/romeo.cert \
    < "$tree/fixture/content" > "$tree/fixture/signed-and-encrypted"
  sop version > "$tree/fixture/program"
  date -u +%Y-%m-%dT%H:%M:%SZ > "$tree/fixture/at"
  cp "$tree"/fixture/* "$dir"
  rm -r "$tree/fixture"
}

make sequoia sqop v4 --profile=draft-koch-eddsa-for-openpgp-00 --profile=rfc4880
make sequoia sqop v6 --profile=rfc9580 --profile=rfc9580
make gopenpgp gosop v4 --profile=default --profile=default
make gopenpgp gosop v6 --profile=rfc9580 --profile=rfc9580
make gopenpgp gosop v6-448 --profile=security --profile=rfc9580
make rpgp rsop v4 --profile=draft-koch-eddsa-for-openpgp-00 --profile=rfc4880
make rpgp rsop v6 --profile=rfc9580 --profile=rfc9580
make rpgp rsop v6-rsa --profile=interop-testing-rfc9580-rsa --profile=rfc9580
make rpgp rsop v6-p256 --profile=interop-testing-rfc9580-nistp --profile=rfc9580
