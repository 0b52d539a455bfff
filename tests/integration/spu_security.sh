#!/usr/bin/env bash
# Who may come in, and who may do what: fluvio-spu with kcat (librdkafka), Apache Kafka's own command-line tools, and requests by hand.
# BUILD=build/release
set -u
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-security-XXXXXX")
passed=0 failed=0 spu='' writer=''

clean_up() {
    for pid in $spu $writer; do kill -9 "$pid" 2>/dev/null; done
    rm -rf "$work"
}
trap clean_up EXIT

# check NAME COMMAND...: the test passes when the command does; what it wrote is shown when it does not.
check() {
    local name=$1
    shift
    : >"$work/log"
    : >"$work/out"
    if "$@" >>"$work/log" 2>&1; then
        passed=$((passed + 1))
        echo "ok   spu_security/$name"
    else
        failed=$((failed + 1))
        echo "FAIL spu_security/$name"
        tail -n 30 "$work/log" "$work/out" "$work/spu.log" 2>/dev/null
    fi
}

says() { grep -qF -- "$1" "$work/out" || { echo "not said: $1"; return 1; }; }
told() { grep -qE -- "$1" "$work/spu.log" || { echo "the node did not tell: $1"; return 1; }; }

wait_for() { # COMMAND...: try until it works, 20 seconds at most
    local deadline=$((SECONDS + 20))
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || { echo "in 20 s not: $*"; return 1; }
        sleep 0.02
    done
}

# --- certificates -----------------------------------------------------------------------------------------------------------------

certificate() { # NAME SUBJECT SERIAL
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/$1.key" -out "$work/$1.csr" -subj "$2" 2>/dev/null &&
        openssl x509 -req -in "$work/$1.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -set_serial "$3" -days 2 -out "$work/$1.pem" \
            -extfile <(echo "subjectAltName=DNS:localhost,IP:127.0.0.1") 2>/dev/null
}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/ca.key" -out "$work/ca.pem" -subj "/CN=test CA" -days 2 2>/dev/null
certificate node /CN=localhost 1001
certificate service "/O=Example/OU=Services/CN=Billing" 2001

# --- the node ---------------------------------------------------------------------------------------------------------------------

cat >"$work/spu.yaml" <<END
data-dir: $work/data
auto-create-topics: false
listeners:
  - {name: TLS, host: 127.0.0.1, port: 0, auth: sasl, tls: {certificate: $work/node.pem, key: $work/node.key}}
  - {name: SCRAM, host: 127.0.0.1, port: 0, auth: sasl}
  - {name: CLEAR, host: 127.0.0.1, port: 0, auth: sasl, mechanisms: [PLAIN], plain-without-tls: true, reauthenticate-after: 1500ms}
  - name: CERTIFICATES
    host: 127.0.0.1
    port: 0
    tls: {certificate: $work/node.pem, key: $work/node.key, client-ca: $work/ca.pem, client-auth: require}
    principals: ["RULE:^CN=([^,]+),OU=Services,.*$/\$1/L", DEFAULT]
authorization:
  enabled: true
  super-users: [User:root]
END

add_user() { "$build/fluvio-spu" --config "$work/spu.yaml" --add-user "$@"; }
port_of() { sed -n "s/.*listening name=$1 host=127.0.0.1 port=\([0-9]*\).*/\1/p" "$work/spu.log" | tail -n 1; }

start() {
    "$build/fluvio-spu" --config "$work/spu.yaml" >>"$work/spu.log" 2>&1 &
    spu=$!
    wait_for grep -q "serving node" "$work/spu.log" || return 1
    tls=127.0.0.1:$(port_of TLS) scram=127.0.0.1:$(port_of SCRAM) certificates=127.0.0.1:$(port_of CERTIFICATES)
    clear=$(port_of CLEAR)
}

