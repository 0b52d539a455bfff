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

# However its file is spelled, a cluster is found; and one with another file is not taken for none.
port=$(free_port)
mkdir "$local_work/own"
printf 'data-dir: data\nlisteners: [{ host: 127.0.0.1, port: %d }]\n' "$port" >"$local_work/own/one.yaml"
printf 'data-dir: data2\nlisteners: [{ host: 127.0.0.1, port: %d }]\n' "$(free_port)" >"$local_work/own/two.yaml"
in_own=(env -C "$local_work/own" "$fluvio" cluster)
check "a cluster with a file of one's own" 0 "the cluster runs" "${in_own[@]}" start -d . -c one.yaml
pid=$(cat "$local_work/own/spu.pid")
check "it is the same by another spelling" 0 "runs already (pid $pid" "${in_own[@]}" start -d . -c ../own/one.yaml
check "no second one takes its place" 3 "runs with another file, $local_work/own/one.yaml (pid $pid): stop it by" "${in_own[@]}" start -d . -c two.yaml
same "it is still the one that is known" "$pid" cat "$local_work/own/spu.pid"
check "nor is it ended by another file" 3 "runs with another file" "${in_own[@]}" shutdown -d .
mkdir -p "$local_work/blind/spu.pid"
check "a pid file that cannot be read is not taken for none" 1 "whether a cluster runs is not known: $local_work/blind/spu.pid" \
    "$fluvio" cluster shutdown -d "$local_work/blind"
check "it is ended by another spelling" 0 "has ended" "${in_own[@]}" shutdown -d . -c ./one.yaml

# What `"$UNSET"` makes of a flag.
check "an empty directory" 2 "--dir needs a name" "$fluvio" cluster start -d ''
check "an empty file" 2 "--config needs a name" "$fluvio" cluster start -c ''
check "neither for shutdown" 2 "--dir needs a name" "$fluvio" cluster shutdown -d ''
check "nor for check" 2 "--config needs a name" "$fluvio" cluster check -c ''

# Whose port is taken by who speaks no Kafka may choose another.
perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 0, Listen => 5); $| = 1;
    print $s->sockport, "\n"; close STDOUT; while ($c = $s->accept) { close $c }' >"$local_work/taken" &
taken=$!
until [ -s "$local_work/taken" ]; do kill -0 $taken || break; done
check "a port that is taken" 1 "the server ended at once" "$fluvio" cluster start -d "$local_work/first" -p "$(cat "$local_work/taken")"
kill $taken
check "binds no later start" 0 "the cluster runs" "$fluvio" cluster start -d "$local_work/first" -p "$(free_port)"
check "which is ended" 0 "has ended" "$fluvio" cluster shutdown -d "$local_work/first"

# A profile without a user would not be let in.
mkdir "$local_work/login"
port=$(free_port)
printf 'data-dir: data\nlisteners: [{ host: 127.0.0.1, port: %d, auth: sasl }]\n' "$port" >"$local_work/login/spu.yaml"
"$fluvio" profile add -q before 127.0.0.1:1
check "a cluster that asks who one is" 0 "the profile is not changed: log in by \`fluvio profile add NAME 127.0.0.1:$port --user USER\`" \
    "$fluvio" cluster start -d "$local_work/login"
for listing in topic acl; do
    check "who logs in nowhere is told by $listing list" 1 "check security.protocol of the profile" "$fluvio" $listing list --cluster "127.0.0.1:$port"
    check "who speaks TLS without need is told by $listing list" 1 "check security.protocol" "$fluvio" $listing list --cluster "127.0.0.1:$port" -X security.protocol=ssl
done
"$fluvio" cluster shutdown -q -d "$local_work/login"
sed -i "s|auth: sasl|auth: sasl, tls: { certificate: ../sub/cert.pem, key: ../sub/key.pem }|" "$local_work/login/spu.yaml"
check "also over TLS" 0 "127.0.0.1:$port --user USER --ca FILE\`" "$fluvio" cluster start -d "$local_work/login"
"$fluvio" cluster shutdown -q -d "$local_work/login"
same "is not the profile from then on" before "$fluvio" profile current
"$fluvio" profile delete -q before
