# Sourced by tests/integration/cli.sh: a cluster on this machine, from several working directories and with several files.
# shellcheck shell=bash disable=SC2154 # check, same, fluvio and work are the script's

free_port() {
    perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 0, Listen => 1)->sockport'
}
local_work=$work/local
mkdir -p "$local_work/a" "$local_work/b"

# A directory named from one place is the same from another.
port=$(free_port)
check "a cluster in a relative directory" 0 "$local_work/a/it)" env -C "$local_work/a" "$fluvio" cluster start -d ./it -p "$port"
same "its file names it from the root" "data-dir: \"$local_work/a/it/data\"" grep data-dir "$local_work/a/it/spu.yaml"
check "it is ended from elsewhere" 0 "has ended" "$fluvio" cluster shutdown -d "$local_work/a/it"
check "and started again from elsewhere" 0 "the cluster runs" env -C "$local_work/b" "$fluvio" cluster start -d ../a/it
same "on the same data" "$local_work/a/it/data" sh -c "find '$local_work' -name .lock | xargs dirname"
check "and ended from where it was made" 0 "has ended" env -C "$local_work/a" "$fluvio" cluster shutdown -d it

# A server's own file may name its data and its TLS files from where it is.
mkdir -p "$local_work/sub"
openssl req -x509 -newkey rsa:2048 -nodes -days 90 -subj /CN=localhost -keyout "$local_work/sub/key.pem" -out "$local_work/sub/cert.pem" 2>/dev/null
chmod 600 "$local_work/sub/key.pem"
printf 'data-dir: ./data\nlisteners: [{ port: 0, tls: { certificate: cert.pem, key: ./key.pem } }]\n' >"$local_work/sub/spu.yaml"
env -C "$local_work" "$PWD/$BUILD/fluvio-spu" --config sub/spu.yaml >"$local_work/sub.log" 2>&1 &
spu=$!
until_said " serving " cat "$local_work/sub.log" && [ -e "$local_work/sub/data/.lock" ] && tell yes "paths in a server's file start at the file" ||
    tell no "paths in a server's file start at the file"
check "so cluster check reads them" 1 "$local_work/sub/data is open in another process" env -C "$local_work" "$fluvio" cluster check -c sub/spu.yaml
kill $spu
wait $spu