# as USER PASSWORD MECHANISM LISTENER KCAT-ARGUMENTS...: run kcat; what it says goes to $work/out.
as() {
    local user=$1 password=$2 mechanism=$3 listener=$4 protocol=sasl_plaintext
    shift 4
    [ "$listener" != "$tls" ] || protocol=sasl_ssl
    timeout 30 kcat -b "$listener" -X security.protocol=$protocol -X "sasl.mechanism=$mechanism" -X "sasl.username=$user" \
        -X "sasl.password=$password" -X "ssl.ca.location=$work/ca.pem" "$@" >"$work/out" 2>&1
}
# the same with a certificate
certified() { # KCAT-ARGUMENTS...
    timeout 30 kcat -b "$certificates" -X security.protocol=ssl -X "ssl.ca.location=$work/ca.pem" -X "ssl.certificate.location=$work/service.pem" \
        -X "ssl.key.location=$work/service.key" "$@" >"$work/out" 2>&1
}
denied_login() { # USER PASSWORD MECHANISM LISTENER: no metadata, and why
    ! as "$@" -L -m 5 || { echo "it was let in"; return 1; }
}

# tool NAME ARGUMENTS...: one of Kafka's tools, as the user admin by SCRAM-SHA-512.
tool() {
    local name=$1
    shift
    tests/support/kafka-tool "$name" --bootstrap-server "$scram" --command-config "$work/admin.properties" "$@" >"$work/out" 2>&1
}
cat >"$work/admin.properties" <<END
security.protocol=SASL_PLAINTEXT
sasl.mechanism=SCRAM-SHA-512
sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="admin" password="admin-secret";
END

bootstrap() {
    echo root-secret | add_user root && echo admin-secret | add_user admin --role admin || return 1
    [ "$(stat -c %a "$work/data/metadata.store")" = 600 ] || { echo "others may read the users"; return 1; }
    ! grep -q -- -secret "$work/data/metadata.store" || { echo "a password stands in the file"; return 1; }
    ! echo x | add_user other --role king || { echo "a role that is not there was taken"; return 1; }
    ! add_user other </dev/null || { echo "a user without password was made"; return 1; }
}
check "the first users are made while the node stands still" bootstrap
all_options() { # of each block of the file that a page names
    local key
    "$build/fluvio-spu" --options >"$work/out" || return 1
    for key in data-dir 'listeners\[\]\.auth' 'listeners\[\]\.tls\.key' authorization.enabled topics.retention.ms; do
        grep -q "^$key " "$work/out" || { echo "no $key"; return 1; }
    done
}
check "--options lists what can stand in each block of the file" all_options
check "it starts" start
running_refused() {
    local got=0
    echo x | add_user other || got=$?
    [ "$got" -eq 3 ] || { echo "exit $got instead of 3"; return 1; }
}
check "no user is made past a node that runs" running_refused
plain_refused() {
    sed 's/auth: sasl}/auth: sasl, mechanisms: [PLAIN]}/' "$work/spu.yaml" >"$work/bad.yaml"
    ! "$build/fluvio-spu" --config "$work/bad.yaml" >"$work/out" 2>&1 && says "PLAIN sends passwords in clear: it needs tls"
}
check "a file that offers PLAIN without TLS is refused" plain_refused

# --- logging in -------------------------------------------------------------------------------------------------------------------

for mechanism in PLAIN SCRAM-SHA-256 SCRAM-SHA-512; do
    check "$mechanism over TLS" as admin admin-secret $mechanism "$tls" -L -m 10
done
check "SCRAM-SHA-256 without TLS" as admin admin-secret SCRAM-SHA-256 "$scram" -L -m 10
check "SCRAM-SHA-512 without TLS" as admin admin-secret SCRAM-SHA-512 "$scram" -L -m 10
# A client of before Kafka 1.0: librdkafka asks no versions then, and sends SASL's messages bare.
old() { as "$@" -X api.version.request=false -X broker.version.fallback=0.10.0.0 -L -m "${WAIT_S:-10}"; }
for mechanism in PLAIN SCRAM-SHA-256 SCRAM-SHA-512; do
    check "an old client by $mechanism over TLS" old admin admin-secret $mechanism "$tls"
