#!/usr/bin/env bash
# Both servers and nginx, on this machine alone and without root, until one of them ends or Ctrl-C is pressed.
set -euo pipefail
cd "$(dirname "$0")/../.."
PATH=$PATH:/usr/sbin
for program in nginx openssl; do
  command -v "$program" >/dev/null || { echo "$program is not installed" >&2; exit 1; }
done

# nginx's own files, and a certificate that browsers will warn of.
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
chmod 755 "$folder"
cp examples/behind-nginx/nginx.conf "$folder"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$folder/key.pem" -out "$folder/cert.pem" 2>/dev/null

cargo build --package examples --bin behind-nginx-site --bin behind-nginx-streams
cargo run --quiet --package examples --bin behind-nginx-streams &
cargo run --quiet --package examples --bin behind-nginx-site &
nginx -p "$folder" -c nginx.conf -e stderr -g 'daemon off;' &
echo 'open https://127.0.0.1:8443, in as many tabs as you like, and http://127.0.0.1:8081 in seven'
wait -n
