#!/bin/sh
# Makes what docker-compose.yml reads from deploy/secrets/, once; what is there already stays as it is.
set -eu
umask 077
cd "$(dirname "$0")"
mkdir -p secrets
cd secrets
random() { openssl rand -hex 24; }
once() { [ -s "$1" ] || "$2" > "$1"; }

once postgres-password random
once mssql-password random
once s3-password random
once audit-subject-key random
[ -s catalog-url ] || printf 'postgres://huitong:%s@postgres:5432/huitong' "$(cat postgres-password)" > catalog-url
[ -s s3-credentials ] ||
  printf '[default]\naws_access_key_id = huitong\naws_secret_access_key = %s\n' "$(cat s3-password)" > s3-credentials
[ -s audit-signing.pem ] || openssl genpkey -algorithm ed25519 -out audit-signing.pem
[ -s quarantine.pem ] || openssl genpkey -algorithm x25519 -out quarantine.pem
# Shown once by the exchange (see docs/guides/deployment.md), then written here; Compose wants the files to be there.
touch worker-token-health worker-token-police worker-token-traffic \
  worker-token-market worker-token-emergency worker-token-government-services
# The containers' user is not ours; the folder itself stays closed.
chmod 644 ./*
chmod 700 .
echo "deploy/secrets is ready"