done
old_wrong() { ! WAIT_S=2 old admin wrong "$1" "$2" && told "authentication failed: wrong user or password user=admin mechanism=$1"; }
check "an old client's wrong password, PLAIN" old_wrong PLAIN "$tls"
check "an old client's wrong password, SCRAM" old_wrong SCRAM-SHA-512 "$scram"
plain_on_clear() {
    denied_login admin admin-secret PLAIN "$scram" && wait_for told "mechanism refused: PLAIN needs TLS|mechanism refused: .*mechanism=PLAIN"
}
check "PLAIN without TLS is refused" plain_on_clear
wrong_password() { denied_login admin wrong "$1" "$2" && says "wrong user or password" && told "authentication failed: wrong user or password user=admin mechanism=$1"; }
unknown_user() { denied_login mallory wrong "$1" "$2" && says "wrong user or password" && told "user=mallory mechanism=$1"; }
check "a wrong password, PLAIN" wrong_password PLAIN "$tls"
check "a wrong password, SCRAM" wrong_password SCRAM-SHA-256 "$scram"
check "an unknown user, PLAIN" unknown_user PLAIN "$tls"
check "an unknown user, SCRAM" unknown_user SCRAM-SHA-512 "$scram"
by_hand() {
    local stranger_kb=16
    [[ $build != *san* ]] || stranger_kb=64 # sanitizers pad what is allocated, and keep what is freed
    python3 tests/integration/spu_sasl.py "$clear" admin admin-secret 1500 "$spu" "$stranger_kb" >"$work/by-hand"
    grep -E '^(ok|FAIL)' "$work/by-hand" >&3
    passed=$((passed + $(grep -c '^ok' "$work/by-hand"))) failed=$((failed + $(grep -c '^FAIL' "$work/by-hand")))
    tail -n 1 "$work/by-hand" | grep -q ' 0 failed$' || cat "$work/by-hand"
    grep -q passed "$work/by-hand"
}
exec 3>&1
check "requests by hand" by_hand

# --- users and ACLs, by Kafka's tools ---------------------------------------------------------------------------------------------

make_topics() {
    tool topics --create --topic orders --partitions 1 && tool topics --create --topic other --partitions 1
}
check "an admin makes topics" make_topics
make_users() {
    tool configs --alter --add-config 'SCRAM-SHA-256=[password=alice-secret]' --entity-type users --entity-name alice &&
        tool configs --alter --add-config 'SCRAM-SHA-512=[iterations=8192,password=bob-secret]' --entity-type users --entity-name bob &&
        tool configs --describe --entity-type users --entity-name bob && says "SCRAM-SHA-512=iterations=8192"
}
check "users are made and shown by kafka-configs" make_users
put() { echo "$1" | as "$2" "$2-secret" "${3:-SCRAM-SHA-256}" "$scram" -P -t orders -X message.timeout.ms=8000; }
get() { as "$1" "$1-secret" "${2:-SCRAM-SHA-256}" "$scram" -C -t orders -e -o beginning; }
refused_topic() {
    ! put first alice || { echo "it was let in"; return 1; }
    told "refused principal=User:alice host=127.0.0.1 operation=[A-Z]* resource=TOPIC:orders"
}
check "without an ACL nothing is allowed, and a line says what was refused" refused_topic
not_listed() { as alice alice-secret SCRAM-SHA-256 "$scram" -L -m 10 && ! says '"orders"'; }
check "topics are not shown to who may not describe them" not_listed
allow_write() {
    tool acls --add --allow-principal User:alice --operation Write --topic orders && put first alice
}
check "an ACL lets a user write" allow_write
cannot_read() { ! get alice || ! grep -q first "$work/out"; }
check "but not read" cannot_read
allow_group() {
    tool acls --add --allow-principal User:alice --operation Read --topic ord --group team- --resource-pattern-type prefixed &&
        get alice && says first &&
        as alice alice-secret SCRAM-SHA-256 "$scram" -G team-a orders -e -X auto.offset.reset=earliest && says first &&
        { as alice alice-secret SCRAM-SHA-256 "$scram" -G others orders -e -X auto.offset.reset=earliest; says "not allowed on this group"; }
}
check "prefixed ACLs let it read, in groups of its own" allow_group
deny_first() {
    tool acls --add --deny-principal User:alice --operation Write --topic '*' && ! put second alice &&
        tool acls --remove --force --deny-principal User:alice --operation Write --topic '*' && put third alice
}
check "a denial comes before what is allowed, until it is removed" deny_first
list_acls() {
    tool acls --list --principal User:alice && says "operation=WRITE, permissionType=ALLOW" && says "patternType=PREFIXED"
}
check "kafka-acls lists them" list_acls
no_admin() {
    sed 's/"admin"/"bob"/; s/admin-secret/bob-secret/' "$work/admin.properties" >"$work/bob.properties"
    for what in "acls --list" "topics --create --topic x" "configs --describe --entity-type users"; do
        # shellcheck disable=SC2086
        ! timeout 60 tests/support/kafka-tool ${what%% *} --bootstrap-server "$scram" --command-config "$work/bob.properties" ${what#* } >"$work/out" 2>&1 ||
            { echo "bob may: $what"; return 1; }
        grep -qi "authoriz" "$work/out" || { echo "$what: another reason"; return 1; }
    done
}
check "a user without role administrates nothing" no_admin
renewed() { # a client of Java's, over more than two sessions' times
    sed "s/SCRAM-SHA-512/PLAIN/; s/scram.ScramLoginModule/plain.PlainLoginModule/; s/admin/root/g; \$a bootstrap.servers=127.0.0.1:$clear" \
        "$work/admin.properties" >"$work/root.properties"
    tests/support/kafka-tool producer-perf --topic orders --num-records 100 --record-size 100 --throughput 20 --producer.config \
        "$work/root.properties" >"$work/out" 2>&1 && says "100 records sent" && ! told "Produce version .* after the session's time"
}
check "a client logs in again while it writes" renewed
super_user() { as root root-secret SCRAM-SHA-256 "$scram" -C -t orders -e -o beginning && says third; }
check "a super user needs no ACL" super_user

# --- certificates -----------------------------------------------------------------------------------------------------------------

by_certificate() {
    ! echo x | certified -P -t orders -X message.timeout.ms=8000 || { echo "it was let in"; return 1; }
    told "refused principal=User:billing " || return 1
    tool acls --add --allow-principal User:billing --operation Write --topic orders && echo certified | certified -P -t orders
}
check "a certificate's subject becomes a principal by the rules" by_certificate
without_certificate() {
    ! timeout 30 kcat -b "$certificates" -X security.protocol=ssl -X "ssl.ca.location=$work/ca.pem" -L -m 5 >"$work/out" 2>&1
}
check "who shows no certificate is not let in" without_certificate

serial_now() { openssl s_client -connect "$tls" -CAfile "$work/ca.pem" </dev/null 2>/dev/null | openssl x509 -noout -serial; }
reload() {
    mkfifo "$work/lines"
    kcat -P -b "$tls" -X security.protocol=sasl_ssl -X sasl.mechanism=PLAIN -X sasl.username=root -X sasl.password=root-secret \
        -X "ssl.ca.location=$work/ca.pem" -t orders <"$work/lines" >"$work/writer.log" 2>&1 &
    writer=$!
    exec 4>"$work/lines"
    echo before >&4
    # kcat keeps what it reads from a pipe until there is more or the end; so it is told twice.
    [ "$(serial_now)" = "serial=$(printf '%04X' 1001)" ] || { serial_now; return 1; }
    certificate node /CN=localhost 1002
    kill -HUP "$spu"
    wait_for told "certificates read again" || return 1
    [ "$(serial_now)" = "serial=$(printf '%04X' 1002)" ] || { serial_now; return 1; }
    echo after >&4
    exec 4>&-
    wait "$writer" || { cat "$work/writer.log"; return 1; }
    writer=''
    as root root-secret PLAIN "$tls" -C -t orders -e -o beginning && says before && says after
}
check "certificates are read again without a restart" reload
reload_bad() {
    cp "$work/node.pem" "$work/good.pem"
    echo nonsense >"$work/node.pem"
    kill -HUP "$spu"
    wait_for told "node.pem" || return 1
    cp "$work/good.pem" "$work/node.pem"
    as root root-secret PLAIN "$tls" -L -m 10
}
check "certificates that cannot be read leave the old ones in use" reload_bad

# --- quotas -----------------------------------------------------------------------------------------------------------------------

write_400k() { # 40 messages of 10,000 bytes; the time in ms goes to $work/ms
    local begin
    begin=$(date +%s%N)
    head -c 300000 /dev/urandom | base64 -w 9999 | head -n 40 |
        as alice alice-secret SCRAM-SHA-256 "$scram" -P -t orders -X batch.num.messages=1 -X max.in.flight=1 || return 1
    echo $((($(date +%s%N) - begin) / 1000000)) >"$work/ms"
}
throttled() {
    local free bound
    write_400k || return 1
    free=$(cat "$work/ms")
    tool configs --alter --add-config producer_byte_rate=100000 --entity-type users --entity-name alice || return 1
    tool configs --describe --entity-type users --entity-name alice && says "producer_byte_rate=100000" || return 1
    write_400k || return 1
    bound=$(cat "$work/ms")
    echo "free: $free ms, with a quota of 100,000 bytes a second: $bound ms" >&3
    # 400,000 bytes, of which a second's worth is free: 3 s, and the last answer's wait is not waited for.
    [ "$bound" -ge 2400 ] && [ "$bound" -le $((free + 7000)) ] && [ "$free" -lt 2400 ]
}
check "a quota bounds the rate of a user" throttled
others_free() { # bob's rate is his own
    tool acls --add --allow-principal User:bob --operation Read --operation Write --topic orders &&
        tool configs --alter --add-config consumer_byte_rate=200000 --entity-type users --entity-default &&
        tool configs --describe --entity-type users --entity-default && says "consumer_byte_rate=200000" &&
        get bob SCRAM-SHA-512 && tool configs --alter --delete-config consumer_byte_rate --entity-type users --entity-default
}
check "quotas have defaults, and can be removed" others_free
mutations() {
    local mine=(--entity-type users --entity-name admin)
    tool configs --alter --add-config controller_mutation_rate=0.5 "${mine[@]}" &&
        tool configs --describe "${mine[@]}" && says "controller_mutation_rate=0.5" &&
        tool topics --create --topic many --partitions 40 || return 1
    ! tool topics --create --topic one-more || { echo "it was made"; return 1; }
    says ThrottlingQuotaExceeded || return 1
    ! tool topics --delete --topic many || { echo "it was removed"; return 1; }
    says ThrottlingQuotaExceeded || return 1
    echo admin-secret >"$work/admin.password"
    HOME=$work "$build/fluvio" profile add -q old "$scram" --user admin --mechanism SCRAM-SHA-512 --password-file "$work/admin.password" &&
        HOME=$work "$build/fluvio" topic create -q from-an-old-client || return 1
    tool configs --alter --delete-config controller_mutation_rate "${mine[@]}" && tool topics --create --topic one-more
}
check "a quota of partitions made and removed refuses new clients, and lets old ones wait" mutations
three_times() { # the time in ms goes to $work/ms
    local begin
    begin=$(date +%s%N)
    for _ in 1 2 3; do as alice alice-secret SCRAM-SHA-256 "$scram" -L -t orders || return 1; done
    echo $((($(date +%s%N) - begin) / 1000000)) >"$work/ms"
}
connections() {
    local mine=(--entity-type ips --entity-name 127.0.0.1) free bound
    three_times || return 1
    free=$(cat "$work/ms")
    tool configs --alter --add-config connection_creation_rate=1 "${mine[@]}" || return 1
    three_times || return 1
    bound=$(cat "$work/ms")
    echo "free: $free ms, with a quota of a connection a second: $bound ms" >&3
    tool configs --describe "${mine[@]}" && says "connection_creation_rate=1" || return 1
    ! tool configs --alter --add-config producer_byte_rate=1 "${mine[@]}" || { echo "it was taken"; return 1; }
    tool configs --alter --delete-config connection_creation_rate "${mine[@]}" || return 1
    three_times && [ "$bound" -ge 1900 ] && [ "$(cat "$work/ms")" -lt "$bound" ]
}
check "a quota of connections makes those of an address come one after the other" connections

# --- what stays -------------------------------------------------------------------------------------------------------------------

restart() {
    kill -9 "$spu"
    wait "$spu" 2>/dev/null
    : >"$work/spu.log"
    start && put again alice && get bob SCRAM-SHA-512 && says again &&
        tool acls --list --principal User:alice && says "operation=WRITE, permissionType=ALLOW" &&
        tool configs --describe --entity-type users --entity-name alice && says "producer_byte_rate=100000"
}
check "users, ACLs and quotas are there after kill -9" restart
delete_user() {
    tool configs --alter --delete-config SCRAM-SHA-256 --entity-type users --entity-name alice &&
        denied_login alice alice-secret SCRAM-SHA-256 "$scram" && as bob bob-secret SCRAM-SHA-512 "$scram" -L -m 10
}
check "a user who is deleted cannot log in" delete_user
ends() {
    kill -TERM "$spu"
    wait "$spu" || return 1
    spu=''
    told stopping
}
check "it ends cleanly" ends

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
